/* Lesson 11: does the cell of an LSTM stay within bounds?
 *
 * Trains as lstm_gru/train.c does; then reads the held-out text from its beginning to its end, one
 * step after the other and never from a fresh state, and prints the largest |c| on the way. With
 * --no-forget-gate, the cell of 1997, nothing is ever taken out of c. See lessons/11-lstm.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/model.h"
#include "lstm_gru/gated.h"
#include "programs/trainer.h"

static const Usage usage = {
    .program = "lessons/11-lstm",
    .about =
        "Trains an LSTM on a running text and shows how large its cell becomes when it reads on.",
    .operands = "",
    .examples = "  ./lessons/11-lstm --text FILE --no-forget-gate --out runs/l11\n",
};

enum { STEPS = 50 };

/* The largest |c| of any layer; its state is h and then c. */
static double largest_cell(const real *state, const GatedConfig *size)
{
    double most = 0;
    for (int i = 0; i < size->layers; i++)
        for (int j = 0; j < size->hidden; j++)
            most = fmax(most, fabs((double)state[(2 * i + 1) * size->hidden + j]));
    return most;
}

static void read_on(const Model *m, const GatedConfig *size, const Text *text)
{
    int *ids = text->ids[SPLIT_VALID];
    const int n = (text->n[SPLIT_VALID] - 1) / STEPS * STEPS;
    real *state = xcalloc((size_t)m->state_size, sizeof *state);
    double loss = 0;
    int since = 0;
    for (int at = 0, next = 100; at < n; at += STEPS) {
        Tape tp = {.frozen = true};
        const Batch batch = {.T = STEPS, .B = 1, .x = ids + at, .y = ids + at + 1};
        loss += (double)model_loss(&tp, m, &batch, state, NULL).mean->data[0];
        since++;
        tape_free(&tp);
        if (at + STEPS != next && at + STEPS != n) continue;
        printf("%6d tokens read: largest |c| %.1f, loss on the way %.4f\n", at + STEPS,
               largest_cell(state, size), loss / since);
        loss = 0, since = 0, next *= 10;
    }
    free(state);
}

static bool fits(const Data *d, const GatedConfig *size, Error *err)
{
    if (!gated_check(size, err)) return false;
    if (size->cell != GATED_LSTM)
        return error_set(err,
                         "--cell gru: has no c to look at; leave it out, or use ./lstm_gru/train");
    return data_is_running(d) ||
           error_set(err, "c is read in a running text: give --text, without --task and --lines");
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/l11");
    GatedConfig size = gated_defaults();
    Option option[] = {TRAIN_OPTIONS(&c), GATED_OPTIONS(&size)};
    Trainer t;
    Error err;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);
    if (!fits(&t.data, &size, &err)) {
        trainer_fail(&t, EXIT_USAGE, err.text);
        return trainer_close(&t);
    }

    Params ps = params_declare(c.seed);
    Gated gated = gated_init(&ps, &size, &t.data.task);
    Model model = gated_model(&gated);
    Optim optim = trainer_optim(&c);
    Tape tp = {0};
    const bool ready = trainer_start(&t, &model, &ps, &optim);
    while (ready && trainer_next(&t)) {
        Rng dropout = rng_make(c.seed, RNG_DROPOUT, t.drawn);
        const Loss loss = model_loss(&tp, &model, &t.batch, trainer_state(&t), &dropout);
        if (!trainer_backward(&t, &tp, loss)) continue;
        const double norm = params_clip(&ps, c.grad_clip);
        if (!trainer_finite(&t, &tp, norm)) break;
        optim_step(&optim, &ps, lr_at(&t.schedule, t.step));
        trainer_log(&t, norm);
        tape_reset(&tp);
    }
    if (ready) read_on(&model, &size, &t.data.text);
    const int status = trainer_close(&t);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
