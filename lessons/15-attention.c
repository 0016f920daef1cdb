/* Lesson 15: what if attention may not choose where it looks?
 *
 * Trains as seq2seq_attention/train.c does; then scores held-out sources of each length, each with
 * some steps of padding behind it, while attention looks in four ways: as it was trained to; at the
 * padding too, the mask left out; at the last true step only; at all true steps alike. See
 * lessons/15-attention.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/model.h"
#include "seq2seq_attention/seq2seq.h"
#include "programs/trainer.h"
#include "math/vecmath.h"

static const Usage usage = {
    .program = "lessons/15-attention",
    .about = "Trains an encoder-decoder network, then lets its attention look in wrong ways.",
    .operands = "",
    .examples = "  ./lessons/15-attention --task reverse --attention dot --out runs/l15-ways\n",
};

typedef enum { AS_TRAINED, PADDING_TOO, LAST_ONLY, ALL_ALIKE, WAYS } Way;

static const char *const ways[] = {"as trained", "no mask", "last only", "all alike"};

enum { BATCH = 100, EXAMPLES = 500, PADDING = 10 };

/* (S,B) -> (S + PADDING,B) */
static int *padded(Tape *tp, const Batch *batch)
{
    const size_t n = (size_t)batch->S * batch->B, more = (size_t)PADDING * batch->B;
    int *s = tape_save(tp, (n + more) * sizeof *s);
    memcpy(s, batch->s, n * sizeof *s);
    memset(s + n, 0, more * sizeof *s); /* PAD */
    return s;
}

/* All sources of the batch have S - PADDING steps. The states that the decoder starts from stay. */
static void mislead(Tape *tp, Memory *memory, Way way)
{
    const Shape one = SHAPE(1, memory->B, memory->state->shape.d[2]);
    int *len = tape_save(tp, (size_t)memory->B * sizeof *len);
    const int last = memory->len[0] - 1;
    for (int b = 0; b < memory->B; b++) len[b] = way == LAST_ONLY ? 1 : memory->S;
    if (way == LAST_ONLY) {
        memory->S = 1;
        memory->state = op_reshape(tp, op_rows(tp, memory->state, last, 1), one);
        memory->key = op_reshape(tp, op_rows(tp, memory->key, last, 1), one);
    }
    if (way == ALL_ALIKE) memory->key = tape_zeros(tp, memory->key->shape); /* equal scores */
    if (way == PADDING_TOO || way == LAST_ONLY) memory->len = len;
}

/* Of a batch, the outputs without a wrong token. */
static int count_right(const Seq2seq *m, const Batch *batch, Way way)
{
    Tape tp = {.frozen = true};
    const int B = batch->B, S = batch->S + PADDING;
    Memory memory = seq2seq_encode(&tp, m, padded(&tp, batch), batch->s_len, S, B, NULL);
    DecoderState state = seq2seq_start(&tp, m, &memory);
    bool wrong[BATCH] = {0};
    int right = 0;
    mislead(&tp, &memory, way);
    for (int t = 0; t < batch->T; t++) {
        const Tensor *z = seq2seq_step(&tp, m, &memory, batch->x + (size_t)t * B, &state);
        const int V = z->shape.d[2];
        for (int b = 0; b < B; b++) {
            const int y = batch->y[t * B + b]; /* negative: behind the end */
            wrong[b] |= y >= 0 && argmax(z->data + (size_t)b * V, V) != y;
        }
    }
    for (int b = 0; b < B; b++) right += !wrong[b];
    tape_free(&tp);
    return right;
}

static void print_ways(const Task *task, const Seq2seq *m)
{
    Batch batch = batch_new();
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < task->n_lengths && task->lengths[i] <= task->length; i++) {
            int right = 0;
            for (int at = 0; at < EXAMPLES; at += BATCH) {
                task_heldout(task, SPLIT_TEST, task->lengths[i], at, BATCH, &batch);
                right += count_right(m, &batch, (Way)way);
            }
            printf("%-10s length %2d: sequence accuracy %.3f\n", ways[way], task->lengths[i],
                   (double)right / EXAMPLES);
        }
    batch_free(&batch);
}

static bool fits(const Trainer *t, const Seq2seqConfig *size, Error *err)
{
    if (t->data.pairs.is_table)
        return error_set(err,
                         "the sources of %s differ in length, and the ways to look need equal "
                         "ones; give --task copy, reverse or sort",
                         data_name(&t->config->data));
    return seq2seq_check(size, err);
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/l15");
    Seq2seqConfig size = seq2seq_defaults();
    Option option[] = {TRAIN_PAIRS_OPTIONS(&c), SEQ2SEQ_OPTIONS(&size)};
    Trainer t;
    Error err;
    c.data.of_pairs = true;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);
    if (!fits(&t, &size, &err)) {
        trainer_fail(&t, EXIT_USAGE, err.text);
        return trainer_close(&t);
    }

    Params ps = params_declare(c.seed);
    Seq2seq seq2seq = seq2seq_init(&ps, &size, &t.data.task);
    Model model = seq2seq_model(&seq2seq);
    Optim optim = trainer_optim(&c);
    Tape tp = {0};
    const bool ready = trainer_start(&t, &model, &ps, &optim);
    while (ready && trainer_next(&t)) {
        Rng dropout = rng_make(c.seed, RNG_DROPOUT, t.drawn);
        const Loss loss = model_loss(&tp, &model, &t.batch, NULL, &dropout);
        if (!trainer_backward(&t, &tp, loss)) continue;
        const double norm = params_clip(&ps, c.grad_clip);
        if (!trainer_finite(&t, &tp, norm)) break;
        optim_step(&optim, &ps, lr_at(&t.schedule, t.step));
        trainer_log(&t, norm);
        tape_reset(&tp);
    }
    if (ready) print_ways(&t.data.task, &seq2seq);
    const int status = trainer_close(&t);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
