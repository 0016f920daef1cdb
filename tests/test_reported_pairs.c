/* Every number that eval reports about pairs, against plain arithmetic: the loss and the accuracies by the
 * decoder, fed the true target token by token; exact match, character errors and what never counts as right. */
#include "reported_help.h"

#include "programs/translate.h"
#include "seq2seq_attention/decoder.h"
#include "transformer/cache.h"

enum { TRIALS = 24 };

typedef struct {
    TempDir dir;
    char path[160];
    EvalConfig config;
    Evaluator e;
    Params ps;
    Seq2seq seq2seq;
    Seq2seqDecoder decoder;
    Transformer transformer;
    TransformerCache cache;
    Model model;
    Translator translator;
} Trial;

/* Writes pairs of random words. Every fifth target is a word that occurs once, or the text "<unk>". */
static void write_pairs(const char *path, Rng *rng)
{
    static const char *const word[] = {"a", "b",    "가",    "e\u0301t", "나다", "The",
                                       ".", "漢字", "<eos>", "<pad>",    "x",    "\xFF"};
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 120; i++) {
        for (int side = 0; side < 2; side++) {
            const int words = 1 + rng_below(rng, 5);
            for (int k = 0; k < words; k++) fprintf(f, "%s ", word[rng_below(rng, LEN(word))]);
            if (side == 0) fprintf(f, "w%d\t", i);
        }
        if (i % 10 == 0) fputs(i % 20 ? "<unk>" : "<unk> a", f);
        if (i % 10 == 5) fprintf(f, "%szz%d", i % 20 > 9 ? "a " : "", i);
        fputc('\n', f);
    }
    ck_assert_int_eq(fclose(f), 0);
}

static void make_model(Trial *t, bool attention_only)
{
    const Task *task = &t->e.data.task;
    t->ps = params_init(4);
    if (!attention_only) {
        Seq2seqConfig c = seq2seq_defaults();
        c.layers = 1, c.channels = 5, c.hidden = 6;
        t->seq2seq = seq2seq_init(&t->ps, &c, task);
        t->model = seq2seq_model(&t->seq2seq);
        t->decoder = seq2seq_decoder_init(&t->seq2seq);
        t->translator = seq2seq_decoder_translator(&t->decoder);
        return;
    }
    TransformerConfig c = transformer_defaults();
    c.layers = 1, c.channels = 8, c.heads = 2, c.ffn = 12;
    t->transformer = transformer_init(&t->ps, &c, task);
    t->model = transformer_model(&t->transformer);
    t->cache = transformer_cache_init(&t->transformer);
    t->translator = transformer_cache_translator(&t->cache);
}

static Trial *trial_new(int i)
{
    static const char *const units[] = {"word", "char", "byte", "jamo"};
    static const Usage usage = {.program = "test/eval"};
    Trial *t = xcalloc(1, sizeof *t);
    Error err;
    Rng rng = rng_make(12, RNG_TEST, (uint32_t)i);
    t->dir = temp_dir();
    temp_name(&t->dir, "pairs.tsv", t->path);
    write_pairs(t->path, &rng);
    t->config = eval_defaults();
    t->config.json = true, t->config.of_pairs = true;
    t->config.examples = i % 3 ? 1000 : 5; /* all test pairs, or the first of them */
    t->e = (Evaluator){.config = &t->config, .usage = &usage, .run = data_defaults()};
    t->e.run.of_pairs = true;
    t->e.run.pairs.file = t->path;
    t->e.run.pairs.unit = units[i % 4];
    t->e.run.pairs.vocab_limit = i / 8 % 3 == 2 ? 4 : 0;
    t->e.run.pairs.heldout = 0.3;
    ck_assert_msg(data_open(&t->e.data, &t->e.run, NULL, &err), "%d: %s", i, err.text);
    make_model(t, i / 4 % 2);
    return t;
}

static void trial_free(Trial *t, bool attention_only)
{
    if (attention_only)
        transformer_cache_free(&t->cache);
    else
        seq2seq_decoder_free(&t->decoder);
    params_free(&t->ps);
    data_close(&t->e.data);
    remove_tree(t->dir.path);
    free(t);
}

typedef struct {
    double loss, tokens, hits, right;
} Sums;

/* Adds a pair whose target is fed to the decoder. A target UNK is never a hit. */
static void add_pair(const Trial *t, const Pair *p, Sums *sums)
{
    const Decoder *d = &t->translator.decoder;
    const int parent = 0;
    real *z = xmalloc((size_t)d->vocab * sizeof *z);
    bool right = true;
    t->translator.read(t->translator.self, p->source, p->n_source);
    for (int k = 0, best; k <= p->n_target; k++) {
        const int before = k ? p->target[k - 1] : BOS, y = k < p->n_target ? p->target[k] : EOS;
        d->step(d->self, 1, &parent, &before, z);
        sums->loss += plain_nats(z, d->vocab, y, &best);
        sums->tokens++;
        const bool hit = best == y && y != t->e.data.pairs.target.unk;
        sums->hits += hit;
        right = right && hit;
    }
    sums->right += right;
    free(z);
}

static void check_trial(int i)
{
    Trial *t = trial_new(i);
    const Pairs *p = &t->e.data.pairs;
    const int there = pairs_items(p, SPLIT_TEST);
    const int n = there < t->config.examples ? there : t->config.examples, V = p->target.size;
    Sums sums = {0};
    for (int k = 0; k < n; k++) add_pair(t, pairs_item(p, SPLIT_TEST, k), &sums);
    json_t *o = report_json(&t->e, &t->model, &t->ps, &t->dir);
    ck_number(o, "examples", n, 0);
    ck_number(o, "tokens", sums.tokens, 0);
    ck_number(o, "loss", sums.loss / sums.tokens, 1e-5);
    ck_number(o, "perplexity", exp(sums.loss / sums.tokens), 1e-5);
    ck_number(o, "value", sums.hits / sums.tokens, 1e-8);
    ck_number(o, "sequence_accuracy", sums.right / n, 1e-8);
    ck_number(o, "loss_chance", log(V), 1e-8);
    ck_number(o, "chance", 1. / V, 1e-8);
    json_decref(o);
    trial_free(t, i / 4 % 2);
}

START_TEST(numbers_of_pairs)
{
    for (int i = 0; i < TRIALS; i++) check_trial(i);
}
END_TEST

/* --- a model that always predicts the same ------------------------------------------------------------- */

typedef struct {
    int vocab, likeliest, steps;
} Stubborn;

/* The likeliest token at the first step, then EOS. */
static void stubborn_step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Stubborn *s = self;
    ck_assert(n == 1 && *parent == 0);
    s->steps = *token == BOS ? 0 : s->steps + 1;
    for (int k = 0; k < s->vocab; k++) logits[k] = k == (s->steps ? EOS : s->likeliest) ? 50 : 0;
}

static void stubborn_read(void *self, const int *source, int S)
{
    (void)self;
    ck_assert(source && S >= 1);
}

static Tensor *stubborn_forward(Tape *tp, const void *self, const Batch *b, real *state, Rng *rng)
{
    const Stubborn *s = self;
    (void)state, (void)rng;
    Tensor *z = tape_tensor(tp, SHAPE(b->T, b->B, s->vocab));
    for (int i = 0; i < b->T * b->B; i++)
        for (int k = 0; k < s->vocab; k++)
            z->data[i * s->vocab + k] = k == (i < b->B ? s->likeliest : EOS) ? 50 : 0;
    return z;
}

/* Every target is a word of its own, or the text "<unk>": the model that predicts UNK has the lowest loss, and
 * nothing of it is right. */
START_TEST(unknown_is_never_right)
{
    for (int literal = 0; literal < 2; literal++) {
        static const Usage usage = {.program = "test/eval"};
        const TempDir dir = temp_dir();
        char path[160];
        temp_name(&dir, "pairs.tsv", path);
        FILE *f = fopen(path, "w");
        for (int i = 0; i < 100; i++)
            literal &&i % 2 ? fprintf(f, "k k%d\t<unk>\n", i) : fprintf(f, "k k%d\tu%d\n", i, i);
        ck_assert_int_eq(fclose(f), 0);
        Error err;
        EvalConfig c = eval_defaults();
        c.json = true, c.of_pairs = true;
        Evaluator e = {.config = &c, .usage = &usage, .run = data_defaults()};
        e.run.of_pairs = true, e.run.pairs.file = path;
        ck_assert_msg(data_open(&e.data, &e.run, NULL, &err), "%s", err.text);
        Stubborn s = {.vocab = e.data.task.outputs, .likeliest = UNK};
        const Model m = {.self = &s, .name = "stubborn", .forward = stubborn_forward};
        const Translator t = {.self = &s,
                              .read = stubborn_read,
                              .decoder = {.self = &s,
                                          .vocab = s.vocab,
                                          .bos = BOS,
                                          .eos = EOS,
                                          .pad = PAD,
                                          .unk = -1, /* a decoder that may write UNK */
                                          .step = stubborn_step}};
        const TranslateConfig how = translate_defaults();
        Params ps = params_init(1);
        translate_heldout(&e, &t, &how);
        json_t *o = report_json(&e, &m, &ps, &dir);
        ck_number(o, "value", 0.5, 1e-12); /* every EOS is right */
        ck_number(o, "sequence_accuracy", 0, 0);
        ck_number(o, "exact", 0, 0);
        json_decref(o), json_decref(e.extra);
        params_free(&ps), data_close(&e.data);
        remove_tree(dir.path);
    }
}
END_TEST

SUITE("reported_pairs", TESTS(numbers_of_pairs, unknown_is_never_right), NO_ABORTS)
