#include "models/model.h"

Loss model_loss(Tape *tp, const Model *m, const Batch *batch, real *state, Rng *dropout)
{
    if (m->loss) return m->loss(tp, m->self, batch, state, dropout);
    return loss_of_logits(tp, m->forward(tp, m->self, batch, state, dropout), batch);
}

Loss loss_of_logits(Tape *tp, Tensor *logits, const Batch *batch)
{
    Loss loss = {.scored = batch_scored(batch)};
    if (!batch->y)
        loss.mean = op_mse(tp, logits, batch->v);
    else if (batch->weights)
        loss.mean = op_cross_entropy_weighted(tp, logits, batch->y, batch->weights);
    else
        loss.mean = op_cross_entropy(tp, logits, batch->y);
    return loss;
}

Tensor *loss_backward(Tape *tp, Loss loss, Params *ps, LossSum *sum)
{
    const double before = sum->scored, all = before + loss.scored;
    const double weight = before > 0 ? loss.scored / all : 1;
    Tensor *weighted = loss.mean;
    if (before > 0) {
        params_scale_grad(ps, before / all);
        weighted = op_scale(tp, loss.mean, (real)weight);
    }
    sum->mean += weight * ((double)loss.mean->data[0] - sum->mean);
    sum->scored = all;
    tape_backward(tp, weighted);
    return weighted;
}
