/* Rotary position embedding (Su et al. 2021, "RoFormer"): each pair of columns of a head is turned by
 * an angle that grows with the step's place. With w_i = 10000^(-2i/D), i < D/2, and p the place:
 *
 *   y_2i   = x_2i cos(p w_i) - x_2i+1 sin(p w_i)
 *   y_2i+1 = x_2i sin(p w_i) + x_2i+1 cos(p w_i)
 *
 * and backward the same by -p w_i:
 *
 *   dx_2i   += dy_2i cos(p w_i) + dy_2i+1 sin(p w_i)
 *   dx_2i+1 += dy_2i+1 cos(p w_i) - dy_2i sin(p w_i)
 *
 * Turning q by p and k by s turns their product by p - s alone. Pairs are neighbours here, as in the
 * paper and in LLaMA's published code; others pair i with i + D/2, which is the same up to the order
 * of columns. */
#include "ops/ops.h"
#include "math/parallel.h"

#include <math.h>
#include <string.h>

typedef struct {
    int heads;
    real *turn; /* (T,D/2,2) cosine and sine */
} Rotary;

/* A row x of step t turned, or back, and added to y. */
static void turn_row(const Rotary *a, int t, int C, bool back, const real *restrict x,
                     real *restrict y)
{
    const int D = C / a->heads;
    const real *turn = a->turn + (size_t)t * D;
    for (int h = 0; h < C; h += D)
        for (int i = 0; i < D; i += 2) {
            const real c = turn[i], s = back ? -turn[i + 1] : turn[i + 1];
            const real even = x[h + i], odd = x[h + i + 1];
            y[h + i] += even * c - odd * s; /* eq 19.3 */
            y[h + i + 1] += even * s + odd * c;
        }
}

static void turn_all(const Rotary *a, Shape shape, bool back, const real *x, real *y)
{
    const int T = shape.d[1], C = shape.d[2], R = shape.d[0] * T;
    PARALLEL_FOR(6.0 * R * C, r, R, 1,
                 turn_row(a, r % T, C, back, x + (size_t)r * C, y + (size_t)r * C));
}

static void rotary_backward(Node *nd)
{
    turn_all(nd->saved, nd->out->shape, true, nd->out->grad, nd->in[0]->grad);
}

/* In double, since an angle of thousands leaves a float few digits behind the point. */
static Rotary rotary_of(Tape *tp, int heads, int first, int T, int C)
{
    const int D = C / heads;
    Rotary a = {.heads = heads, .turn = tape_save(tp, (size_t)T * D * sizeof *a.turn)};
    for (int i = 0; i < D; i += 2) {
        const double w = pow(10000, -i / (double)D);
        for (int t = 0; t < T; t++) {
            a.turn[(size_t)t * D + i] = (real)cos((first + t) * w);
            a.turn[(size_t)t * D + i + 1] = (real)sin((first + t) * w);
        }
    }
    return a;
}

static void check(const Tensor *x, int heads)
{
    CHECK(x->shape.n == 3 && heads >= 1 && x->shape.d[2] % (2 * heads) == 0,
          "op_rotary: x %s into %d heads; must be (B,T,C), an even number of columns each",
          shape_text(x->shape).text, heads);
}

Tensor *op_rotary(Tape *tp, Tensor *x, int heads, int first)
{
    check(x, heads);
    const int T = x->shape.d[1], C = x->shape.d[2];
    Node *nd = tape_node(tp, "rotary", rotary_backward, x->shape, x);
    Rotary *a = nd->saved = tape_save(tp, sizeof *a);
    *a = rotary_of(tp, heads, first, T, C);
    memset(nd->out->data, 0, (size_t)x->len * sizeof(real));
    turn_all(a, x->shape, false, x->data, nd->out->data);
    return nd->out;
}
