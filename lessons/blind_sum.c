#include "lessons/blind_sum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/params.h"

static void silent_backward(Node *nd)
{
    (void)nd; /* forgets every gradient */
}

Tensor *op_silent_softmax(Tape *tp, Tensor *x)
{
    Node *nd = tape_node(tp, "silent_softmax", silent_backward, x->shape, x);
    memcpy(nd->out->data, op_softmax(tp, x)->data, (size_t)x->len * sizeof(real));
    return nd->out;
}

double projected_gap(Tensor *(*op)(Tape *, Tensor *), const real r[3])
{
    const real eps = (real)5e-3;
    double worst = 0;
    Params ps = params_init(0);
    Tensor *x = param(&ps, SHAPE(1, 3), 0, "x");
    for (int i = 0; i < 3; i++) x->data[i] = (real)i / 2;
    Tape tp = {0};
    tape_backward(&tp, op_dot(&tp, op(&tp, x), r));
    for (int i = 0; i < 3; i++) {
        const real keep = x->data[i];
        x->data[i] = keep + eps;
        const real up = op_dot(&tp, op(&tp, x), r)->data[0];
        x->data[i] = keep - eps;
        const real down = op_dot(&tp, op(&tp, x), r)->data[0];
        x->data[i] = keep;
        worst = fmax(worst, fabs((double)((up - down) / (2 * eps) - x->grad[i])));
    }
    tape_free(&tp);
    params_free(&ps);
    return worst;
}

void blind_sum_show(uint64_t seed)
{
    Rng rng = rng_make(seed, RNG_TEST, 0);
    real ones[3] = {1, 1, 1}, random[3];
    for (int i = 0; i < 3; i++) random[i] = (real)rng_normal(&rng);
    printf("\nlargest gap, tape against differences    plain sum   random projection\n");
    printf("  softmax                               %10.6f %19.6f\n",
           projected_gap(op_softmax, ones), projected_gap(op_softmax, random));
    printf("  softmax with an empty backward        %10.6f %19.6f\n",
           projected_gap(op_silent_softmax, ones), projected_gap(op_silent_softmax, random));
}
