/* Checks every op's backward pass against central differences. The table of all ops (table.h) gives
 * each op shapes that include axes of size 1.
 *
 * The loss is the output projected on a random vector. A plain sum would be blind to softmax and
 * layer normalisation, whose rows sum to a constant. */
#include "table.h"

/* --- running the table ------------------------------------------------------------------------ */

/* How the inputs are used. PLAIN: parameters. ALL_THE_SAME: one tensor for all inputs. TWICE: the
 * op runs twice, y = f + f. MADE: another op makes the inputs, so that the op may overwrite their
 * gradients. MADE_TWICE: both. */
typedef enum { PLAIN, ALL_THE_SAME, TWICE, MADE, MADE_TWICE, WAYS } Way;

typedef struct {
    const struct Row *row;
    Way way;
    Tensor *x[MAX_INPUTS];
    int n;
} Case;

static Tensor *projected(Tape *tp, void *arg)
{
    Case *c = arg;
    Tensor *x[MAX_INPUTS];
    for (int i = 0; i < c->n; i++) x[i] = c->x[c->way == ALL_THE_SAME ? 0 : i];
    for (int i = 0; i < c->n && c->way >= MADE; i++) x[i] = op_scale(tp, x[i], 1);
    Tensor *y = c->row->build(tp, x, c->n, c->row->arg);
    if (c->way == TWICE || c->way == MADE_TWICE)
        y = op_add(tp, y, c->row->build(tp, x, c->n, c->row->arg));
    Rng rng = rng_make(6, RNG_TEST, 0);
    real *r = tape_save(tp, (size_t)y->len * sizeof *r);
    for (int i = 0; i < y->len; i++) r[i] = rng_normal(&rng);
    return op_dot(tp, y, r);
}

/* Declares a parameter for each shape of a text like "2,3 3,4". Keeps all values at least 0.05 away
 * from 0, where relu has no derivative. Returns the number of parameters. */
static int make_inputs(Params *ps, const char *shapes, Tensor **x)
{
    int n = 0;
    for (const char *s = shapes; *s; s += *s == ' ') {
        Shape shape = {0};
        do {
            char *end;
            shape.d[shape.n++] = (int)strtol(s + (*s == ','), &end, 10);
            s = end;
        } while (*s == ',');
        x[n] = param(ps, shape, 1, "x%d", n);
        for (int i = 0; i < x[n]->len; i++) x[n]->data[i] += copysign(.05, x[n]->data[i]);
        n++;
    }
    return n;
}

/* Checks one row of the table with one set of shapes, in one way. `constant` is the input that is
 * frozen, or -1. */
static void check_case(const struct Row *row, const char *shapes, Way way, int constant,
                       double *largest)
{
    static const char *const ways[] = {"", ", all inputs the same", ", used twice", ", made",
                                       ", made, used twice"};
    Params ps = params_init(7);
    Case c = {.row = row, .way = way};
    c.n = make_inputs(&ps, shapes, c.x);
    bool same = c.n > 1;
    for (int i = 0; i < c.n; i++) same = same && shape_equal(c.x[i]->shape, c.x[0]->shape);
    if (way == ALL_THE_SAME && !same) goto out;

    if (constant >= 0) params_freeze(&ps, c.x[constant]->name);
    char what[128];
    snprintf(what, sizeof what, "%s %s (%d,%d,%d)%s%s", row->op, shapes, row->arg[0], row->arg[1],
             row->arg[2], ways[way], constant >= 0 ? ", one constant" : "");
    check_gradients(what, &ps, projected, &c, largest);
out:
    params_free(&ps);
}

static int inputs_of(const char *shapes)
{
    int n = 1;
    for (const char *s = shapes; *s; s++) n += *s == ' ';
    return n;
}

START_TEST(every_op)
{
    for (int i = 0; i < LEN(table); i++) {
        double largest[MAX_INPUTS] = {0};
        int inputs = 0;
        for (int k = 0; k < LEN(table[i].cases) && table[i].cases[k]; k++) {
            const char *shapes = table[i].cases[k];
            inputs = inputs_of(shapes);
            for (Way way = PLAIN; way < WAYS; way++)
                check_case(&table[i], shapes, way, -1, way == PLAIN ? largest : NULL);
            for (int j = 0; j < inputs && inputs > 1; j++)
                check_case(&table[i], shapes, PLAIN, j, NULL);
        }
        for (int j = 0; j < inputs; j++) /* the gradients compared were not all 0 */
            ck_assert_msg(largest[j] > .01, "%s: no gradient reached input %d", table[i].op, j);
    }
}
END_TEST

/* Reads every `Tensor *op_...(` of common/ops/ops.h, so that no op can be forgotten. */
START_TEST(no_op_is_missing)
{
    FILE *f = fopen("common/ops/ops.h", "r");
    ck_assert_msg(f != NULL, "no common/ops/ops.h: tests run from the repository's root");
    char line[256], op[64];
    int declared = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "Tensor *%63[a-z0-9_](", op) != 1) continue;
        bool found = false;
        for (int i = 0; i < LEN(table); i++) found = found || strcmp(table[i].op, op) == 0;
        ck_assert_msg(found, "%s has no row in the table of all ops", op);
        declared++;
    }
    fclose(f);
    ck_assert_int_ge(declared, 20);
}
END_TEST

SUITE("gradients", TESTS(every_op, no_op_is_missing), NO_ABORTS)
