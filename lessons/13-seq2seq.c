/* Lesson 13: two mistakes that training does not show.
 *
 * Trains as seq2seq_attention/train.c does, then scores held-out sources of each length, every one
 * alone, and writes two outputs. With --mistake no-eos the network is never told that an output
 * ends; with --mistake padding the encoder's state is taken after the padding of a batch, and not
 * after a source's last true token. See lessons/13-seq2seq.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/evaluate.h"
#include "tokens/tokenizer.h"
#include "seq2seq_attention/decoder.h"
#include "seq2seq_attention/seq2seq.h"
#include "programs/trainer.h"

static const Usage usage = {
    .program = "lessons/13-seq2seq",
    .about = "Trains an encoder-decoder network with a mistake, and shows what it writes.",
    .operands = "",
    .examples = "  ./lessons/13-seq2seq --task copy --mistake padding --out runs/l13-padding\n",
};

enum { EXAMPLES = 1000, OUTPUTS = 2 };

static void spoil(Batch *batch, const char *mistake)
{
    if (strcmp(mistake, "no-eos") == 0)
        for (int i = 0; i < batch->T * batch->B; i++)
            if (batch->y[i] == EOS) batch->y[i] = -1;
    if (strcmp(mistake, "padding") == 0)
        for (int b = 0; b < batch->B; b++) batch->s_len[b] = batch->S;
}

static void print_scores(const Data *d, const Model *m)
{
    const Task *task = &d->task;
    for (int i = 0; i < task->n_lengths && task->lengths[i] <= task->length; i++) {
        Score s = {0};
        data_evaluate(d, m, SPLIT_TEST, task->lengths[i], EXAMPLES, 0, &s);
        printf("length %2d: sequence accuracy %.3f, token accuracy %.3f\n", task->lengths[i],
               s.right / s.sequences, s.hits / s.asked);
    }
}

static void print_outputs(const Data *d, const Seq2seq *m)
{
    Seq2seqDecoder decoder = seq2seq_decoder_init(m);
    const Translator t = seq2seq_decoder_translator(&decoder);
    Batch batch = batch_new();
    for (int i = 0; i < OUTPUTS; i++) {
        task_heldout(&d->task, SPLIT_TEST, d->task.lengths[1], i, 1, &batch);
        const int limit = 3 * batch.S;
        int *output = xmalloc((size_t)limit * sizeof *output);
        t.read(t.self, batch.s, batch.S);
        const int len = decode_greedy(&t.decoder, limit, output, NULL);
        char *source = tokenizer_decode(&d->pairs.source, batch.s, batch.S, NULL);
        char *text = tokenizer_decode(&d->pairs.target, output, len, NULL);
        printf("  source  %s\n  output  %s%s\n", source, text, len == limit ? " ..." : "");
        free(output), free(source), free(text);
    }
    batch_free(&batch);
    seq2seq_decoder_free(&decoder);
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/l13");
    Seq2seqConfig size = seq2seq_defaults();
    const char *mistake = "none";
    Option option[] = {TRAIN_PAIRS_OPTIONS(&c), SEQ2SEQ_OPTIONS(&size), OPTION_GROUP("Mistake"),
                       OPTION_CHOICE("mistake", &mistake, "none|no-eos|padding", "what is wrong")};
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
        spoil(&t.batch, mistake);
        const Loss loss = model_loss(&tp, &model, &t.batch, NULL, &dropout);
        if (!trainer_backward(&t, &tp, loss)) continue;
        const double norm = params_clip(&ps, c.grad_clip);
        if (!trainer_finite(&t, &tp, norm)) break;
        optim_step(&optim, &ps, lr_at(&t.schedule, t.step));
        trainer_log(&t, norm);
        tape_reset(&tp);
    }
    if (ready) print_scores(&t.data, &model);
    if (ready && t.data.task.n_lengths > 1) print_outputs(&t.data, &seq2seq);
    const int status = trainer_close(&t);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
