/* RMS normalisation and rotary positions against ONNX's test vectors. Skipped without the vectors.
 *
 * ONNX normalises over all axes from a given one on; ours normalises the last axis, into which these are
 * folded. ONNX's rotary positions have tables of cosines and sines, (B,T,D/2), one for each sequence; its x
 * is (B,H,T,D), or (B,T,H*D) like ours. */
#include "onnx.h"
#include "ops/ops.h"

static const double TOLERANCE = 1e-5;

/* Reads a tensor of a test vector; NULL if there is no such file. */
static OnnxTensor *theirs(const char *test, const char *which, int i)
{
    char name[128];
    snprintf(name, sizeof name, "vectors/onnx/test_%s/test_data_set_0/%s_%d.pb", test, which, i);
    const char *path = data_path(name);
    if (!path) return NULL;
    static unsigned char bytes[4 * ONNX_MOST_VALUES + 256];
    FILE *f = fopen(path, "rb");
    ck_assert(f != NULL);
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    OnnxTensor *t = xmalloc(sizeof *t);
    ck_assert_msg(size < sizeof bytes && onnx_parse(t, bytes, size), "%s is not a tensor", path);
    return t;
}

static void equal(const char *test, int i, real got, float want)
{
    ck_assert_msg(fabs((double)got - (double)want) <= TOLERANCE, "%s: y[%d] is %.8g, not %.8g",
                  test, i, (double)got, (double)want);
}

START_TEST(rms_normalization)
{
    static const struct {
        const char *name;
        int axis; /* the first normalised axis */
        double eps;
    } cases[] = {{"2d_axis0", 0, 1e-5},       {"2d_axis1", 1, 1e-5},
                 {"3d_axis0_epsilon", 0, .1}, {"3d_axis1_epsilon", 1, .1},
                 {"3d_axis2_epsilon", 2, .1}, {"4d_axis1", 1, 1e-5},
                 {"4d_axis3", 3, 1e-5},       {"default_axis", 3, 1e-5}};
    for (int i = 0; i < LEN(cases); i++) {
        char name[64];
        snprintf(name, sizeof name, "rms_normalization_%s", cases[i].name);
        OnnxTensor *x = theirs(name, "input", 0), *g, *want;
        if (!x) return;
        g = theirs(name, "input", 1), want = theirs(name, "output", 0);
        int C = 1;
        for (int a = cases[i].axis; a < x->axes; a++) C *= x->d[a];
        ck_assert_int_eq(g->n, C);
        Tape tp = {0};
        Tensor *in = tape_tensor(&tp, SHAPE(x->n / C, C)), *gain = tape_tensor(&tp, SHAPE(C));
        for (int j = 0; j < x->n; j++) in->data[j] = (real)x->value[j];
        for (int j = 0; j < C; j++) gain->data[j] = (real)g->value[j];
        const Tensor *y = op_rmsnorm(&tp, in, gain, (real)cases[i].eps);
        for (int j = 0; j < y->len; j++) equal(name, j, y->data[j], want->value[j]);
        tape_free(&tp);
        free(x), free(g), free(want);
    }
}
END_TEST

/* Checks sequence b of x (B,H,T,D) with its tables against the expected output. */
static void check_rotary(const char *name, const OnnxTensor *in[3], const OnnxTensor *want, int b,
                         bool halves)
{
    const OnnxTensor *x = in[0];
    const int H = x->d[1], T = x->d[2], D = x->d[3], half = in[1]->d[2];
    Tape tp = {0};
    Tensor *ours = tape_tensor(&tp, SHAPE(1, T, H * D));
    for (int i = 0; i < ours->len; i++) { /* (T,H,D) from (H,T,D) */
        const int t = i / D / H, h = i / D % H;
        ours->data[i] = (real)x->value[((b * H + h) * T + t) * D + i % D];
    }
    real *turn = tape_save(&tp, (size_t)T * half * 2 * sizeof *turn);
    for (int i = 0; i < T * half; i++) {
        turn[2 * i] = (real)in[1]->value[b * T * half + i];
        turn[2 * i + 1] = (real)in[2]->value[b * T * half + i];
    }
    const Rotary how = {.halves = halves, .columns = 2 * half, .turn = turn};
    const Tensor *y = op_rotary_with(&tp, ours, H, 0, &how);
    for (int i = 0; i < y->len; i++) {
        const int t = i / D / H, h = i / D % H;
        equal(name, i, y->data[i], want->value[((b * H + h) * T + t) * D + i % D]);
    }
    tape_free(&tp);
}

START_TEST(rotary_embedding)
{
    static const struct {
        const char *name;
        bool halves;
    } cases[] = {{"no_position_ids", true},
                 {"no_position_ids_interleaved", false},
                 {"no_position_ids_rotary_dim", true}};
    for (int i = 0; i < LEN(cases); i++) {
        char name[64];
        snprintf(name, sizeof name, "rotary_embedding_%s", cases[i].name);
        OnnxTensor *in[3], *want = theirs(name, "output", 0);
        if (!want) return;
        for (int j = 0; j < 3; j++) in[j] = theirs(name, "input", j);
        ck_assert_int_eq(in[0]->axes, 4);
        for (int b = 0; b < in[0]->d[0]; b++)
            check_rotary(name, (const OnnxTensor **)in, want, b, cases[i].halves);
        for (int j = 0; j < 3; j++) free(in[j]);
        free(want);
    }
}
END_TEST

SUITE("onnx_ops", TESTS(rms_normalization, rotary_embedding), NO_ABORTS)
