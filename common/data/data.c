#include "data/data.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokens/bpe.h"
#include "tokens/bpe_files.h"

static const char *const PLACES = "common/data/places.tsv", *const PROSE = "lessons";

DataConfig data_defaults(void)
{
    return (DataConfig){.unit = "char",
                        .vocab_limit = 10000,
                        .vocab_size = 1024,
                        .heldout = 0.1,
                        .pairs = pairs_defaults()};
}

const char *data_name(const DataConfig *c)
{
    if (c->of_pairs) return c->pairs.file ? c->pairs.file : c->pairs.task;
    if (c->task) return c->task;
    return c->text ? c->text : c->lines ? PLACES : PROSE;
}

/* Returns true if the sequences are generated: then there is no text to read, to sample or to hold
 * out. */
static bool is_drawn(const DataConfig *c)
{
    const char *task = c->pairs.task;
    if (!c->of_pairs) return c->task && task_exists(c->task);
    return task && !c->pairs.file && (pairs_drawn(task) || (c->or_task && task_exists(task)));
}

/* Checks --valid and --test: they need --pairs, and with both of them --heldout does not apply. */
static bool pair_files_fit(const PairsConfig *c, bool heldout, Error *err)
{
    if (heldout && c->valid && c->test)
        return error_set(err,
                         "--heldout: --valid and --test name the held-out pairs; leave it out");
    return c->file || (!c->valid && !c->test) ||
           error_set(err, "--%s needs training pairs from a file; give the file with --pairs",
                     c->valid ? "valid" : "test");
}

/* Returns true if the program has this option and it was given. */
static bool is_given(const Option *option, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (option[i].kind != OPT_GROUP && strcmp(option[i].name, name) == 0)
            return option[i].given;
    return false;
}

/* Checks the options that belong to the unit bpe, or to the other units. */
static bool unit_options_fit(const DataConfig *c, const Option *option, int n, Error *err)
{
    static const char *const of_bpe[] = {"vocab-size", "tokenizer"};
    const bool bpe = strcmp(c->unit, "bpe") == 0;
    for (int i = 0; i < LEN(of_bpe); i++)
        if (!bpe && is_given(option, n, of_bpe[i]))
            return error_set(err, "--%s does not apply to --unit %s; give --unit bpe", of_bpe[i],
                             c->unit);
    if (bpe && is_given(option, n, "vocab-limit"))
        return error_set(err, "--vocab-limit does not apply to --unit bpe; give --vocab-size");
    return !c->tokenizer || !is_given(option, n, "vocab-size") ||
           error_set(err, "--vocab-size: --tokenizer names a vocabulary; leave out one of them");
}

/* Fails if two options name standard input, which can be read only once. */
static bool reads_once(const DataConfig *c, Error *err)
{
    const char *const texts[][2] = {{"text", c->text}, {"valid", c->valid}};
    const char *const pairs[][2] = {
        {"pairs", c->pairs.file}, {"valid", c->pairs.valid}, {"test", c->pairs.test}};
    const char *first = NULL;
    for (int i = 0; i < (c->of_pairs ? LEN(pairs) : LEN(texts)); i++) {
        const char *const *o = c->of_pairs ? pairs[i] : texts[i];
        if (!o[1] || strcmp(o[1], "-") != 0) continue;
        if (first)
            return error_set(err, "--%s - and --%s -: standard input can be read only once", first,
                             o[0]);
        first = o[0];
    }
    return true;
}

bool data_options_fit(const DataConfig *c, Option *option, int n, Error *err)
{
    static const char *const of_text[] = {"lines",       "valid",      "heldout",  "unit",
                                          "vocab-limit", "vocab-size", "tokenizer"};
    static const char *const of_table[] = {"unit", "vocab-limit", "max-words",
                                           "swap", "items",       "heldout"};
    const char *const *name = c->of_pairs ? of_table : of_text;
    const int names = c->of_pairs ? LEN(of_table) : LEN(of_text);
    if (!reads_once(c, err)) return false;
    for (int i = 0; i < names && is_drawn(c); i++)
        if (is_given(option, n, name[i]))
            return error_set(err, "--%s does not apply to task %s; leave it out", name[i],
                             data_name(c));
    if (c->of_pairs) return pair_files_fit(&c->pairs, args_find(option, n, "heldout")->given, err);
    if (!unit_options_fit(c, option, n, err)) return false;
    if (c->task || !args_find(option, n, "heldout")->given) return true;
    if (c->valid)
        return error_set(err, "--heldout: --valid names the held-out text; leave out one of them");
    return !c->lines || error_set(err, "--heldout: one line in ten is held out; leave it out, or "
                                       "give held-out lines with --valid");
}

static const char *missing_default(const char *path)
{
    return path == PROSE || path == PLACES
               ? "; give --task or --text, or run from the top of the project"
               : "";
}

static bool open_text(Data *d, const DataConfig *c, const Tokenizer *given, Error *err)
{
    const char *path = data_name(c);
    Tokenizer read = {0};
    const bool bpe = strcmp(c->unit, "bpe") == 0;
    if (!given && c->tokenizer) {
        if (!bpe_read(&read, c->tokenizer, err)) return error_in(err, "--tokenizer");
        read.bpe->undecided = true;
        given = &read;
    }
    d->is_text = true;
    const bool ok =
        text_open(&d->text, &d->task, path, c->valid, c->unit, bpe ? c->vocab_size : c->vocab_limit,
                  c->lines, c->heldout, c->seq_len, given, err);
    tokenizer_free(&read);
    if (ok) return true;
    const Error why = *err;
    return error_set(err, "%s%s", why.text, missing_default(path));
}

bool data_open(Data *d, const DataConfig *c, const Vocabularies *given, Error *err)
{
    const bool text = given && given->of_text, pairs = given && given->of_pairs;
    const char *task = c->or_task && !c->pairs.file ? c->pairs.task : NULL;
    const bool one = task && task_exists(task);
    *d = (Data){.is_pairs = c->of_pairs && !one};
    if (one) return task_open(&d->task, task, c->pairs.seq_len, err);
    if (c->of_pairs)
        return pairs_open(&d->pairs, &d->task, &c->pairs, pairs ? &given->source : NULL,
                          pairs ? &given->target : NULL, err);
    if (c->task && c->text)
        return error_set(err, "--task %s and --text %s: choose one", c->task, c->text);
    if (c->task) return task_open(&d->task, c->task, c->seq_len, err);
    return open_text(d, c, text ? &given->tokens : NULL, err);
}

bool data_open_tokens(Data *d, const DataConfig *c, const Vocabularies *given, Error *err)
{
    *d = (Data){.is_text = given->of_text, .is_pairs = given->of_pairs};
    if (given->of_pairs)
        return pairs_of_tokens(&d->pairs, &d->task, &c->pairs, &given->source, &given->target,
                               given->length, err);
    if (!given->of_text)
        return error_set(err, "config.json has no tokenizer: this run was not trained on text");
    text_of_tokens(&d->text, &d->task, &given->tokens, c->lines, c->seq_len);
    return true;
}

bool data_open_test(Data *d, const DataConfig *c, const Vocabularies *given, const char *path,
                    Error *err)
{
    *d = (Data){.is_pairs = true};
    if (!given->of_pairs)
        return error_set(err, "config.json has no tokenizers: this run was not trained on pairs");
    return pairs_open_test(&d->pairs, &d->task, &c->pairs, path, &given->source, &given->target,
                           err);
}

void data_close(Data *d)
{
    if (d->is_text) text_close(&d->text);
    if (d->is_pairs) pairs_close(&d->pairs);
    task_close(&d->task);
    *d = (Data){0};
}

bool data_is_running(const Data *d)
{
    return d->is_text && !d->text.by_line;
}

/* --- vocabularies --------------------------------------------------------------------------------- */

void vocabularies_to_json(const Data *d, json_t *config)
{
    if (d->is_text) json_object_set_new(config, "vocab", tokenizer_to_json(&d->text.tokens));
    if (!d->is_pairs) return;
    json_object_set_new(config, "source_vocab", tokenizer_to_json(&d->pairs.source));
    json_object_set_new(config, "target_vocab", tokenizer_to_json(&d->pairs.target));
    json_object_set_new(config, "longest_pair", json_integer(d->task.length));
}

/* Reads one of a run's tokenizers, the value of a key of config.json. Fails also if its layout is that of the other kind of data. */
static bool read_tokens(Tokenizer *t, const char *key, const json_t *config, TokenLayout layout,
                        Error *err)
{
    Tokenizer read;
    if (!tokenizer_from_json(&read, json_object_get(config, key), err)) return error_in(err, key);
    if (read.layout != layout) {
        tokenizer_free(&read);
        return error_set(err, "%s: tokenizer: its special tokens are those of %s", key,
                         layout == TOKENS_STREAM ? "pairs" : "running text");
    }
    *t = read;
    return true;
}

bool vocabularies_from_json(Vocabularies *v, const json_t *config, Error *err)
{
    const json_t *vocab = json_object_get(config, "vocab");
    const json_t *source = json_object_get(config, "source_vocab");
    const json_t *target = json_object_get(config, "target_vocab");
    *v = (Vocabularies){0};
    if (!source != !target)
        return error_set(err, "%s_vocab is missing, but there is a %s_vocab",
                         source ? "target" : "source", source ? "source" : "target");
    if (vocab && !(v->of_text = read_tokens(&v->tokens, "vocab", config, TOKENS_STREAM, err)))
        return false;
    const json_t *longest = json_object_get(config, "longest_pair");
    const json_int_t length = json_integer_value(longest);
    if (longest && (!json_is_integer(longest) || length < 0 || length > INT_MAX / 2)) {
        vocabularies_free(v);
        return error_set(err, "longest_pair is not a number of tokens");
    }
    v->length = (int)length;
    if (!source) return true;
    v->of_pairs = read_tokens(&v->source, "source_vocab", config, TOKENS_FRAMED, err) &&
                  read_tokens(&v->target, "target_vocab", config, TOKENS_FRAMED, err);
    if (!v->of_pairs) vocabularies_free(v);
    return v->of_pairs;
}

void vocabularies_free(Vocabularies *v)
{
    tokenizer_free(&v->tokens);
    tokenizer_free(&v->source), tokenizer_free(&v->target);
    *v = (Vocabularies){0};
}

/* --- the metric ---------------------------------------------------------------------------------- */

double data_metric(const Data *d, const Score *s)
{
    if (!d->is_text) return s->hits / s->asked;
    return s->loss / s->scored / log(2); /* eq 0.2 */
}

const char *data_metric_name(const Data *d)
{
    if (!d->is_text) return d->task.metric;
    return tokenizer_metric(&d->text.tokens);
}
