/* Trains an encoder-decoder network. This file shows the whole training loop; common/programs/trainer.h
 * has options, data and logging, seq2seq.c the model. */
#include "seq2seq_attention/seq2seq.h"
#include "programs/trainer.h"

static const Usage usage = {
    .program = "seq2seq_attention/train",
    .about = "Trains two recurrent networks, one that reads and one that writes (Sutskever et al. "
             "2014; Cho et al. 2014), with attention between them (Bahdanau et al. 2014; Luong et "
             "al. 2015) or without, on pairs of sequences.",
    .operands = "",
    .next = "./seq2seq_attention/eval",
    .examples = "  ./seq2seq_attention/train --task reverse --out runs/reverse\n"
                "  ./seq2seq_attention/train --task dates --attention dot --out runs/dates\n"
                "  ./seq2seq_attention/train --task places --unit jamo --out runs/places-jamo\n",
};

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/seq2seq");
    Seq2seqConfig size = seq2seq_defaults();
    Option option[] = {TRAIN_PAIRS_OPTIONS(&c), SEQ2SEQ_OPTIONS(&size)};
    Trainer t;
    Error err;
    c.data.of_pairs = true;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);
    if (!seq2seq_check(&size, &err)) {
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
    const int status = trainer_close(&t);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
