/* The text that an eval program scores in place of the run's (--text). */
#include <string.h>

#include "data/fingerprint.h"
#include "programs/evaluator.h"
#include "system/file.h"

/* Returns true if the data that is open is that of the run: its tokens and its split are the same. */
static bool is_own(const Evaluator *e)
{
    const EvalConfig *c = e->config;
    if (!*e->fingerprint.text) return e->own_text && file_same(e->own_text, c->text);
    const Fingerprint now = data_fingerprint(&e->data);
    return strcmp(now.text, e->fingerprint.text) == 0;
}

/* Opens all of a text as the held-out split; the training split is the same text, and nothing uses it. */
static bool open_whole(Evaluator *e, const Vocabularies *vocab, Error *err)
{
    e->run.valid = e->run.text;
    e->whole = true;
    return data_open(&e->data, &e->run, vocab, err);
}

bool evaluator_open_text(Evaluator *e, const Vocabularies *vocab, Error *err)
{
    const char *text = e->config->text;
    const bool once = strcmp(text, "-") == 0 || input_may_wait(text); /* it can be read only once */
    const bool piped_run = e->own_text && strcmp(e->own_text, "-") == 0;
    e->run.text = text;
    if (once && !piped_run) return open_whole(e, vocab, err);
    if (data_open(&e->data, &e->run, vocab, err)) {
        if (is_own(e)) return true;
        data_close(&e->data);
    }
    if (!once) return open_whole(e, vocab, err);
    return error_set(
        err, "%s: standard input is not the text of the run in %s; give another text as a file",
        "--text -", e->dir);
}
