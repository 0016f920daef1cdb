/* Evaluation of any model on a text: scores, scores of counting models, samples. The model here has
 * a state that counts the tokens read so far, and nothing else. */
#include "measure/ngram_level.h"
#include "models/evaluate.h"
#include "data/data.h"
#include "models/generate.h"
#include "measure/ngram.h"
#include "text_help.h"

enum { MOST = 64 };

typedef struct {
    int V, n, seen[MOST]; /* the n ids of the first sequence that it has read */
    int64_t read;         /* tokens in all batches before */
    bool even;            /* gives all tokens the same probability */
} Counter;

/* After n tokens the most likely id is 1 + n mod (V - 1): the ids in the order of the
 * vocabulary. */
static Tensor *count_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                             Rng *dropout)
{
    Counter *c = (Counter *)self;
    ck_assert(state && !dropout);
    Tensor *z = tape_zeros(tp, SHAPE(batch->T, batch->B, c->V));
    for (int t = 0; t < batch->T; t++)
        for (int b = 0; b < batch->B; b++) {
            state[b]++;
            if (b == 0 && c->n < MOST) c->seen[c->n++] = batch->x[t * batch->B];
            if (!c->even) z->data[(t * batch->B + b) * c->V + 1 + (int)state[b] % (c->V - 1)] = 50;
        }
    c->read += batch->T;
    for (int b = 0; b < batch->B; b++) ck_assert_int_eq((int)state[b], (int)c->read);
    return z;
}

static Model model_of(Counter *c)
{
    return (Model){.self = c, .name = "counter", .forward = count_forward, .state_size = 1};
}

/* A sample starts after a newline. An item of a list ends at the next newline; running text
 * continues. */
START_TEST(samples)
{
    static const struct {
        const char *prompt;
        bool line;
        const char *want;
        int fed;
    } c[] = {{NULL, false, "abc\nab\n", 7},
             {NULL, true, "abc\n", 4},
             {"cc", true, "ccc\n", 4},
             {"\xEA\xB0\x80", false,
              "\xEA\xB0\x80"
              "bc\nabc\n",
              8}};
    Tokenizer v = tokenizer_raw("\nabc", 4);
    for (int i = 0; i < LEN(c); i++) {
        Counter counter = {.V = v.size};
        const Model m = model_of(&counter);
        const Generation g = {.prompt = c[i].prompt, .length = 6, .line = c[i].line};
        char *text;
        size_t len;
        FILE *f = open_memstream(&text, &len);
        ck_assert_int_eq(generate(&m, &v, &g, 1, 0, f), i == 3);
        fclose(f);
        ck_assert_str_eq(text, c[i].want);
        ck_assert_int_eq(counter.seen[0], tokenizer_id(&v, "\n"));
        ck_assert_int_eq(counter.n, c[i].fed);
        free(text);
    }
    tokenizer_free(&v);
}
END_TEST

/* A model that gives almost all probability to UNK. */
static Tensor *unknown_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                               Rng *dropout)
{
    (void)state, (void)dropout;
    const real *logit = self; /* (4) of UNK, of newline, a and b */
    Tensor *z = tape_zeros(tp, SHAPE(batch->T, batch->B, 4));
    for (int i = 0; i < z->len; i++) z->data[i] = logit[i % 4];
    return z;
}

static int generate_from(const real logit[4], const Sampling *s, const char *unit, char **text)
{
    static const char *const symbols[] = {"\n", "a", "b"};
    Tokenizer v = tokenizer_of(token_kind(unit), TOKENS_STREAM, symbols, LEN(symbols));
    const Model m = {.self = logit, .forward = unknown_forward, .state_size = 1};
    const Generation g = {.length = 4000, .sampling = *s};
    size_t len;
    FILE *f = open_memstream(text, &len);
    const int unknown = generate(&m, &v, &g, 7, 0, f);
    fclose(f);
    tokenizer_free(&v);
    return unknown;
}

/* The unknown token is never drawn, whatever its probability; the others keep their ratios. */
START_TEST(unknown_is_never_drawn)
{
    static const real logit[4] = {20, -INFINITY, 1, 0};
    static const Sampling ways[] = {{.temperature = 0, .top_p = 1},
                                    {.temperature = 1, .top_p = 1},
                                    {.temperature = 1, .top_k = 1, .top_p = 1},
                                    {.temperature = 1, .top_p = 0.5},
                                    {.temperature = 100, .top_p = 1}};
    for (int i = 0; i < 2 * LEN(ways); i++) {
        const bool words = i % 2;
        char *text;
        ck_assert_int_eq(generate_from(logit, &ways[i / 2], words ? "word" : "char", &text), 0);
        int a = 0, b = 0;
        for (const char *c = text; *c; c++) {
            ck_assert_msg(strchr("ab\n ", *c) != NULL, "drawn: %.20s", c);
            a += *c == 'a', b += *c == 'b';
        }
        ck_assert_int_eq(a + b, 4000);
        if (i / 2 == 1) ck_assert_double_eq_tol(a / 4000., 0.7311, 0.04); /* 1 / (1 + exp(-1)) */
        free(text);
    }
}
END_TEST

/* Logits that are all NaN end the text, and the caller hears of it. */
START_TEST(no_finite_logit)
{
    static const real logit[4] = {0, (real)NAN, (real)NAN, -INFINITY};
    char *text;
    ck_assert_int_eq(generate_from(logit, &(Sampling){.temperature = 1, .top_p = 1}, "char", &text),
                     -1);
    ck_assert_str_eq(text, "\n");
    free(text);
}
END_TEST

/* Words are separated by spaces, also after a prompt. A prompt with unknown words is printed as it
 * was typed. */
START_TEST(text_of_words)
{
    static const char *const words[] = {"\n", "a", ".", "l'"};
    const struct {
        const char *prompt, *want;
    } c[] = {{NULL, "a. l'\na.\n"}, {"A A ", "a a l'\na. l'\n"}, {"A what ", "A what l'\na. l'\n"}};
    Tokenizer v = tokenizer_of(token_kind("word"), TOKENS_STREAM, words, LEN(words));
    for (int i = 0; i < LEN(c); i++) {
        Counter counter = {.V = v.size};
        const Model m = model_of(&counter);
        const Generation g = {.prompt = c[i].prompt, .length = 6 - (i > 0)};
        char *text;
        size_t len;
        FILE *f = open_memstream(&text, &len);
        ck_assert_int_eq(generate(&m, &v, &g, 1, 0, f), i == 2);
        fclose(f);
        ck_assert_str_eq(text, c[i].want);
        free(text);
    }
    tokenizer_free(&v);
}
END_TEST

static Data *open_data(const char *text)
{
    Data *d = xmalloc(sizeof *d);
    char *path = put_file("text", text, strlen(text));
    DataConfig c = data_defaults();
    c.text = path;
    ck_assert_msg(data_open(d, &c, NULL, &why), "%s", why.text);
    remove_file(path);
    return d;
}

static char *repeated(const char *s, int times)
{
    char *text = xcalloc(strlen(s) * (size_t)times + 1, 1);
    for (int i = 0; i < times; i++) strcat(text, s);
    return text;
}

/* Every token of a running text except the first is scored once, with carried state. */
START_TEST(running_text)
{
    char *text = repeated("abcd", 1500);
    Data *d = open_data(text);
    const int n = d->text.n[SPLIT_VALID];
    ck_assert_int_eq(n, 600);
    for (int streams = 0; streams <= 3; streams += 3) {
        Counter counter = {.V = d->task.outputs, .even = true};
        const Model m = model_of(&counter);
        Score s = {0};
        d->streams = streams;
        data_evaluate(d, &m, SPLIT_VALID, 0, 1, 0, &s);
        ck_assert_double_eq(s.scored, n - 1);
        if (streams == 0)
            ck_assert_int_eq((int)counter.read, n - 1); /* such a short text is one stream */
        ck_assert_double_eq_tol(s.loss / s.scored, log(5), 1e-6);
        ck_assert_double_eq_tol(data_metric(d, &s), log2(5), 1e-6);
    }
    free(text);
    data_close(d), free(d);
}
END_TEST

/* The baseline is the best of the counting models. This text has no unknown token, so none is an outcome. */
START_TEST(counting_models)
{
    char *text = repeated("abaabbab", 100);
    Data *d = open_data(text);
    const Text *t = &d->text;
    const NgramLevel best = ngram_level(d);
    double least = INFINITY;
    for (int n = 1; n <= 4; n++) {
        Ngram m = ngram_train(n, 1, 2, 0.1, t->ids[SPLIT_TRAIN], t->n[SPLIT_TRAIN], STREAM_UNK);
        double sum = 0; /* of all tokens except the first, as a network scores them */
        for (int i = 1; i < t->n[SPLIT_VALID]; i++)
            sum -= ngram_logp(&m, t->ids[SPLIT_VALID], i, STREAM_UNK);
        least = fmin(least, sum / (t->n[SPLIT_VALID] - 1));
        ngram_free(&m);
    }
    ck_assert_double_eq(best.loss, least);
    ck_assert_int_eq(best.n, 4);
    free(text);
    data_close(d), free(d);
}
END_TEST

/* A generated task refuses each option that does not apply to it. Options that apply to all data
 * are accepted, and tables accept all options. */
START_TEST(useless_options)
{
    static const char *const useless[] = {"unit", "vocab-limit", "max-words",
                                          "swap", "items",       "heldout"};
    static const struct {
        const char *task;
        bool or_task, drawn;
    } c[] = {{"sort", false, true},    {"copy", true, true},   {"recall", true, true},
             {"recall", false, false}, {"dates", true, false}, {"places", false, false}};
    for (int i = 0; i < LEN(c); i++)
        for (int k = 0; k <= LEN(useless); k++) {
            DataConfig config = data_defaults();
            config.of_pairs = true, config.or_task = c[i].or_task, config.pairs.task = c[i].task;
            Option option[] = {PAIRS_OPTIONS(&config.pairs)};
            const char *given = k < LEN(useless) ? useless[k] : "seq-len";
            args_find(option, LEN(option), given)->given = true;
            why = (Error){""};
            const bool fits = data_options_fit(&config, option, LEN(option), &why);
            ck_assert_msg(fits == !(c[i].drawn && k < LEN(useless)), "%s --%s", c[i].task, given);
            char want[64] = "";
            if (!fits)
                snprintf(want, sizeof want, "--%s does not apply to task %s", given, c[i].task);
            ck_assert_msg(strstr(why.text, want) == why.text, "%s, not %s", why.text, want);
        }
}
END_TEST

SUITE("data",
      TESTS(samples, unknown_is_never_drawn, no_finite_logit, text_of_words, running_text,
            counting_models, useless_options),
      NO_ABORTS)
