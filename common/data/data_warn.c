/* Warnings of data that a model does not see as it is in the file (data.h). */
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "data/data.h"

static const double MOST = 0.5; /* a larger share of unknown tokens makes the scores meaningless */
static const char *const part[] = {"training", "held-out"};

/* The unknown tokens of a text without invalid bytes, or those of a text that is mostly unknown. */
static void warn_unknown(const Text *t, const char *program, int split)
{
    const double share = text_unknown(t, (Split)split);
    const bool rare = tokenizer_of_words(&t->tokens) || t->unknown[split] <= t->invalid[split];
    if (t->tokens.bpe && share > 0) {
        say("%s: warning: %lld bytes of the %s text have no token in this tokenizer; they are "
            "left out\n",
            program, (long long)t->unknown[split], part[split]);
        return;
    }
    if (share == 0 || (rare && share <= MOST)) return;
    say("%s: warning: %lld of %d %s %ss (%.1f%%) are not in the vocabulary (the first at byte "
        "%lld); they are read as the unknown token%s\n",
        program, (long long)t->unknown[split], t->n[split], part[split], tokenizer_item(&t->tokens),
        100 * share, (long long)t->first_unknown[split],
        share > MOST ? ": most of this text is unknown to the model, and its scores mean little"
                     : "");
}

static void warn_cut(const Text *t, const char *program, int split)
{
    const TextCut *cut = &t->cut[split];
    if (cut->lines == 0) return;
    say("%s: warning: %d of %d %s lines are longer than %d tokens: the %d tokens beyond are not "
        "%s; train with a larger --seq-len\n",
        program, cut->lines, t->lines[split], part[split], t->length, cut->tokens,
        split == SPLIT_TRAIN ? "trained on" : "scored");
}

static void warn_pairs(const Pairs *p, const char *program, bool trained)
{
    static const char *const side[] = {"source", "target"};
    for (int i = 0; i < 2; i++)
        if (p->unknown[i] > MOST)
            say("%s: warning: %.1f%% of the %s tokens of the test pairs are not in the "
                "vocabulary: most of them are unknown to the model, and its scores mean "
                "little\n",
                program, 100 * p->unknown[i], side[i]);
    if (p->too_long)
        say("%s: warning: %d pairs are longer than --max-words or 4096 tokens: they are "
            "neither %sscored\n",
            program, p->too_long, trained ? "trained on nor " : "decoded nor ");
}

void data_warn(const Data *d, const char *program, bool trained)
{
    for (int split = trained ? SPLIT_TRAIN : SPLIT_VALID; d->is_text && split <= SPLIT_VALID;
         split++) {
        warn_unknown(&d->text, program, split);
        warn_cut(&d->text, program, split);
    }
    if (d->is_pairs && d->pairs.is_table) warn_pairs(&d->pairs, program, trained);
}

/* --- files ---------------------------------------------------------------------------------------- */

static void warn_faults(const InputFaults *f, const char *program)
{
    const Utf8Faults *u = &f->utf8;
    if (!f->file) return;
    say("%s: warning: %s ", program, f->file);
    if (u->invalid)
        say("is not UTF-8: %lld of its bytes are no character", (long long)u->invalid);
    else
        say("has %lld zero bytes", (long long)u->zeros);
    say(", the first in line %lld, byte %lld (offset %lld); they are read as the unknown "
        "character; convert the file, for example with iconv, or train with --unit byte\n",
        (long long)u->line, (long long)u->column, (long long)u->first);
}

void data_say_waiting(const DataConfig *c, const char *program)
{
    const char *const texts[] = {c->text, c->valid};
    const char *const pairs[] = {c->pairs.file, c->pairs.valid, c->pairs.test};
    for (int i = 0; i < (c->of_pairs ? LEN(pairs) : LEN(texts)); i++) {
        const char *path = c->of_pairs ? pairs[i] : texts[i];
        if (path && input_may_wait(path))
            say("%s: reading %s to its end\n", program,
                strcmp(path, "-") == 0 ? "standard input" : path);
    }
}

void data_warn_faults(const Data *d, const char *program)
{
    for (int i = 0; i < LEN(d->text.faults) && d->is_text; i++)
        if (d->text.tokens.unk >= 0) warn_faults(&d->text.faults[i], program);
    for (int i = 0; i < LEN(d->pairs.faults) && d->is_pairs; i++)
        if (d->pairs.source.unk >= 0) warn_faults(&d->pairs.faults[i], program);
}
