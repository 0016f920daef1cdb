/* Trains a GPT. This file shows the whole training loop; common/programs/trainer.h has options, data and
 * logging, gpt.c the model. */
#include "gpt/gpt.h"
#include "programs/trainer.h"

static const Usage usage = {
    .program = "gpt/train",
    .about =
        "Trains a GPT (Radford et al. 2018, 2019), a decoder-only Transformer, to predict the next "
        "token of a text, of a list of lines or of a task's sequences.",
    .operands = "",
    .next = "./gpt/eval",
    .examples = "  ./gpt/train --text README.md --preset nano --steps 500 --out runs/readme\n"
                "  ./gpt/train --lines --out runs/places\n"
                "  ./gpt/train --task shift --layers 2 --channels 64 --out runs/shift\n"
                "  ./gpt/train --preset gpt2 --dry-run\n",
};

#define WINDOWS_OPTION(c)                                                                          \
    OPTION_FLAG("stream", &(c)->stream,                                                            \
                "read the text in order, in windows of --seq-len tokens (without it: windows at "  \
                "random places); no window sees another one")

/* Fails if an option was given that the preset sets too. */
static bool preset_stands_alone(const GptConfig *size, Option *option, int n, Error *err)
{
    static const char *const set[] = {"layers", "channels", "heads",       "context", "dropout",
                                      "norm",   "gelu",     "scaled-init", "tied",    "init-std"};
    for (int i = 0; i < LEN(set) && size->preset != GPT_NO_PRESET; i++)
        if (args_find(option, n, set[i])->given)
            return error_set(err, "--%s: --preset sets it already; leave out one of them", set[i]);
    return true;
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/gpt");
    GptConfig size = gpt_defaults();
    Option option[] = {TRAIN_OPTIONS_OF(&c, DATA_OPTIONS(&c.data), WINDOWS_OPTION(&c)),
                       GPT_OPTIONS(&size)};
    Trainer t;
    Error err;
    c.weight_decay = 0.1;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);
    if (!preset_stands_alone(&size, option, LEN(option), &err) ||
        !gpt_check(&size, &t.data.task, &err)) {
        trainer_fail(&t, EXIT_USAGE, err.text);
        return trainer_close(&t);
    }
    if (c.dry_run) {
        gpt_describe(&size, &t.data.task);
        return trainer_close(&t);
    }

    Params ps = params_declare(c.seed);
    Gpt gpt = gpt_init(&ps, &size, t.data.task.vocab);
    Model model = gpt_model(&gpt);
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
    const int status = trainer_close(&t);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
