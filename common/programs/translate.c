#include "programs/translate_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "system/file.h"
#include "system/utf8.h"

TranslateConfig translate_defaults(void)
{
    return (TranslateConfig){.beam = 1, .alpha = 0.6};
}

/* --- quality ------------------------------------------------------------------------------------------ */

bool is_of_words(const Evaluator *e)
{
    return tokenizer_of_words(&e->data.pairs.target);
}

static void quality_add(Quality *q, const Evaluator *e, const Output *o, const Example *x)
{
    const bool words = is_of_words(e);
    q->n++;
    q->right += output_is_right(e, o, x);
    q->log_probability += o->log_probability;
    char_errors_add(&q->characters, words ? o->tokens : o->text, words ? x->tokens : x->target);
    bleu_add(&q->bleu, o->tokens, x->tokens);
}

double exact_match(const Quality *q)
{
    return (double)q->right / q->n;
}

static json_t *quality_to_json(const Quality *q, int beam)
{
    json_t *o = json_object();
    evaluator_set_number(o, "exact", exact_match(q));
    evaluator_set_number(o, "cer", char_error_rate(&q->characters));
    evaluator_set_number(o, "bleu", bleu_score(&q->bleu));
    evaluator_set_number(o, "log_probability", q->log_probability / q->n);
    json_object_set_new(o, "beam", json_integer(beam));
    json_object_set_new(o, "decoded", json_integer(q->n));
    return o;
}

/* Writes the translations into --output, one per line. Writes nothing after a signal. */
static void write_output(Evaluator *e, const char *text, size_t len)
{
    Error err;
    const char *path = e->config->output;
    if (path && e->status == EXIT_OK && !file_write(path, text, len, &err))
        evaluator_fail(e, EXIT_FAILED, err.text);
}

Translation translate_heldout(Evaluator *e, const Translator *t, const TranslateConfig *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *lines = open_memstream(&text, &len);
    CHECK(lines, "translate_heldout: no memory for the translations");
    const int n = examples_of(e), longest = e->data.task.length;
    const BleuTokenizer tokens = is_of_words(e) ? BLEU_NONE : BLEU_CHAR;
    Translation q = {.all.bleu.tokenizer = tokens,
                     .width = (longest + QUALITY_ROWS - 1) / QUALITY_ROWS};
    for (int i = 0; i < QUALITY_ROWS; i++) q.row[i].bleu.tokenizer = tokens;
    for (int i = 0; i < n && !evaluator_stopped(e); i++) {
        Example x = example_get(&e->data, i);
        Output o = decode(e, t, c, x.source, x.S);
        output_print(&o, lines);
        const int row = (x.S - 1) / q.width;
        quality_add(&q.all, e, &o, &x);
        quality_add(&q.row[row < QUALITY_ROWS ? row : QUALITY_ROWS - 1], e, &o, &x);
        output_free(&o);
        example_free(&x);
    }
    fclose(lines);
    write_output(e, text, len);
    free(text);
    e->extra = quality_to_json(&q.all, c->beam);
    return q;
}
