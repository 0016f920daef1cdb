/* A model's loss, and the update from the losses of several micro-batches. */
#include "models/evaluate.h"
#include "models/model.h"

#include <math.h>

#include "layout_help.h"
#include "math/vecmath.h"
#include "seq2seq_attention/seq2seq.h"
#include "suite.h"
#include "transformer/transformer.h"

enum { B = 32, S = 7, T = 6, V = 11 };

/* Returns columns first .. first+n-1 of a time-major array (steps,B). */
static void take(const int *from, int steps, int first, int n, int *to)
{
    for (int t = 0; t < steps; t++)
        for (int b = 0; b < n; b++) to[t * n + b] = from[t * B + first + b];
}

typedef struct {
    int s[S * B], s_len[B], x[T * B], y[T * B];
} Ids;

/* Pairs of unequal lengths: equal numbers of sequences have unequal numbers of targets. */
static void draw(Ids *d)
{
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < S * B; i++) d->s[i] = rng_below(&rng, V);
    for (int b = 0; b < B; b++) d->s_len[b] = 1 + rng_below(&rng, S);
    for (int b = 0; b < B; b++) {
        const int steps = b < B / 4 ? 1 : 1 + rng_below(&rng, T);
        for (int t = 0; t < T; t++) {
            d->x[t * B + b] = rng_below(&rng, V);
            d->y[t * B + b] = t < steps ? rng_below(&rng, V) : -1;
        }
    }
}

/* Computes the gradients of a batch in `parts` micro-batches with equal numbers of sequences. */
static LossSum backward(const Model *m, Params *ps, const Ids *all, int parts)
{
    LossSum sum = {0};
    params_zero_grad(ps);
    for (int part = 0; part < parts; part++) {
        const int n = B / parts;
        Ids d;
        take(all->s, S, part * n, n, d.s), take(all->s_len, 1, part * n, n, d.s_len);
        take(all->x, T, part * n, n, d.x), take(all->y, T, part * n, n, d.y);
        const Batch here = {.T = T, .B = n, .x = d.x, .y = d.y, .S = S, .s = d.s, .s_len = d.s_len};
        Batch there = batch_major(&here);
        const Batch *batch = m->layout == BATCH_MAJOR ? &there : &here;
        Tape tp = {0};
        loss_backward(&tp, model_loss(&tp, m, batch, NULL, NULL), ps, &sum);
        batch_free(&there);
        tape_free(&tp);
    }
    return sum;
}

static void check_accumulation(const Model *m, Params *ps)
{
    Ids d;
    draw(&d);
    const LossSum whole = backward(m, ps, &d, 1);
    const double norm = params_norm(ps);
    real *grad = xcalloc(ps->trainable, sizeof *grad);
    memcpy(grad, ps->grad, ps->trainable * sizeof *grad);
    const LossSum parts = backward(m, ps, &d, 4);
    double square = 0;
    for (size_t i = 0; i < ps->trainable; i++) square += pow((double)(ps->grad[i] - grad[i]), 2);
    ck_assert_msg(sqrt(square) < 1e-6 * norm, "%s: %g of %g", m->name, sqrt(square), norm);
    ck_assert_double_eq_tol(parts.mean, whole.mean, 1e-6);
    ck_assert(parts.scored == whole.scored);
    free(grad);
}

START_TEST(four_parts_equal_the_batch)
{
    const Task task = {.source_vocab = V, .vocab = V, .outputs = V};
    TransformerConfig size = transformer_defaults();
    size.channels = 16, size.heads = 2, size.ffn = 24, size.smoothing = 0.1;
    Params ps = params_init(5);
    const Transformer t = transformer_init(&ps, &size, &task);
    const Model transformer = transformer_model(&t);
    check_accumulation(&transformer, &ps);
    params_free(&ps);

    Seq2seqConfig config = seq2seq_defaults();
    config.channels = 8, config.hidden = 16;
    ps = params_init(6);
    const Seq2seq s = seq2seq_init(&ps, &config, &task);
    const Model seq2seq = seq2seq_model(&s);
    check_accumulation(&seq2seq, &ps);
    params_free(&ps);
}
END_TEST

/* A target of weight 0 counts as an unscored one; twice the weight counts as two targets. */
START_TEST(weights_of_targets)
{
    enum { CLASSES = 3 };
    Tape tp = {0};
    int y[4] = {2, 0, 1, -1}, less[4] = {2, -1, 1, -1};
    real all[4] = {1, 1, 1, 1}, some[4] = {2, 0, 2, 5};
    Tensor *z = tape_tensor(&tp, SHAPE(4, 1, CLASSES));
    for (int i = 0; i < z->len; i++) z->data[i] = (real)(i * 7 % 5) / 3;
    const Batch plain = {.T = 4, .B = 1, .y = y}, cut = {.T = 4, .B = 1, .y = less};
    const Batch ones = {.T = 4, .B = 1, .y = y, .weights = all};
    const Batch twos = {.T = 4, .B = 1, .y = y, .weights = some};
    const Loss a = loss_of_logits(&tp, z, &plain), b = loss_of_logits(&tp, z, &ones);
    const Loss c = loss_of_logits(&tp, z, &cut), d = loss_of_logits(&tp, z, &twos);
    ck_assert_double_eq_tol(b.mean->data[0], a.mean->data[0], 1e-6);
    ck_assert_double_eq(b.scored, 3);
    ck_assert_double_eq_tol(d.mean->data[0], c.mean->data[0], 1e-6);
    ck_assert_double_eq(d.scored, 4);
    tape_free(&tp);
}
END_TEST

/* One micro-batch gives the bits of the plain backward pass. */
START_TEST(one_part_is_plain)
{
    const Task task = {.source_vocab = V, .vocab = V, .outputs = V};
    Seq2seqConfig config = seq2seq_defaults();
    config.channels = 8, config.hidden = 16;
    Params ps = params_init(6);
    const Seq2seq s = seq2seq_init(&ps, &config, &task);
    const Model m = seq2seq_model(&s);
    Ids d;
    draw(&d);
    backward(&m, &ps, &d, 1);
    real *grad = xcalloc(ps.len, sizeof *grad);
    memcpy(grad, ps.grad, ps.len * sizeof *grad);
    const Batch batch = {.T = T, .B = B, .x = d.x, .y = d.y, .S = S, .s = d.s, .s_len = d.s_len};
    Tape tp = {0};
    params_zero_grad(&ps);
    tape_backward(&tp, model_loss(&tp, &m, &batch, NULL, NULL).mean);
    ck_assert_mem_eq(grad, ps.grad, ps.len * sizeof *grad);
    tape_free(&tp), free(grad), params_free(&ps);
}
END_TEST

static Loss seven(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout)
{
    (void)self, (void)state, (void)dropout;
    Tensor *mean = tape_zeros(tp, SHAPE(1));
    mean->data[0] = 7;
    return (Loss){.mean = mean, .scored = batch->B};
}

/* A model's own loss function is used; the Transformer's has label smoothing. */
START_TEST(a_loss_of_its_own)
{
    Ids d;
    draw(&d);
    const Batch here = {.T = T, .B = B, .x = d.x, .y = d.y, .S = S, .s = d.s, .s_len = d.s_len};
    Batch batch = batch_major(&here);
    const Task task = {.source_vocab = V, .vocab = V, .outputs = V};
    Tape tp = {.frozen = true};
    const Loss own = model_loss(&tp, &(Model){.loss = seven}, &batch, NULL, NULL);
    ck_assert(own.mean->data[0] == 7 && own.scored == B);

    double targets = 0;
    for (int i = 0; i < T * B; i++) targets += d.y[i] >= 0;
    TransformerConfig size = transformer_defaults();
    size.channels = 16, size.heads = 2, size.ffn = 24, size.smoothing = 0.2;
    Params ps = params_init(5);
    const Transformer t = transformer_init(&ps, &size, &task);
    const Model m = transformer_model(&t);
    const Loss smoothed = model_loss(&tp, &m, &batch, NULL, NULL);
    Tensor *logits = m.forward(&tp, &t, &batch, NULL, NULL);
    const Tensor *want = op_cross_entropy_smoothed(&tp, logits, batch.y, (real)0.2);
    ck_assert(smoothed.mean->data[0] == want->data[0] && smoothed.scored == targets);
    ck_assert(smoothed.mean->data[0] != loss_of_logits(&tp, logits, &batch).mean->data[0]);
    batch_free(&batch), tape_free(&tp), params_free(&ps);
}
END_TEST

/* Held-out pairs are scored in order of length; the sums equal those in the table's order, up to
 * rounding. */
START_TEST(order_of_held_out_pairs)
{
    DataConfig c = data_defaults();
    c.of_pairs = true, c.pairs.task = "numbers";
    Data d;
    Error err;
    ck_assert_msg(data_open(&d, &c, NULL, &err), "%s", err.text);
    Seq2seqConfig config = seq2seq_defaults();
    config.channels = config.hidden = 8;
    Params ps = params_init(6);
    const Seq2seq s = seq2seq_init(&ps, &config, &d.task);
    const Model m = seq2seq_model(&s);
    const int n = pairs_items(&d.pairs, SPLIT_TEST) - 1; /* the first n, not the shortest */
    Score sorted = {0}, as_it_is = {0};
    Batch batch = batch_new();
    ck_assert(data_evaluate(&d, &m, SPLIT_TEST, 0, n, 0, &sorted));
    for (int i = 0; i < n; i += 50) {
        task_heldout(&d.task, SPLIT_TEST, 0, i, n - i < 50 ? n - i : 50, &batch);
        model_score(&m, &d.task, &batch, NULL, &as_it_is);
    }
    ck_assert_double_eq_tol(sorted.loss / as_it_is.loss, 1, 1e-6);
    ck_assert(sorted.scored == as_it_is.scored && sorted.sequences == n);
    ck_assert(sorted.hits == as_it_is.hits && sorted.right == as_it_is.right);
    batch_free(&batch), params_free(&ps), data_close(&d);
}
END_TEST

/* With a large vocabulary a batch is scored in blocks, in either layout: the sums equal those of
 * all its logits. */
START_TEST(blocks_of_logits)
{
    enum { WORDS = 20000, STEPS = 9, SEQUENCES = 40 }; /* 7.2 million logits */
    const Task task = {.source_vocab = V, .vocab = WORDS, .outputs = WORDS, .loss_perfect = 0};
    TransformerConfig size = transformer_defaults();
    size.channels = 8, size.heads = 2, size.ffn = 8, size.layers = 1;
    Seq2seqConfig config = seq2seq_defaults();
    config.channels = config.hidden = 8;
    Params ps[] = {params_init(5), params_init(6)};
    const Transformer t = transformer_init(&ps[0], &size, &task);
    const Seq2seq s2s = seq2seq_init(&ps[1], &config, &task);
    const Model models[] = {transformer_model(&t), seq2seq_model(&s2s)};
    for (int k = 0; k < LEN(models); k++) {
        const Model *m = &models[k];
        Batch batch = batch_new_as(m->layout);
        Rng rng = rng_make(3, RNG_TEST, 0);
        batch_resize(&batch, &task, STEPS, SEQUENCES);
        batch_source(&batch, 2);
        for (int b = 0; b < SEQUENCES; b++)
            for (int i = 0; i < (b % 3 ? STEPS : 2); i++) {
                batch.x[batch_at(&batch, i, b)] = rng_below(&rng, WORDS);
                batch.y[batch_at(&batch, i, b)] = rng_below(&rng, WORDS);
            }
        for (int b = 0; b < SEQUENCES; b++) batch.s_len[b] = 2;
        Score whole = {0}, blocks = {0};
        Tape tp = {.frozen = true};
        const Tensor *z = m->forward(&tp, m->self, &batch, NULL, NULL);
        for (int b = 0; b < 7; b++) /* some answers are right */
            batch.y[batch_at(&batch, 0, b)] =
                argmax(z->data + batch_at(&batch, 0, b) * WORDS, WORDS);
        task_score(&task, &batch, z->data, &whole);
        model_score(m, &task, &batch, NULL, &blocks);
        ck_assert_double_eq_tol(blocks.loss / whole.loss, 1, 1e-6);
        ck_assert(blocks.scored == whole.scored && blocks.asked == whole.asked);
        ck_assert(blocks.hits == whole.hits && blocks.hits >= 7);
        ck_assert(blocks.right == whole.right && blocks.sequences == SEQUENCES);
        tape_free(&tp), batch_free(&batch), params_free(&ps[k]);
    }
}
END_TEST

SUITE("model",
      TESTS(blocks_of_logits, order_of_held_out_pairs, four_parts_equal_the_batch,
            weights_of_targets, one_part_is_plain, a_loss_of_its_own),
      NO_ABORTS)
