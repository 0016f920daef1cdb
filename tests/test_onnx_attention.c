/* Attention against ONNX's test vectors of its operator Attention. Skipped without the vectors.
 *
 * ONNX's q, k, v are (B,H,T,D), or (B,T,C) like ours. Options that our op lacks are expressed by its
 * inputs: another scale by larger queries; past keys by one sequence of past and present. A mask that is
 * added to the scores becomes T more columns: e_ts + m_ts = (q_t, unit vector t) . (k_s, column s of m).
 * ONNX's causal mask lets step t see s <= t even if S > T. Left out: softcap, c tanh(e / c) in place of e,
 * which belongs to a later model. */
#include "onnx.h"
#include "ops/ops.h"

static const double TOLERANCE = 1e-5;

typedef struct {
    const char *name;
    int heads; /* of queries, if the axes do not say */
    bool causal;
    double scale;   /* 0: 1 / sqrt(D) */
    int mask, past; /* numbers of these inputs, past keys before past values; 0: none */
} Vector;

static const Vector vectors[] = {
    {"3d", 3, false, 0, 0, 0},
    {"3d_causal", 3, true, 0, 0, 0},
    {"4d", 0, false, 0, 0, 0},
    {"4d_causal", 0, true, 0, 0, 0},
    {"4d_scaled", 0, false, 0.01, 0, 0},
    {"4d_attn_mask", 0, false, 0, 3, 0},
    {"4d_gqa", 0, false, 0, 0, 0},
    {"4d_gqa_causal", 0, true, 0, 0, 0},
    {"4d_with_past_and_present", 0, false, 0, 3, 4},
    {"4d_gqa_with_past_and_present", 0, false, 0, 3, 4},
};

/* Reads a tensor of a test vector as (B,H,T,D); NULL if there is no such file. */
typedef struct {
    int H, T, D;
    bool apart; /* heads have their own axis */
    OnnxTensor *of;
} Theirs;

static Theirs theirs(const Vector *v, const char *which, int i)
{
    char name[128];
    snprintf(name, sizeof name, "vectors/onnx/test_attention_%s/test_data_set_0/%s_%d.pb", v->name,
             which, i);
    const char *path = data_path(name);
    if (!path) return (Theirs){0};
    static unsigned char bytes[4 * ONNX_MOST_VALUES + 256];
    FILE *f = fopen(path, "rb");
    ck_assert(f != NULL);
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    OnnxTensor *t = xmalloc(sizeof *t);
    ck_assert_msg(size < sizeof bytes && onnx_parse(t, bytes, size), "%s is not a tensor", path);
    if (t->axes == 4) return (Theirs){t->d[1], t->d[2], t->d[3], true, t};
    if (t->axes == 3) return (Theirs){v->heads, t->d[1], t->d[2] / v->heads, false, t};
    return (Theirs){1, t->d[0], t->d[1], false, t};
}

static real at(const Theirs *x, int b, int h, int t, int d)
{
    return (real)(x->apart ? x->of->value[((b * x->H + h) * x->T + t) * x->D + d]
                           : x->of->value[(b * x->T + t) * x->H * x->D + h * x->D + d]);
}

/* Joins past and present steps, whose numbers are *past and *now, to (B,T,H*width); the D columns of each
 * head are followed by zeros. */
static Tensor *ours(Tape *tp, const Theirs *past, const Theirs *now, int width)
{
    const int H = now->H, B = now->of->d[0], P = past->of ? past->T : 0, T = P + now->T;
    Tensor *x = tape_zeros(tp, SHAPE(B, T, H * width));
    for (int i = 0; i < B * T * H; i++) {
        const int b = i / H / T, t = i / H % T, h = i % H;
        for (int d = 0; d < now->D; d++)
            x->data[i * width + d] = t < P ? at(past, b, h, t, d) : at(now, b, h, t - P, d);
    }
    return x;
}

/* Writes the columns that add the mask m (T,S) to the scores, after the D columns of each head. */
static void add_mask(Tensor *q, Tensor *k, const Theirs *m, int D)
{
    const int T = m->T, S = m->D, width = D + T;
    const int H = q->shape.d[2] / width, kv_heads = k->shape.d[2] / width;
    for (int i = 0; i < q->len / width; i++) q->data[i * width + D + i / H % T] = 1;
    for (int i = 0; i < k->len / width; i++)
        for (int t = 0; t < T; t++) k->data[i * width + D + t] = at(m, 0, 0, t, i / kv_heads % S);
}

static Tensor *run(Tape *tp, const Vector *v, Theirs in[6])
{
    const int H = in[0].H, T = in[0].T, D = in[0].D, width = D + (v->mask ? T : 0);
    const Theirs none = {0};
    Tensor *q = ours(tp, &none, &in[0], width);
    Tensor *k = ours(tp, v->past ? &in[v->past] : &none, &in[1], width);
    Tensor *x = ours(tp, v->past ? &in[v->past + 1] : &none, &in[2], width);
    const int S = k->shape.d[1];
    const double scale = v->scale > 0 ? v->scale : 1 / sqrt(D);
    for (int i = 0; i < q->len; i++) q->data[i] *= (real)scale;
    if (v->mask) add_mask(q, k, &in[v->mask], D);
    for (int i = 0; i < q->len; i++) q->data[i] *= (real)sqrt(width);
    unsigned char *allowed = tape_save(tp, (size_t)T * S);
    for (int i = 0; i < T * S; i++) allowed[i] = i % S <= i / S;
    const AttentionMask mask = {.allowed = v->causal ? allowed : NULL};
    const AttentionOptions o = {.heads = H, .kv_heads = in[1].H, .mask = &mask};
    return op_attention_with(tp, q, k, x, &o);
}

static void check(const Vector *v, const Tensor *y, const Theirs *want)
{
    const int B = y->shape.d[0], T = y->shape.d[1], H = want->H, width = y->shape.d[2] / H;
    ck_assert_int_eq(want->of->n, B * T * H * want->D);
    for (int i = 0; i < want->of->n; i++) {
        const int d = i % want->D, h = i / want->D % H, t = i / want->D / H % T;
        const int b = i / want->D / H / T;
        const double got = (double)y->data[((b * T + t) * H + h) * width + d];
        ck_assert_msg(fabs(got - (double)at(want, b, h, t, d)) <= TOLERANCE,
                      "%s: y[%d][%d], head %d, [%d] is %.8g, not %.8g", v->name, b, t, h, d, got,
                      (double)at(want, b, h, t, d));
    }
}

START_TEST(attention_of_onnx)
{
    for (int i = 0; i < LEN(vectors); i++) {
        const Vector *v = &vectors[i];
        const int inputs = v->past ? v->past + 2 : v->mask ? v->mask + 1 : 3;
        Theirs in[6], want = theirs(v, "output", 0);
        if (!want.of) return;
        for (int j = 0; j < inputs; j++) in[j] = theirs(v, "input", j);
        Tape tp = {0};
        check(v, run(&tp, v, in), &want);
        tape_free(&tp);
        for (int j = 0; j < inputs; j++) free(in[j].of);
        free(want.of);
    }
}
END_TEST

SUITE("onnx_attention", TESTS(attention_of_onnx), NO_ABORTS)
