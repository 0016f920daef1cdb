#include "models/model.h"

Tensor *model_loss(Tape *tp, const Model *m, const Batch *batch, real *state, Rng *dropout)
{
    Tensor *out = m->forward(tp, m->self, batch, state, dropout);
    return batch->y ? op_cross_entropy(tp, out, batch->y) : op_mse(tp, out, batch->v);
}
