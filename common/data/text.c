#include "data/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/text_split.h"
#include "system/utf8.h"
#include "tokens/bpe.h"

/* --- the text as tokens ----------------------------------------------------------------------- */

int text_items(const Text *t, Split split)
{
    return t->by_line ? t->lines[split] : 1;
}

static void take_facts(Text *t, TextPart part[2])
{
    for (int s = SPLIT_TRAIN; s <= SPLIT_VALID; s++) {
        t->faults[s] = part[s].faults;
        part[s].faults = (InputFaults){0};
    }
    t->files = part[0].files, t->others = part[0].others;
    t->held_bytes = (int64_t)part[1].text.len - (t->by_line && part[1].text.len);
    t->held_file = (int64_t)part[1].file;
}

TokenRange text_scored(const Text *t, Split split, int i)
{
    CHECK(i >= 0 && i < text_items(t, split), "text_scored: item %d of %d", i,
          text_items(t, split));
    if (!t->by_line) return (TokenRange){1, t->n[split] > 1 ? t->n[split] : 1};
    const int begin = t->start[split][i] + 1, end = t->start[split][i + 1] + 1;
    return (TokenRange){begin, end - begin > t->length ? begin + t->length : end};
}

/* Counts the scored tokens with their bytes and characters; at: the offset of each token. */
static void measure(Text *t, const Bytes *valid, const int *at)
{
    const int n = t->n[SPLIT_VALID];
    for (int i = 0; i < text_items(t, SPLIT_VALID); i++) {
        const TokenRange r = text_scored(t, SPLIT_VALID, i);
        if (r.begin >= r.end) continue;
        const size_t end = r.end < n ? (size_t)at[r.end] : valid->len;
        t->scored += r.end - r.begin;
        t->scored_bytes += (int64_t)end - at[r.begin];
        for (size_t k = (size_t)at[r.begin]; k < end; k++)
            t->scored_chars += (valid->data[k] & 0xC0) != 0x80;
    }
    t->bytes_per_token = (double)t->scored_bytes / (double)t->scored;
}

static void count_invalid(Text *t, int s, const TextPart *part)
{
    const Bytes *b = &part->text;
    int64_t first = -1;
    for (size_t i = 0; i < b->len;) {
        int code;
        const int len = utf8_decode(b->data + i, b->len - i, &code);
        if (code < 0 && t->invalid[s]++ == 0) first = (int64_t)i;
        i += (size_t)len;
    }
    t->first_invalid[s] = part_origin(part, first);
}

/* Encodes both parts. Returns the offsets of the validation part's tokens; the caller frees them. */
static int *encode(Text *t, const TextPart part[2])
{
    int *at = NULL;
    for (int s = SPLIT_TRAIN; s <= SPLIT_VALID; s++) {
        const Bytes *b = &part[s].text;
        const Encoding e = s == SPLIT_VALID ? tokenizer_encode_at(&t->tokens, b->data, b->len)
                                            : tokenizer_encode(&t->tokens, b->data, b->len);
        t->ids[s] = e.ids;
        t->n[s] = e.n;
        t->unknown[s] = e.unknown;
        t->first_unknown[s] = part_origin(&part[s], e.first_unknown);
        t->lines[s] = part[s].lines;
        count_invalid(t, s, &part[s]);
        at = e.at;
    }
    return at;
}

/* Finds the start of every line and returns the steps of the longest line. */
static int find_lines(Text *t)
{
    const int newline = tokenizer_id(&t->tokens, "\n");
    int longest = 1;
    for (int s = SPLIT_TRAIN; s <= SPLIT_VALID; s++) {
        int *start = t->start[s] = xmalloc(((size_t)t->lines[s] + 1) * sizeof *start), k = 0;
        for (int i = 0; i < t->n[s]; i++)
            if (t->ids[s][i] == newline) start[k++] = i;
        for (int i = 0; i < t->lines[s]; i++)
            if (start[i + 1] - start[i] > longest) longest = start[i + 1] - start[i];
    }
    return longest;
}

static void count_cut(Text *t)
{
    for (int s = SPLIT_TRAIN; s <= SPLIT_VALID; s++)
        for (int i = 0; i < t->lines[s]; i++) {
            const int longer = t->start[s][i + 1] - t->start[s][i] - t->length;
            if (longer > 0) t->cut[s].lines++, t->cut[s].tokens += longer;
        }
}

static bool long_enough(const Text *t, const char *path, int length, Error *err)
{
    const int train = t->by_line ? t->lines[SPLIT_TRAIN] : t->n[SPLIT_TRAIN];
    const int valid = t->by_line ? t->lines[SPLIT_VALID] : t->n[SPLIT_VALID];
    if (t->by_line && (train < 1 || valid < 1))
        return error_set(err,
                         "%s: %d training lines and %d held-out lines; at least one of each is "
                         "needed; give more lines, or held-out lines with --valid",
                         path, train, valid);
    if (!t->by_line && (train <= length || valid <= length))
        return error_set(err,
                         "%s: %d training tokens and %d held-out tokens; a sequence of %d steps "
                         "needs %d of each; give a longer text, or a smaller --seq-len",
                         path, train, valid, length, length + 1);
    return true;
}

/* --- sequences -------------------------------------------------------------------------------- */

static int put(const int *ids, int steps, Batch *batch, int b)
{
    for (int i = 0; i < steps; i++) {
        batch->x[batch_at(batch, i, b)] = ids[i];
        batch->y[batch_at(batch, i, b)] = ids[i + 1];
    }
    return steps;
}

static int lines_of(const Task *task, Split split)
{
    const Text *t = task->self;
    return t->lines[split];
}

static ItemLength length_of_line(const Task *task, Split split, int i)
{
    const Text *t = task->self;
    return (ItemLength){.target = t->start[split][i + 1] - t->start[split][i]};
}

static int draw_line(const Task *task, const Draw *draw, Batch *batch, int b)
{
    const Text *t = task->self;
    const Split split = draw->split;
    const int line = draw_index(draw, t->lines[split]);
    const int steps = length_of_line(task, split, line).target, length = draw->length;
    return put(t->ids[split] + t->start[split][line], steps < length ? steps : length, batch, b);
}

/* Draws a crop at a random position; with an item number, one of the consecutive windows. */
static int draw_crop(const Task *task, const Draw *draw, Batch *batch, int b)
{
    const Text *t = task->self;
    const int n = t->n[draw->split], length = draw->length;
    const int at = draw->item < 0 ? rng_below(draw->rng, n - length)
                                  : draw_index(draw, (n - 1) / length) * length;
    return put(t->ids[draw->split] + at, length, batch, b);
}

enum { STEPS = 64, LONGEST_LINE = 256 }; /* lengths of a training sequence */
enum { BATCH = 32, EPOCHS = 15, FEWEST_STEPS = 300, MOST_STEPS = 6000 };

/* Returns the number of updates of a training run. A small text gets fewer, because a model
 * memorises a text that it sees too often. */
static int default_steps(const Text *t, int length)
{
    const int split = SPLIT_TRAIN;
    const int sequences = t->by_line ? t->lines[split] : t->n[split] / length;
    const int64_t steps = (int64_t)EPOCHS * sequences / BATCH;
    return steps < FEWEST_STEPS ? FEWEST_STEPS : steps > MOST_STEPS ? MOST_STEPS : (int)steps;
}

static Task task_of(Text *t, int length)
{
    const int V = t->tokens.size, train = t->n[SPLIT_TRAIN], valid = t->n[SPLIT_VALID];
    return (Task){
        .name = t->by_line ? "lines" : "text",
        .about = t->by_line ? "a list, one item a line" : "running text",
        .vocab = V,
        .outputs = V,
        .length = length,
        .shortest = 1,
        .longest = t->by_line ? 0 : (train < valid ? train : valid) - 1,
        .steps = default_steps(t, length),
        .batch = BATCH,
        .lr = 2e-3,
        .metric = tokenizer_metric(&t->tokens),
        .loss_chance = log(V), /* eq 0.1 */
        .loss_perfect = NAN,
        .metric_chance = log2(V),
        .metric_perfect = NAN,
        .lengths = {length},
        .n_lengths = 1,
        .draw = t->by_line ? draw_line : draw_crop,
        .items = t->by_line ? lines_of : NULL,
        .item_length = t->by_line ? length_of_line : NULL,
        .self = t,
    };
}

/* Learns the tokenizer. A word must occur twice to get an id, so that training has some UNK. With the
 * unit bpe, END_OF_TEXT in the text separates documents. */
static Tokenizer learn(const Bytes *text, const char *unit, int limit)
{
    const TokenKind *kind = token_kind(unit);
    CHECK(kind, "text_open: unit \"%s\"", unit);
    const int least = strcmp(unit, "word") == 0 ? 2 : 1;
    TokenLearner l = learner_new(kind, TOKENS_STREAM);
    if (kind == token_kind("bpe") &&
        memmem(text->data, text->len, END_OF_TEXT, strlen(END_OF_TEXT)))
        l.separator = END_OF_TEXT;
    learner_add(&l, text->data, text->len);
    return learner_end(&l, least, limit);
}

/* Makes the tokenizer: the given one, or one that is learned from the training text. */
static Tokenizer make_tokens(const Tokenizer *given, const Bytes *train, const char *unit,
                             int limit, bool by_line)
{
    Tokenizer t = given ? tokenizer_copy(given) : learn(train, unit, limit);
    if (t.bpe) bpe_decide(&t, train->data, train->len);
    t.by_line = by_line;
    return t;
}

static bool knows_any(const Text *t, const char *path, Error *err)
{
    if (t->tokens.size > 1) return true;
    return tokenizer_of_words(&t->tokens)
               ? error_set(err, "%s: no word occurs twice; give a longer text", path)
               : error_set(err,
                           "%s: the text has no character: all its bytes are 0 or not UTF-8; "
                           "convert it, or train with "
                           "--unit byte",
                           path);
}

bool text_open(Text *text, Task *task, const char *path, const char *valid, const char *unit,
               int limit, bool by_line, double heldout, int length, const Tokenizer *given,
               Error *err)
{
    CHECK(length >= 0 && heldout > 0 && heldout < 1, "text_open: length %d, heldout %g", length,
          heldout);
    *text = (Text){.by_line = by_line};
    *task = (Task){0};
    TextPart part[2] = {0};
    if (!parts_read(path, valid, by_line, heldout, part, err)) return false;
    text->tokens = make_tokens(given, &part[SPLIT_TRAIN].text, unit, limit, by_line);
    bool ok =
        !by_line || tokenizer_id(&text->tokens, "\n") != text->tokens.unk ||
        error_set(err, "%s: the vocabulary has no newline, but every line ends with one", path);
    take_facts(text, part);
    int *at = ok ? encode(text, part) : NULL;
    if (ok && by_line) {
        const int longest = find_lines(text);
        if (length == 0) length = longest < LONGEST_LINE ? longest : LONGEST_LINE;
        text->length = length;
        count_cut(text);
    }
    if (length == 0) length = STEPS;
    if (ok) measure(text, &part[SPLIT_VALID].text, at);
    free(at), part_free(&part[0]), part_free(&part[1]);
    ok = ok && long_enough(text, path, length, err);
    ok = ok && knows_any(text, path, err);
    text->ids[SPLIT_TEST] = text->ids[SPLIT_VALID];
    text->n[SPLIT_TEST] = text->n[SPLIT_VALID];
    text->start[SPLIT_TEST] = text->start[SPLIT_VALID];
    text->lines[SPLIT_TEST] = text->lines[SPLIT_VALID];
    if (ok)
        *task = task_of(text, length);
    else
        text_close(text);
    return ok;
}

void text_of_tokens(Text *text, Task *task, const Tokenizer *tokens, bool by_line, int length)
{
    *text = (Text){.by_line = by_line, .tokens = tokenizer_copy(tokens)};
    text->tokens.by_line = by_line;
    *task = task_of(text, length ? length : STEPS);
    task->longest = 0;
}

void text_close(Text *text)
{
    for (int s = SPLIT_TRAIN; s <= SPLIT_VALID; s++) {
        free(text->ids[s]), free(text->start[s]);
        input_faults_free(&text->faults[s]);
    }
    tokenizer_free(&text->tokens);
    *text = (Text){0};
}

double text_unknown(const Text *t, Split split)
{
    const int k = split == SPLIT_TRAIN ? SPLIT_TRAIN : SPLIT_VALID;
    return t->n[k] ? (double)t->unknown[k] / t->n[k] : 0;
}

int text_outcomes(const Text *t, int *first)
{
    const bool unknown = t->unknown[SPLIT_TRAIN] || t->unknown[SPLIT_VALID];
    *first = unknown || tokenizer_of_words(&t->tokens) ? 0 : t->tokens.first;
    return t->tokens.size - *first;
}
