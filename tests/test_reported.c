/* Every number that eval reports about a text, against a few lines of plain arithmetic: the model's own predictions
 * token by token, counts by comparison with every position, bytes by the length of prefixes. */
#include "reported_help.h"

#include "lstm_gru/gated.h"
#include "models/model_decoder.h"
#include "rnn/rnn.h"
#include "transformer/transformer.h"

enum { TRIALS = 90, UNITS = 5, MODELS = 3 };

typedef struct {
    TempDir dir;
    char text[160], valid[160], *part; /* part: the held-out text as it is encoded */
    size_t part_len;
    EvalConfig config;
    Evaluator e;
    Params ps;
    Rnn rnn;
    Gated gated;
    Transformer transformer;
    Model model;
} Trial;

static void make_model(Trial *t, int kind)
{
    const Task *task = &t->e.data.task;
    t->ps = params_init(3);
    if (kind == 0) {
        const RnnConfig c = {.layers = 1, .channels = 4, .hidden = 6};
        t->rnn = rnn_init(&t->ps, &c, task);
        t->model = rnn_model(&t->rnn);
    } else if (kind == 1) {
        GatedConfig c = gated_defaults();
        c.layers = 2, c.channels = 4, c.hidden = 5;
        t->gated = gated_init(&t->ps, &c, task);
        t->model = gated_model(&t->gated);
    } else {
        TransformerConfig c = transformer_defaults();
        c.layers = 1, c.channels = 8, c.heads = 2, c.ffn = 12;
        t->transformer = transformer_init(&t->ps, &c, task);
        t->model = transformer_model(&t->transformer);
    }
}

/* The held-out text of a --valid file as the tokenizer reads it. */
static void read_part(Trial *t, bool lines)
{
    Error err;
    char *file;
    size_t len;
    ck_assert_msg(file_read(t->valid, 1 << 20, &file, &len, &err), "%s", err.text);
    t->part = xmalloc(len + 2);
    t->part_len = 0;
    if (lines) t->part[t->part_len++] = '\n';
    for (size_t at = 0, end; at < len; at = end + 1) {
        for (end = at; end < len && file[end] != '\n'; end++) continue;
        size_t n = end - at;
        if (lines && n && file[at + n - 1] == '\r') n--;
        if (lines && n == 0) continue;
        memcpy(t->part + t->part_len, file + at, n);
        t->part_len += n;
        if (lines || end < len) t->part[t->part_len++] = '\n';
    }
    free(file);
}

static Trial *trial_new(int i)
{
    static const char *const units[] = {"char", "byte", "word", "jamo", "bpe"};
    Trial *t = xcalloc(1, sizeof *t);
    Error err;
    Rng rng = rng_make(11, RNG_TEST, (uint32_t)i);
    const bool lines = i / UNITS % 2, cut = i / 3 % 2;
    t->dir = temp_dir();
    temp_name(&t->dir, "text", t->text), temp_name(&t->dir, "valid", t->valid);
    write_random(t->text, 300, cut, &rng);
    write_random(t->valid, 150 + rng_below(&rng, 100), cut, &rng);
    t->config = eval_defaults();
    t->config.json = true, t->config.samples = 0;
    static const Usage usage = {.program = "test/eval"};
    t->e = (Evaluator){.config = &t->config, .usage = &usage, .run = data_defaults()};
    DataConfig *c = &t->e.run;
    c->text = t->text, c->valid = t->valid, c->unit = units[i % UNITS], c->lines = lines;
    c->seq_len = lines ? (cut ? 3 : 1000) : 7;
    c->vocab_size = 300;
    if (i / 30 == 2) c->vocab_limit = 5;             /* many tokens are unknown */
    if (lines && c->vocab_limit) c->vocab_limit = 9; /* the newline is known */
    ck_assert_msg(data_open(&t->e.data, c, NULL, &err), "%d: %s", i, err.text);
    t->e.data.streams = 1; /* as evaluator_open */
    make_model(t, i / 10 % MODELS);
    read_part(t, lines);
    return t;
}

static void trial_free(Trial *t)
{
    params_free(&t->ps);
    data_close(&t->e.data);
    remove_tree(t->dir.path);
    free(t->part), free(t);
}

/* --- plain arithmetic -------------------------------------------------------------------------------- */

/* The offset where token k of the held-out text begins: the longest prefix of at most k tokens; of bpe, the
 * bytes of the tokens before. */
static size_t begin_of(const Trial *t, int k)
{
    const Tokenizer *v = &t->e.data.text.tokens;
    const bool bytes = v->kind == token_kind("byte");
    size_t begin = 0;
    for (int i = 0; v->bpe && i < k; i++) {
        size_t len;
        free(tokenizer_decode(v, t->e.data.text.ids[SPLIT_TEST] + i, 1, &len));
        begin += len;
    }
    if (v->bpe) return begin;
    for (size_t p = t->part_len;; p--) {
        const bool within = p < t->part_len && (t->part[p] & 0xC0) == 0x80; /* a character */
        if (within && !bytes) continue;
        const Encoding e = tokenizer_encode(&t->e.data.text.tokens, t->part, p);
        free(e.ids);
        if (e.n <= k) return p;
    }
}

/* One of the sequences that the held-out text is scored in: ids[at] is read first, then `steps` targets. */
typedef struct {
    int at, steps;
} Piece;

/* Returns the number of pieces of the held-out text: lines, windows, or the whole text. */
static int pieces_of(const Trial *t, Piece *piece)
{
    const Text *text = &t->e.data.text;
    const int *ids = text->ids[SPLIT_TEST], n = text->n[SPLIT_TEST], most = t->e.run.seq_len;
    const int newline = tokenizer_id(&text->tokens, "\n");
    int pieces = 0;
    if (!text->by_line) {
        const int window = t->model.state_size ? n : most;
        for (int at = 0; at < n - 1; at += window)
            piece[pieces++] = (Piece){at, at + window < n ? window : n - 1 - at};
        return pieces;
    }
    for (int at = 0, next; at < n - 1; at = next) {
        for (next = at + 1; ids[next] != newline; next++) continue;
        piece[pieces++] = (Piece){at, next - at < most ? next - at : most};
    }
    return pieces;
}

/* The sum of -log p of the tokens of the pieces, by the model's decoder. */
static double plain_loss(const Trial *t, const Piece *piece, int pieces)
{
    const Text *text = &t->e.data.text;
    const int V = text->tokens.size, *ids = text->ids[SPLIT_TEST], parent = 0;
    real *z = xmalloc((size_t)V * sizeof *z);
    double sum = 0;
    for (int i = 0; i < pieces; i++) {
        Decoder d = model_decoder(&t->model, V);
        for (int k = 0, best; k < piece[i].steps; k++) {
            const int *token = ids + piece[i].at + k;
            k ? d.step(d.self, 1, &parent, token, z) : d.start(d.self, 1, token, z);
            sum += plain_nats(z, V, token[1], &best);
        }
        d.close(d.self);
    }
    free(z);
    return sum;
}

static int padded(const int *ids, int at, int pad)
{
    return at < 0 ? pad : ids[at];
}

/* The loss of an n-gram by comparing every scored token with every position of the training text. Nothing comes
 * before the first line, so its newline is a context only. */
static double plain_ngram(const Trial *t, const Piece *piece, int pieces, int n)
{
    const Text *text = &t->e.data.text;
    const int *a = text->ids[SPLIT_TRAIN] + text->by_line,
              len = text->n[SPLIT_TRAIN] - text->by_line;
    const int *b = text->ids[SPLIT_TEST], pad = tokenizer_id(&text->tokens, "\n");
    const bool unknown =
        text->unknown[0] + text->unknown[1] > 0 || tokenizer_of_words(&text->tokens);
    const int V = text->tokens.size - (!unknown && text->tokens.unk >= 0);
    double sum = 0, scored = 0;
    for (int i = 0; i < pieces; i++)
        for (int at = piece[i].at + 1; at <= piece[i].at + piece[i].steps; at++, scored++) {
            int count = 0, total = 0;
            for (int k = 0; k < len; k++) {
                bool same = true;
                for (int j = 1; j < n && same; j++)
                    same = padded(a, k - j, pad) == padded(b, at - j, pad);
                total += same, count += same && a[k] == b[at];
            }
            sum -= log((count + 0.1) / (total + 0.1 * V));
        }
    return sum / scored;
}

/* --- the tests --------------------------------------------------------------------------------------- */

static void check_trial(int i)
{
    Trial *t = trial_new(i);
    const Text *text = &t->e.data.text;
    Piece *piece = xmalloc((size_t)text->n[SPLIT_TEST] * sizeof *piece);
    const int pieces = pieces_of(t, piece), V = text->tokens.size;
    int64_t scored = 0, bytes = 0;
    for (int k = 0; k < pieces; k++) {
        scored += piece[k].steps;
        bytes +=
            (int64_t)(begin_of(t, piece[k].at + piece[k].steps + 1) - begin_of(t, piece[k].at + 1));
    }
    const double loss = plain_loss(t, piece, pieces) / (double)scored;
    json_t *o = report_json(&t->e, &t->model, &t->ps, &t->dir);
    ck_number(o, "tokens", (double)scored, 0);
    ck_number(o, "loss", loss, 1e-5);
    ck_number(o, "perplexity", exp(loss), 1e-5);
    ck_number(o, "value", loss / log(2), 1e-5);
    ck_number(o, "bits_per_byte", loss * (double)scored / log(2) / (double)bytes, 1e-5);
    ck_number(o, "loss_chance", log(V), 1e-8);
    ck_number(o, "chance", log2(V), 1e-8);
    ck_number(o, "unknown", (double)text->unknown[1] / text->n[1], 1e-8);
    double least = INFINITY;
    for (int n = 1; n <= 4; n++) least = fmin(least, plain_ngram(t, piece, pieces, n));
    ck_number(o, "ngram_loss", least, 1e-8);
    json_decref(o);
    free(piece);
    trial_free(t);
}

START_TEST(numbers_of_texts)
{
    for (int i = 0; i < TRIALS; i++) check_trial(i);
}
END_TEST

/* Without cuts every byte of a list is scored, except the newline before its first line. */
START_TEST(all_bytes_of_a_list)
{
    for (int i = UNITS; i < UNITS + 5; i++) {
        Trial *t = trial_new(i);
        const Text *text = &t->e.data.text;
        if (!text->cut[SPLIT_VALID].lines && !tokenizer_of_words(&text->tokens))
            ck_assert_int_eq(t->e.data.text.scored_bytes, (int64_t)t->part_len - 1);
        trial_free(t);
    }
}
END_TEST

SUITE("reported", TESTS(numbers_of_texts, all_bytes_of_a_list), NO_ABORTS)
