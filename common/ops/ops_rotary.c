/* Rotary position embedding (Su et al. 2021, "RoFormer"): each pair of columns of a head is turned by
 * an angle that grows with the step's place. With w_i = base^(-2i/D), i < D/2, and p the place:
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
 * paper, in GPT-J and in LLaMA's published code; with `halves` pair i is columns i and i + D/2, as in
 * Hugging Face's LLaMA, which is the same up to the order of columns. */
#include "ops/ops.h"
#include "math/parallel.h"

#include <math.h>
#include <string.h>

typedef struct {
    int head, D; /* columns of a head, and how many of them turn */
    bool halves; /* pair i is columns i and i + D/2, not 2i and 2i+1 */
    real *turn;  /* (T,D/2,2) cosine and sine */
} Turns;

/* A head x with pairs of halves turned, or back, and added to y. */
static void turn_halves(const real *restrict turn, int half, bool back, const real *restrict x,
                        real *restrict y)
{
    for (int i = 0; i < half; i++) {
        const real c = turn[2 * i], s = back ? -turn[2 * i + 1] : turn[2 * i + 1];
        y[i] += x[i] * c - x[i + half] * s;
        y[i + half] += x[i] * s + x[i + half] * c;
    }
}

/* A row x of step t turned, or back, and added to y. */
static void turn_row(const Turns *a, int t, int C, bool back, const real *restrict x,
                     real *restrict y)
{
    const int D = a->D;
    const real *turn = a->turn + (size_t)t * D;
    for (int h = 0; h < C; h += a->head) {
        if (a->halves) turn_halves(turn, D / 2, back, x + h, y + h);
        for (int i = 0; i < D && !a->halves; i += 2) {
            const real c = turn[i], s = back ? -turn[i + 1] : turn[i + 1];
            const real even = x[h + i], odd = x[h + i + 1];
            y[h + i] += even * c - odd * s; /* eq 19.3 */
            y[h + i + 1] += even * s + odd * c;
        }
        for (int i = h + D; i < h + a->head; i++) y[i] += x[i];
    }
}

static void turn_all(const Turns *a, Shape shape, bool back, const real *x, real *y)
{
    const int T = shape.d[1], C = shape.d[2], R = shape.d[0] * T;
    PARALLEL_FOR(6.0 * R * C, r, R, 1,
                 turn_row(a, r % T, C, back, x + (size_t)r * C, y + (size_t)r * C));
}

static void rotary_backward(Node *nd)
{
    turn_all(nd->saved, nd->out->shape, true, nd->out->grad, nd->in[0]->grad);
}

/* w_i of pair i of D / 2. */
static double frequency(const Rotary *r, int i, int D)
{
    double base = r->base > 0 ? r->base : 10000;
    if (r->ntk > 0 && D > 2) base *= pow(r->ntk, D / (D - 2.));
    const double w = pow(base, -2 * i / (double)D);
    return r->linear > 0 ? w / r->linear : w;
}

/* In double, since an angle of thousands leaves a float few digits behind the point. */
static real *turns(Tape *tp, const Rotary *r, int first, int T, int D)
{
    real *turn = tape_save(tp, (size_t)T * D * sizeof *turn);
    if (r->turn) return memcpy(turn, r->turn, (size_t)T * D * sizeof *turn);
    for (int i = 0; i < D / 2; i++) {
        const double w = frequency(r, i, D);
        for (int t = 0; t < T; t++) {
            turn[(size_t)t * D + 2 * i] = (real)cos((first + t) * w);
            turn[(size_t)t * D + 2 * i + 1] = (real)sin((first + t) * w);
        }
    }
    return turn;
}

static void check(const Tensor *x, int heads, int columns)
{
    CHECK(x->shape.n == 3 && heads >= 1 && x->shape.d[2] % (columns ? heads : 2 * heads) == 0,
          "op_rotary: x %s into %d heads; must be (B,T,C), an even number of columns each",
          shape_text(x->shape).text, heads);
    CHECK(columns >= 0 && columns % 2 == 0 && columns <= x->shape.d[2] / heads,
          "op_rotary: %d of %d columns of a head", columns, x->shape.d[2] / heads);
}

Tensor *op_rotary_with(Tape *tp, Tensor *x, int heads, int first, const Rotary *r)
{
    check(x, heads, r->columns);
    const int T = x->shape.d[1], C = x->shape.d[2], D = r->columns ? r->columns : C / heads;
    Node *nd = tape_node(tp, "rotary", rotary_backward, x->shape, x);
    Turns *a = nd->saved = tape_save(tp, sizeof *a);
    *a = (Turns){C / heads, D, r->halves, turns(tp, r, first, T, D)};
    memset(nd->out->data, 0, (size_t)x->len * sizeof(real));
    turn_all(a, x->shape, false, x->data, nd->out->data);
    return nd->out;
}

Tensor *op_rotary(Tape *tp, Tensor *x, int heads, int first)
{
    return op_rotary_with(tp, x, heads, first, &(Rotary){0});
}
