/* The cells against ONNX's test vectors of its operators RNN, LSTM and GRU: one layer, one direction, a
 * zero initial state. Skipped without the vectors.
 *
 * ONNX has x as (T,B,C), with layout = 1 as (B,T,C). Its matrices are transposed: w (1,kH,C), r (1,kH,H)
 * for our u, b (1,2kH) with the biases of inputs and states, p (1,3H). The order of gates is i o f c in an
 * LSTM and z r h in a GRU, that of peepholes i o f. No case sets linear_before_reset, so the GRU resets
 * before the product. */
#include "lstm_gru/gru.h"
#include "lstm_gru/lstm.h"
#include "onnx.h"
#include "math/parallel.h"
#include "rnn/rnn.h"

static const double TOLERANCE = 1e-5;

/* --- the reader of the files ----------------------------------------------------------------------- */

#define PARSE(t, ...)                                                                              \
    onnx_parse(t, (const unsigned char[]){__VA_ARGS__},                                            \
               sizeof((const unsigned char[]){__VA_ARGS__}))

/* Bytes such as 0x0a are keys: 8 * field + wire type. 0x3f800000 is 1.0, 0x40000000 is 2.0. */
START_TEST(reads_tensors)
{
    static OnnxTensor t;
    /* floats (1,2) as raw data, with a name that is skipped */
    ck_assert(PARSE(&t, 0x08, 1, 0x08, 2, 0x10, 1, 0x42, 1, 'X', 0x4a, 8, 0, 0, 0x80, 0x3f, 0, 0, 0,
                    0x40));
    ck_assert(t.axes == 2 && t.d[0] == 1 && t.d[1] == 2 && t.value[0] == 1 && t.value[1] == 2);
    /* packed axes; float_data packed, then one by one */
    ck_assert(PARSE(&t, 0x0a, 2, 2, 1, 0x10, 1, 0x22, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40));
    ck_assert(t.axes == 2 && t.d[0] == 2 && t.value[1] == 2);
    ck_assert(PARSE(&t, 0x08, 2, 0x10, 1, 0x25, 0, 0, 0x80, 0x3f, 0x25, 0, 0, 0, 0x40));
    ck_assert(t.axes == 1 && t.value[0] == 1 && t.value[1] == 2);
    /* int32_data packed and one by one (300 = 2 * 128 + 44; -1 is ten bytes), int32 as raw data */
    ck_assert(PARSE(&t, 0x08, 2, 0x10, 6, 0x2a, 3, 7, 0xac, 2));
    ck_assert(t.value[0] == 7 && t.value[1] == 300);
    ck_assert(PARSE(&t, 0x08, 2, 0x10, 6, 0x28, 7, 0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                    0xff, 0xff, 1));
    ck_assert(t.value[0] == 7 && t.value[1] == -1);
    ck_assert(PARSE(&t, 0x08, 1, 0x10, 6, 0x4a, 4, 5, 0, 0, 0));
    ck_assert(t.value[0] == 5);
}
END_TEST

START_TEST(refuses_what_is_none)
{
    static OnnxTensor t;
    const unsigned char good[] = {0x08, 1, 0x10, 1, 0x4a, 4, 0, 0, 0x80, 0x3f};
    ck_assert(onnx_parse(&t, good, sizeof good));
    for (size_t len = 0; len < sizeof good; len++) {
        unsigned char *part =
            xmalloc(len + 1); /* its own block, so sanitizers detect a read beyond it */
        unsigned char *exact = memcpy(part + 1, good, len);
        ck_assert(!onnx_parse(&t, exact, len));
        free(part);
    }
    ck_assert(!PARSE(&t, 0x08, 1, 0x10, 11, 0x4a, 4, 0, 0, 0x80, 0x3f));   /* double */
    ck_assert(!PARSE(&t, 0x08, 2, 0x10, 1, 0x4a, 4, 0, 0, 0x80, 0x3f));    /* too few */
    ck_assert(!PARSE(&t, 0x08, 1, 0x10, 1, 0x4a, 5, 0, 0, 0x80, 0x3f, 0)); /* a byte too many */
    ck_assert(!PARSE(&t, 0x08, 1, 0x10, 1, 0x4a, 0xff, 0xff, 0xff, 0xff, 0xf));  /* 4 GB */
    ck_assert(!PARSE(&t, 0x08, 1, 0x08, 1, 0x08, 1, 0x08, 1, 0x08, 1, 0x10, 1)); /* five axes */
    ck_assert(!PARSE(&t, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x10, 1));    /* a huge axis */
    ck_assert(!PARSE(&t, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    ck_assert(!PARSE(&t, 0x0b)); /* wire type 3 */
}
END_TEST

/* --- the vectors ----------------------------------------------------------------------------------- */

typedef enum { RNN, LSTM, GRU } Kind;

/* For each of our gates its number in ONNX's order. */
static const struct {
    int gates, theirs[4];
} order[] = {[RNN] = {1, {0}},           /* h            */
             [LSTM] = {4, {0, 2, 1, 3}}, /* i f o g of i o f c */
             [GRU] = {3, {1, 0, 2}}};    /* r z n of z r h     */

typedef struct {
    const char *name;
    Kind kind;
    bool batch_first; /* layout = 1 */
    bool has_all;     /* the outputs are all h and the last h, not only the last */
    int bias, p;      /* numbers of these inputs; 0: none */
} Vector;

static const Vector vectors[] = {
    {"simple_rnn_defaults", RNN, false, false, 0, 0},
    {"simple_rnn_with_initial_bias", RNN, false, false, 3, 0},
    {"simple_rnn_batchwise", RNN, true, true, 0, 0},
    {"lstm_defaults", LSTM, false, false, 0, 0},
    {"lstm_with_initial_bias", LSTM, false, false, 3, 0},
    /* inputs 4 to 6 are the lengths, which are all T, and zero states */
    {"lstm_with_peepholes", LSTM, false, false, 3, 7},
    {"lstm_batchwise", LSTM, true, true, 0, 0},
    {"gru_defaults", GRU, false, false, 0, 0},
    {"gru_with_initial_bias", GRU, false, false, 3, 0},
    {"gru_seq_length", GRU, false, false, 3, 0},
    {"gru_batchwise", GRU, true, true, 0, 0},
};

/* Reads a tensor of a test vector, such as "input" 0 or "output" 1; returns false if there is no such file. */
static bool read_tensor(const Vector *v, const char *which, int i, OnnxTensor *t)
{
    char name[128];
    snprintf(name, sizeof name, "vectors/onnx/test_%s/test_data_set_0/%s_%d.pb", v->name, which, i);
    const char *path = data_path(name);
    if (!path) return false;
    static unsigned char bytes[4 * ONNX_MOST_VALUES + 256];
    FILE *f = fopen(path, "rb");
    ck_assert(f != NULL);
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    ck_assert_msg(size < sizeof bytes && onnx_parse(t, bytes, size), "%s is not a tensor", path);
    return true;
}

static OnnxTensor *must_read(const Vector *v, const char *which, int i)
{
    OnnxTensor *t = xmalloc(sizeof *t);
    ck_assert_msg(read_tensor(v, which, i, t), "%s: %s %d is missing", v->name, which, i);
    return t;
}

/* Returns (1,kH,N) as (N,kH), with the gates in our order. */
static Tensor *permuted(Tape *tp, Kind kind, const OnnxTensor *from, int H, int N)
{
    const int k = order[kind].gates;
    ck_assert_int_eq(from->n, k * H * N);
    Tensor *t = tape_tensor(tp, SHAPE(N, k * H));
    for (int gate = 0; gate < k; gate++)
        for (int j = 0; j < H; j++)
            for (int i = 0; i < N; i++)
                t->data[i * k * H + gate * H + j] =
                    (real)from->value[(order[kind].theirs[gate] * H + j) * N + i];
    return t;
}

typedef struct {
    int T, B, C, H;
    Tensor *x, *w, *u, *b,
        *p; /* in our layout; without biases b is 0, without peepholes p is NULL */
} Problem;

static Tensor *biases(Tape *tp, const Vector *v, int H)
{
    Tensor *b = tape_zeros(tp, SHAPE(order[v->kind].gates * H));
    if (!v->bias) return b;
    OnnxTensor *t = must_read(v, "input", v->bias), half = *t;
    half.n = t->n / 2;
    const Tensor *of_x = permuted(tp, v->kind, &half, H, 1);
    memmove(half.value, t->value + half.n, (size_t)half.n * sizeof *half.value);
    const Tensor *of_h = permuted(tp, v->kind, &half, H, 1);
    for (int j = 0; j < b->len; j++) b->data[j] = of_x->data[j] + of_h->data[j];
    free(t);
    return b;
}

static Tensor *peepholes(Tape *tp, const Vector *v, int H)
{
    if (!v->p) return NULL;
    OnnxTensor *t = must_read(v, "input", v->p);
    ck_assert_int_eq(t->n, 3 * H);
    Tensor *p = tape_tensor(tp, SHAPE(3, H)); /* i f o from i o f */
    for (int gate = 0; gate < 3; gate++)
        for (int j = 0; j < H; j++)
            p->data[gate * H + j] = (real)t->value[order[LSTM].theirs[gate] * H + j];
    free(t);
    return p;
}

static Problem problem_of(Tape *tp, const Vector *v)
{
    OnnxTensor *x = must_read(v, "input", 0), *w = must_read(v, "input", 1);
    OnnxTensor *r = must_read(v, "input", 2);
    ck_assert(x->axes == 3 && w->axes == 3 && r->axes == 3 && w->d[0] == 1);
    Problem q = {.T = x->d[v->batch_first], .B = x->d[!v->batch_first], .C = x->d[2]};
    q.H = r->d[2];
    q.x = tape_tensor(tp, SHAPE(q.T, q.B, q.C));
    for (int t = 0; t < q.T; t++)
        for (int b = 0; b < q.B; b++)
            for (int i = 0; i < q.C; i++)
                q.x->data[(t * q.B + b) * q.C + i] =
                    (real)x->value[(v->batch_first ? b * q.T + t : t * q.B + b) * q.C + i];
    q.w = permuted(tp, v->kind, w, q.H, q.C);
    q.u = permuted(tp, v->kind, r, q.H, q.H);
    q.b = biases(tp, v, q.H);
    q.p = peepholes(tp, v, q.H);
    free(x), free(w), free(r);
    return q;
}

/* Returns all h (T,B,H), by the op over whole sequences. */
static Tensor *fused(Tape *tp, Kind kind, const Problem *q)
{
    Tensor *z = op_linear(tp, q->x, q->w, q->b), *zero = tape_zeros(tp, SHAPE(q->B, q->H));
    if (kind == RNN) return op_rnn(tp, sequence_of(z), zero, q->u);
    if (kind == LSTM) {
        const LstmLayer l = {.u = q->u, .H = q->H, .forget = true};
        return lstm_layer(tp, &l, sequence_of(z), &(LstmState){.h = zero, .c = zero});
    }
    const GruLayer l = {.u = q->u, .H = q->H, .after = false};
    return gru_layer(tp, &l, sequence_of(z), &(GruState){.h = zero});
}

/* The same step by step. */
static Tensor *by_steps(Tape *tp, Kind kind, const Problem *q)
{
    Tensor **h = tape_save(tp, (size_t)q->T * sizeof *h), *zero = tape_zeros(tp, SHAPE(q->B, q->H));
    const RnnLayer rnn = {q->w, q->u, q->b};
    if (kind == RNN) return rnn_layer_steps(tp, &rnn, q->x, zero, h);
    const LstmLayer lstm = {q->w, q->u, q->b, .p = q->p, .H = q->H, .forget = true};
    const GruLayer gru = {q->w, q->u, q->b, .H = q->H, .after = false};
    LstmState a = {.h = zero, .c = zero};
    GruState b = {.h = zero};
    for (int t = 0; t < q->T; t++) {
        Tensor *x = op_rows(tp, q->x, t, 1);
        if (kind == LSTM)
            a = lstm_step(tp, &lstm, x, a);
        else
            b = gru_step(tp, &gru, x, b);
        h[t] = kind == LSTM ? a.h : b.h;
    }
    return op_stack(tp, h, q->T);
}

static void check_outputs(const Vector *v, const char *form, const Problem *q, const Tensor *h)
{
    const int BH = q->B * q->H;
    for (int out = 0; out < (v->has_all ? 2 : 1); out++) {
        OnnxTensor *want = must_read(v, "output", out);
        const bool all = v->has_all && out == 0; /* (B,T,1,H) */
        ck_assert_int_eq(want->n, all ? q->T * BH : BH);
        for (int i = 0; i < want->n; i++) {
            const int b = i / q->H / (all ? q->T : 1), j = i % q->H;
            const int t = all ? i / q->H % q->T : q->T - 1;
            const double got = (double)h->data[t * BH + b * q->H + j], y = (double)want->value[i];
            ck_assert_msg(fabs(got - y) <= TOLERANCE, "%s, %s, output %d: [%d] is %.8g, not %.8g",
                          v->name, form, out, i, got, y);
        }
        free(want);
    }
}

START_TEST(cells_of_onnx)
{
    static OnnxTensor there;
    if (!read_tensor(&vectors[0], "input", 0, &there)) return;
    parallel_init(1);
    for (int i = 0; i < LEN(vectors); i++) {
        const Vector *v = &vectors[i];
        Tape tp = {0};
        const Problem q = problem_of(&tp, v);
        check_outputs(v, "by steps", &q, by_steps(&tp, v->kind, &q));
        if (!q.p) check_outputs(v, "fused", &q, fused(&tp, v->kind, &q));
        tape_free(&tp);
    }
}
END_TEST

SUITE("onnx", TESTS(reads_tensors, refuses_what_is_none, cells_of_onnx), NO_ABORTS)
