/* Models that others trained or published, where they are found: minGPT's sorter with every activation of a batch,
 * and a GPT-2 with random weights of which the greedy outputs are known. */
#include <jansson.h>

#include "gpt/weights.h"
#include "math/vecmath.h"
#include "models/model_decoder.h"
#include "suite.h"

/* --- minGPT's files: {"NAME": {"shape": [..], "data": base64 of float32}} --------------------------------- */

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return c && at ? (int)(at - digits) : 0;
}

/* Returns the values of a tensor; the caller frees them. */
static float *values(const json_t *file, const char *name, int *n)
{
    const char *text = json_string_value(json_object_get(json_object_get(file, name), "data"));
    ck_assert_msg(text, "the file has no %s", name);
    const size_t len = strlen(text);
    unsigned char *bytes = xmalloc(len / 4 * 3 + 4);
    for (size_t i = 0; i + 3 < len; i += 4) {
        const int bits = sextet(text[i]) << 18 | sextet(text[i + 1]) << 12 |
                         sextet(text[i + 2]) << 6 | sextet(text[i + 3]);
        for (int k = 0; k < 3; k++) bytes[i / 4 * 3 + k] = (unsigned char)(bits >> (16 - 8 * k));
    }
    *n = (int)((len / 4 * 3 - (text[len - 1] == '=') - (text[len - 2] == '=')) / sizeof(float));
    float *x = xmalloc(((size_t)*n + 1) * sizeof *x);
    memcpy(x, bytes, (size_t)*n * sizeof *x);
    free(bytes);
    return x;
}

static json_t *read_json(const char *name)
{
    const char *path = data_path(name);
    json_t *j = path ? json_load_file(path, 0, NULL) : NULL;
    ck_assert(!path || j);
    return j;
}

/* --- the sorter --------------------------------------------------------------------------------------------- */

enum { B = 3, T = 11, C = 48, H = 3, D = C / H, L = 3, V = 3, DIGITS = 6 };

/* Fills w (C,N) from columns first .. of theirs, which is nn.Linear's (N,C); a vector has C = 1. */
static void take(const json_t *file, const char *name, int first, Tensor *w)
{
    int n;
    float *theirs = values(file, name, &n);
    const int N = shape_last(w->shape), rows = w->len / N;
    ck_assert_int_ge(n, (first + N) * rows);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < N; j++) w->data[i * N + j] = (real)theirs[(first + j) * rows + i];
    free(theirs);
}

/* Fills a table, which is stored as ours is. */
static void take_table(const json_t *file, const char *name, Tensor *w)
{
    int n;
    float *theirs = values(file, name, &n);
    ck_assert_int_eq(n, w->len);
    for (int i = 0; i < n; i++) w->data[i] = (real)theirs[i];
    free(theirs);
}

static void take_linear(const json_t *file, const char *name, int first, const Linear *l)
{
    char weight[80], bias[80];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    take(file, weight, first, l->w);
    take(file, bias, first, l->b);
}

static void take_norm(const json_t *file, const char *name, const Norm *n)
{
    char weight[80], bias[80];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    take_table(file, weight, n->g);
    take_table(file, bias, n->b);
}

static void take_block(const json_t *file, int layer, const GptBlock *b)
{
    char name[64];
    const struct {
        const char *name;
        int first;
        const Linear *l;
    } linear[] = {{"attn.c_attn", 0, &b->q},     {"attn.c_attn", C, &b->k},
                  {"attn.c_attn", 2 * C, &b->v}, {"attn.c_proj", 0, &b->out},
                  {"mlp.c_fc", 0, &b->up},       {"mlp.c_proj", 0, &b->down}};
    for (int i = 0; i < LEN(linear); i++) {
        snprintf(name, sizeof name, "transformer.h.%d.%s", layer, linear[i].name);
        take_linear(file, name, linear[i].first, linear[i].l);
    }
    snprintf(name, sizeof name, "transformer.h.%d.ln_1", layer);
    take_norm(file, name, &b->norm1);
    snprintf(name, sizeof name, "transformer.h.%d.ln_2", layer);
    take_norm(file, name, &b->norm2);
}

static Gpt sorter(Params *ps, const json_t *file)
{
    GptConfig c = gpt_defaults();
    c.layers = L, c.channels = C, c.heads = H, c.context = T, c.tied = false;
    *ps = params_init(1);
    Gpt m = gpt_init(ps, &c, V);
    take_table(file, "transformer.wte.weight", m.word);
    take_table(file, "transformer.wpe.weight", m.position);
    for (int i = 0; i < L; i++) take_block(file, i, &m.block[i]);
    take_norm(file, "transformer.ln_f", &m.norm);
    take_table(file, "lm_head.weight", m.head);
    return m;
}

/* Compares an activation (B,T,N) with columns first .. of the file's (B,T,ld). */
static void ck_activation(const json_t *file, const char *name, int ld, int first, const Tensor *x)
{
    int n;
    float *want = values(file, name, &n);
    const int N = shape_last(x->shape), rows = x->len / N;
    ck_assert_int_eq(n, rows * ld);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < N; j++)
            ck_assert_msg(fabs((double)x->data[i * N + j] - (double)want[i * ld + first + j]) <=
                              1e-5,
                          "%s[%d][%d] is %.7g, theirs %.7g", name, i, j, (double)x->data[i * N + j],
                          (double)want[i * ld + first + j]);
    free(want);
}

/* Returns the output of the next op of that name on the tape. */
static Tensor *next(const Tape *tp, int *at, const char *name)
{
    while (*at < tp->n && strcmp(tp->node[*at]->name, name) != 0) ++*at;
    ck_assert_msg(*at < tp->n, "no op %s on the tape", name);
    return tp->node[(*at)++]->out;
}

static void ck_weights(const json_t *file, Tensor *q, Tensor *k, Tensor *v)
{
    Tape tp = {0};
    const real *weights;
    const AttentionMask mask = {.causal = true};
    op_attention(&tp, q, k, v, H, &mask, &weights);
    const Tensor p = {.shape = SHAPE(B * H * T, T), .len = B * H * T * T, .data = (real *)weights};
    ck_activation(file, "attSm", T, 0, &p);
    tape_free(&tp);
}

/* Checks every activation of the first block, the outputs of the others, the logits. */
static void ck_forward(const json_t *file, Tape *tp, const Gpt *m)
{
    int at = 0;
    ck_activation(file, "x", C, 0, next(tp, &at, "embed_sum"));
    Tensor *ln1 = next(tp, &at, "layernorm");
    ck_activation(file, "ln1", C, 0, ln1);
    Tensor *q = next(tp, &at, "linear"), *k = next(tp, &at, "linear"), *v = next(tp, &at, "linear");
    ck_activation(file, "qkv", 3 * C, 0, q);
    ck_activation(file, "qkv", 3 * C, C, k);
    ck_activation(file, "qkv", 3 * C, 2 * C, v);
    ck_weights(file, q, k, v);
    Tensor *y = next(tp, &at, "attention");
    ck_activation(file, "y", C, 0, y);
    const GptBlock *b = &m->block[0];
    ck_activation(file, "yProj", C, 0, linear(tp, &b->out, y));
    ck_activation(file, "attnResid", C, 0, next(tp, &at, "linear_add"));
    Tensor *ln2 = next(tp, &at, "layernorm");
    ck_activation(file, "ln2", C, 0, ln2);
    ck_activation(file, "fc", 4 * C, 0, linear(tp, &b->up, ln2));
    Tensor *h = next(tp, &at, "linear_gelu_tanh");
    ck_activation(file, "gelu", 4 * C, 0, h);
    ck_activation(file, "mlp", C, 0, linear(tp, &b->down, h));
    for (int i = 0; i < L; i++) {
        char name[16];
        if (i) next(tp, &at, "linear_add");
        snprintf(name, sizeof name, "block%d", i);
        ck_activation(file, name, C, 0, next(tp, &at, "linear_add"));
    }
    ck_activation(file, "ln_f", C, 0, next(tp, &at, "layernorm"));
    Tensor *z = next(tp, &at, "matmul_t");
    ck_activation(file, "lm_head", V, 0, z);
    ck_activation(file, "probs", V, 0, op_softmax(tp, z));
}

START_TEST(sorter_activations)
{
    json_t *file = read_json("checkpoints/gpt-nano-sort/gpt-nano-sort-model.json");
    json_t *partials = read_json("checkpoints/gpt-nano-sort/gpt-nano-sort-t0-partials.json");
    if (!file || !partials) return;
    Params ps;
    const Gpt m = sorter(&ps, file);
    const Model model = gpt_model(&m);
    Tape tp = {0};
    int n, x[B * T], y[B * T];
    float *ids = values(partials, "idx", &n);
    ck_assert_int_eq(n, B * T);
    for (int i = 0; i < n; i++) x[i] = (int)ids[i], y[i] = 0;
    const Batch batch = {.layout = BATCH_MAJOR, .T = T, .B = B, .x = x, .y = y};
    model.forward(&tp, model.self, &batch, NULL, NULL);
    ck_forward(partials, &tp, &m);
    free(ids);
    tape_free(&tp);
    params_free(&ps);
    json_decref(file), json_decref(partials);
}
END_TEST

#ifdef ARENA_POISON
enum { STRIDE = 9 }; /* under the sanitizers a ninth of the sequences */
#else
enum { STRIDE = 1 };
#endif

/* It sorts every sequence of six digits 0 .. 2, greedily and with the cache. */
START_TEST(sorter_sorts)
{
    json_t *file = read_json("checkpoints/gpt-nano-sort/gpt-nano-sort-model.json");
    if (!file) return;
    Params ps;
    const Gpt m = sorter(&ps, file);
    const Model model = gpt_model(&m);
    const Decoder d = model_decoder(&model, V);
    for (int i = 0; i < 729; i += STRIDE) {
        int digit[DIGITS], count[V] = {0}, rest = i;
        real z[V];
        for (int k = 0; k < DIGITS; k++, rest /= V) count[digit[k] = rest % V]++;
        d.start(d.self, DIGITS, digit, z);
        for (int k = 0; k < DIGITS; k++) {
            const int id = argmax(z, V);
            ck_assert_int_eq(id, k < count[0] ? 0 : k < count[0] + count[1] ? 1 : 2);
            if (k < DIGITS - 1) d.step(d.self, 1, &(int){0}, &id, z);
        }
    }
    d.close(d.self);
    params_free(&ps);
    json_decref(file);
}
END_TEST

/* --- the random GPT-2 -------------------------------------------------------------------------------------- */

START_TEST(random_gpt2)
{
    enum { VOCAB = 1000, LENGTH = 10 };
    static const int want[2][LENGTH] = {{0, 0, 0, 52, 204, 204, 204, 204, 204, 204},
                                        {0, 0, 195, 731, 731, 114, 114, 114, 114, 114}};
    const char *path = data_path("checkpoints/tiny-random-gpt2/model.safetensors");
    if (!path) return;
    GptConfig c = gpt_defaults();
    Error err;
    c.layers = 5, c.channels = 32, c.heads = 4, c.context = 512;
    Params ps = params_init(1);
    const Gpt m = gpt_init(&ps, &c, VOCAB);
    ck_assert_msg(gpt_import(path, &m, &ps, &err), "%s", err.text);
    const Model model = gpt_model(&m);
    const Decoder d = model_decoder(&model, VOCAB);
    for (int k = 0; k < 2; k++) {
        real z[VOCAB];
        d.start(d.self, 4, want[k], z);
        for (int t = 4; t < LENGTH; t++) {
            const int id = argmax(z, VOCAB);
            ck_assert_int_eq(id, want[k][t]);
            d.step(d.self, 1, &(int){0}, &id, z);
        }
    }
    d.close(d.self);
    params_free(&ps);
}
END_TEST

SUITE("gpt_oracles", TESTS(sorter_activations, sorter_sorts, random_gpt2), NO_ABORTS)
