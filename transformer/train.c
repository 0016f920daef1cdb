/* Trains a Transformer. This file shows the whole training loop; common/programs/trainer.h has options,
 * data and logging, transformer.c the model. */
#include "transformer/describe.h"
#include "programs/trainer.h"
#include "transformer/transformer.h"

static const Usage usage = {
    .program = "transformer/train",
    .about =
        "Trains a Transformer (Vaswani et al. 2017), encoder and decoder, on pairs of sequences; "
        "on a task of one sequence (--task recall, induction, parity, dyck, agreement or "
        "copy-memory) its decoder alone.",
    .operands = "",
    .next = "./transformer/eval",
    .examples = "  ./transformer/train --task reverse --out runs/reverse\n"
                "  ./transformer/train --task dates --norm pre --out runs/dates\n"
                "  ./transformer/train --task dates --preset base --dry-run\n",
};

/* Fails if a size was given beside a preset, which would override it. */
static bool preset_stands_alone(const TransformerConfig *size, Option *option, int n, Error *err)
{
    static const char *const sizes[] = {"layers", "channels", "heads", "ffn", "dropout"};
    static const char *const presets[] = {"none", "tiny", "base", "big"};
    for (int i = 0; i < LEN(sizes) && size->preset != NO_PRESET; i++)
        if (args_find(option, n, sizes[i])->given)
            return error_set(err, "--%s: --preset %s sets it already; give all sizes or the preset",
                             sizes[i], presets[size->preset]);
    return true;
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/transformer");
    TransformerConfig size = transformer_defaults();
    Option option[] = {TRAIN_PAIRS_OPTIONS(&c), TRANSFORMER_OPTIONS(&size)};
    Trainer t;
    Error err;
    c.data.of_pairs = c.data.or_task = true;
    c.beta2 = 0.98;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);
    if (!preset_stands_alone(&size, option, LEN(option), &err) ||
        !transformer_check(&size, &t.data.task, &err)) {
        trainer_fail(&t, EXIT_USAGE, err.text);
        return trainer_close(&t);
    }
    if (c.dry_run) {
        transformer_describe(&size, &t.data.task);
        return trainer_close(&t);
    }

    Params ps = params_declare(c.seed);
    Transformer transformer = transformer_init(&ps, &size, &t.data.task);
    Model model = transformer_model(&transformer);
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
