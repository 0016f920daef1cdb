/* Rotary position embedding (Su et al. 2021, "RoFormer"): rotates each pair of columns of a head by
 * an angle that is proportional to the position p. With w_i = base^(-2i/D), i < D/2:
 *
 *   y_2i   = x_2i cos(p w_i) - x_2i+1 sin(p w_i)
 *   y_2i+1 = x_2i sin(p w_i) + x_2i+1 cos(p w_i)
 *
 * and backward by the angle -p w_i:
 *
 *   dx_2i   += dy_2i cos(p w_i) + dy_2i+1 sin(p w_i)
 *   dx_2i+1 += dy_2i+1 cos(p w_i) - dy_2i sin(p w_i)
 *
 * If q is rotated by position p and k by position s, their product depends on p - s only. Here a
 * pair is two neighbouring columns, as in the paper, in GPT-J and in LLaMA's published code. With
 * `halves` pair i is columns i and i + D/2, as in Hugging Face's LLaMA: the same up to the order of
 * columns. */
#include "ops/ops.h"
#include "math/parallel.h"

#include <math.h>
#include <string.h>

typedef struct {
    int head, D; /* columns of a head; the first D of them are rotated */
    bool halves; /* pair i is columns i and i + D/2, not 2i and 2i+1 */
    real *turn;  /* (T,D/2,2) cosine and sine */
} Turns;

/* Adds one head x to y, rotated (or rotated back), with pairs of columns i and i + half. */
static void turn_halves(const real *restrict turn, int half, bool back, const real *restrict x,
                        real *restrict y)
{
    for (int i = 0; i < half; i++) {
        const real c = turn[2 * i], s = back ? -turn[2 * i + 1] : turn[2 * i + 1];
        y[i] += x[i] * c - x[i + half] * s;
        y[i + half] += x[i] * s + x[i + half] * c;
    }
}

/* Adds the row x of position t to y, rotated (or rotated back). */
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

/* Returns w_i of pair i < D / 2. */
static double frequency(const Rotary *r, int i, int D)
{
    double base = r->base > 0 ? r->base : 10000;
    if (r->ntk > 0 && D > 2) base *= pow(r->ntk, D / (D - 2.));
    const double w = pow(base, -2 * i / (double)D);
    return r->linear > 0 ? w / r->linear : w;
}

/* Returns (T,D/2,2) cosines and sines. Computes in double: at an angle of thousands a float has few
 * digits left after the point. */
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
          "op_rotary: x %s into %d heads; x must be (B,T,C), heads must have even width",
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
