/* Lesson 20: layer norm, feed-forward, schedule and label smoothing by hand; and the effect of residual
 * and norm on gradients at initialisation. */
#include "models/model.h"
#include "by_hand.h"
#include "nn/optim.h"

#include "transformer/transformer.h"

/* x = (1, 3, 3, 5) has mean 3 and variance 2 and becomes (-2, 0, 0, 2) / sqrt 2. Then a gain of 10 and a
 * bias of 1. */
START_TEST(norm_by_hand)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(1, 4), 1, 3, 3, 5), *g = GIVEN(&tp, SHAPE(4), 1, 1, 1, 10);
    Tensor *b = GIVEN(&tp, SHAPE(4), 0, 0, 1, 1);
    const real *y = op_layernorm(&tp, x, g, b, (real)1e-5)->data;
    const double want[] = {-1.41421, 0, 1, 15.1421};
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol((double)y[i], want[i], 1e-4);
    Tensor *ten = op_scale(&tp, x, 10); /* the scale of x does not matter */
    const real *z = op_layernorm(&tp, ten, g, b, (real)1e-5)->data;
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol((double)z[i], want[i], 1e-4);
    tape_free(&tp);
}
END_TEST

/* (1, 2) W_1 = (3, -3), relu (3, 0), W_2 and b_2: 3 * 2 + 0 * 5 + 1 = 7. */
START_TEST(feed_forward_by_hand)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(1, 2), 1, 2), *zero = GIVEN(&tp, SHAPE(2), 0, 0);
    Tensor *up = GIVEN(&tp, SHAPE(2, 2), 1, -1, 1, -1), *down = GIVEN(&tp, SHAPE(2, 1), 2, 5);
    Tensor *bias = GIVEN(&tp, SHAPE(1), 1);
    CK(op_linear(&tp, op_relu(&tp, op_linear(&tp, x, up, zero)), down, bias)->data, 7);
    tape_free(&tp);
}
END_TEST

/* Twelve layers f(x) = x / 10: the gradient is 10^-12 without residuals and 1.1^12 = 3.138 with them. */
START_TEST(twelve_layers_by_hand)
{
    for (int with = 0; with < 2; with++) {
        Tape tp = {0};
        Tensor *first = GIVEN(&tp, SHAPE(1), 1), *x = first;
        for (int i = 0; i < 12; i++) {
            Tensor *f = op_scale(&tp, x, 0.1f);
            x = with ? op_add(&tp, x, f) : f;
        }
        BACKWARD(&tp, x, 1);
        const double want = with ? 3.138428 : 1e-12;
        ck_assert_double_eq_tol((double)first->grad[0] / want, 1, 1e-4);
        tape_free(&tp);
    }
}
END_TEST

/* Equation 3 of the paper with d_model 512 and warm-up 4000: the peak is 512^-0.5 4000^-0.5 = 6.99e-4. */
START_TEST(schedule_by_hand)
{
    const Schedule s = {.lr = 1 / sqrt(512. * 4000), .warmup = 4000, .inverse_sqrt = true};
    static const int steps[] = {1, 1000, 4000, 16000, 100000};
    static const double rate[] = {1.747e-7, 1.747e-4, 6.988e-4, 3.494e-4, 1.398e-4};
    for (int i = 0; i < LEN(steps); i++) {
        const double paper = fmin(1 / sqrt(steps[i]), steps[i] * pow(4000, -1.5)) / sqrt(512);
        ck_assert_double_eq_tol(lr_at(&s, steps[i]) / paper, 1, 1e-9);
        ck_assert_double_eq_tol(paper / rate[i], 1, 1e-3);
    }
}
END_TEST

/* V = 4, e = 0.4: the targets are 0.7, 0.1, 0.1, 0.1. A model that predicts exactly this distribution has a
 * loss of 0.9404 and no gradient; one that predicts 0.97, 0.01, 0.01, 0.01 has a higher loss. */
START_TEST(smoothing_has_a_floor)
{
    Tape tp = {0};
    const int target[] = {0};
    Tensor *best = GIVEN(&tp, SHAPE(1, 4), logf(0.7f), logf(0.1f), logf(0.1f), logf(0.1f));
    Tensor *sure = GIVEN(&tp, SHAPE(1, 4), logf(0.97f), logf(0.01f), logf(0.01f), logf(0.01f));
    Tensor *loss = op_cross_entropy_smoothed(&tp, best, target, 0.4f);
    CK(loss->data, (real)(-0.7 * log(0.7) - 0.3 * log(0.1)));
    CK(loss->data, 0.9404480f);
    tape_backward(&tp, loss);
    for (int i = 0; i < 4; i++) ck_assert(fabs((double)best->grad[i]) < 1e-6);
    ck_assert(op_cross_entropy_smoothed(&tp, sure, target, 0.4f)->data[0] > 1.4f);
    tape_free(&tp);
}
END_TEST

/* --- at initialisation ---------------------------------------------------------------------------------- */

enum { WORDS = 16, STEPS = 12, BATCH = 8 };

/* Returns the norm of the gradient of the last layer's second feed-forward matrix, a mean over 8 networks. */
static double last_gradient(NormPlace norm_kind, int layers)
{
    double mean = 0;
    for (int seed = 1; seed <= 8; seed++) {
        TransformerConfig c = transformer_defaults();
        c.layers = layers, c.channels = 32, c.heads = 2, c.ffn = 64, c.norm = norm_kind;
        const Task task = {.vocab = WORDS, .outputs = WORDS};
        Params ps = params_init(seed);
        const Transformer m = transformer_init(&ps, &c, &task);
        const Model model = transformer_model(&m);
        Rng rng = rng_make(seed, RNG_TEST, 0);
        int x[STEPS * BATCH], y[STEPS * BATCH];
        for (int i = 0; i < STEPS * BATCH; i++) x[i] = rng_below(&rng, WORDS);
        for (int i = 0; i < STEPS * BATCH; i++) y[i] = rng_below(&rng, WORDS);
        const Batch batch = {.layout = model.layout, .T = STEPS, .B = BATCH, .x = x, .y = y};
        Tape tp = {0};
        tape_backward(&tp, model_loss(&tp, &model, &batch, NULL, NULL).mean);
        const Tensor *w = m.decoder[layers - 1].down.w;
        double sum = 0;
        for (int i = 0; i < w->len; i++) sum += (double)w->grad[i] * (double)w->grad[i];
        mean += sqrt(sum) / 8;
        tape_free(&tp);
        params_free(&ps);
    }
    return mean;
}

/* Xiong et al. 2020, theorem 1: with post-norm the gradient of the last layer is the same at every depth;
 * with pre-norm it falls as 1 / sqrt(L), by half from 3 to 12 layers. */
START_TEST(last_gradient_and_depth)
{
    const double post = last_gradient(POST_NORM, 12) / last_gradient(POST_NORM, 3);
    const double pre = last_gradient(PRE_NORM, 12) / last_gradient(PRE_NORM, 3);
    ck_assert_msg(post > 0.75 && post < 1.33, "post-norm: %g", post);
    ck_assert_msg(pre > 0.4 && pre < 0.65, "pre-norm: %g", pre);
}
END_TEST

SUITE("lesson_20",
      TESTS(norm_by_hand, feed_forward_by_hand, twelve_layers_by_hand, schedule_by_hand,
            smoothing_has_a_floor, last_gradient_and_depth),
      NO_ABORTS)
