/* The output of a train program: sizes, the header of a run, its summary, loss.png. */
#include "measure/ngram_level.h"
#include "base/say.h"
#include "programs/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/parallel.h"
#include "system/plot.h"
#include "programs/runlog_script.h"

void trainer_arch(const Usage *usage, char *name, size_t room)
{
    snprintf(name, room, "%.*s", (int)strcspn(usage->program, "/"), usage->program);
}

void trainer_print_sizes(Trainer *t)
{
    const Params *ps = t->params;
    printf("%-24s %-16s %10s\n", "parameter", "shape", "values");
    for (int i = 0; i < ps->n; i++)
        printf("%-24s %-16s %10d%s\n", ps->tensor[i]->name, shape_text(ps->tensor[i]->shape).text,
               ps->tensor[i]->len, ps->tensor[i]->requires_grad ? "" : "  frozen");
    Tape tp = {0};
    Rng rng = rng_make(t->config->seed, RNG_BATCH, 1);
    task_batch(&t->data.task, SPLIT_TRAIN, t->config->data.seq_len, &rng, t->config->batch,
               &t->batch);
    tape_backward(&tp, model_loss(&tp, t->model, &t->batch, NULL, NULL).mean);
    const double mb = 1e-6, reals = (double)(ps->len * sizeof(real)) * mb;
    const double trainable = (double)(ps->trainable * sizeof(real)) * mb;
    const int moments = t->optim->kind == OPTIM_ADAMW ? 2 : 1;
    const TrainConfig *c = t->config;
    char updates[32], batches[32] = "";
    snprintf(updates, sizeof updates, c->budget > 0 ? "%g s" : "%.0f updates",
             c->budget > 0 ? c->budget : c->steps);
    if (c->accumulate > 1) snprintf(batches, sizeof batches, "%d x ", c->accumulate);
    printf("\n%zu parameters; %s of %s%d sequences of %d steps\n", ps->count, updates, batches,
           c->batch, t->batch.T);
    printf("memory: %.1f MB parameters, %.1f MB gradients, %.1f MB moments, %.1f MB per step\n",
           reals, trainable, moments * trainable, (double)arena_reserved(&tp.arena) * mb);
    tape_free(&tp);
}

/* Prints how many pairs of --valid and --test share a side with a training pair: they are not filtered. */
static void print_shared(const Pairs *p, const PairsConfig *c)
{
    const char *const file[3] = {[SPLIT_VALID] = c->valid, [SPLIT_TEST] = c->test};
    for (int split = SPLIT_VALID; split <= SPLIT_TEST; split++)
        if (file[split])
            say("%s: %d of %d pairs share the source or the target with a training pair\n",
                file[split], p->shared[split], p->n[split]);
}

static void print_pairs(const Trainer *t)
{
    const Pairs *p = &t->data.pairs;
    if (p->is_table)
        say("%d pairs for training, %d for validation, %d for test\n", p->n[SPLIT_TRAIN],
            p->n[SPLIT_VALID], p->n[SPLIT_TEST]);
    if (p->left_out || p->too_long || p->empty || p->repeated)
        say("pairs left out: %d with the target of a held-out pair, %d too long, %d empty, "
            "%d repeated\n",
            p->left_out, p->too_long, p->empty, p->repeated);
    if (p->further)
        say("%d lines have more than two columns; the first two are read\n", p->further);
    print_shared(p, &t->config->data.pairs);
    say("vocabularies of %d and %d", p->source.size, p->target.size);
    if (p->is_table)
        say("; %.2f%% and %.2f%% of the test tokens are not in them", 100 * p->unknown[0],
            100 * p->unknown[1]);
    fputc('\n', stderr);
}

/* Prints the share of unknown words: rare words are unknown in every text. */
static void print_unknown_words(const Trainer *t)
{
    const Text *text = &t->data.text;
    if (!t->data.is_text || !tokenizer_of_words(&text->tokens)) return;
    say("%.2f%% of the training words and %.2f%% of the held-out ones are unknown\n",
        100 * text_unknown(text, SPLIT_TRAIN), 100 * text_unknown(text, SPLIT_VALID));
}

void trainer_print_header(const Trainer *t)
{
    const TrainConfig *c = t->config;
    const Task *task = &t->data.task;
    data_warn(&t->data, t->usage->program, true);
    if (c->quiet) return;
    say("%s: %s, %zu parameters, %d updates of %d x %d, %d thread%s, seed %llu\n",
        t->usage->program, data_name(&c->data), t->params->count, c->steps, c->batch,
        c->data.seq_len, parallel_max(), parallel_max() > 1 ? "s" : "",
        (unsigned long long)c->seed);
    if (t->data.text.files)
        say("%d *.md files in the order of their names; %d other entries are left out\n",
            t->data.text.files, t->data.text.others);
    if (t->data.is_text)
        say("%d training and %d validation tokens, vocabulary of %d\n", t->data.text.n[SPLIT_TRAIN],
            t->data.text.n[SPLIT_VALID], t->data.text.tokens.size);
    print_unknown_words(t);
    if (t->data.is_pairs) print_pairs(t);
    if (t->step && t->step >= c->steps)
        say("all %d updates are done; continue with more --steps\n", t->step);
    else if (t->step && trainer_stopped_early(t))
        say("stopped early at step %d; continue with a larger --early-stop\n", t->step);
    else if (t->step)
        say("continuing after step %d\n", t->step);
    if (!isnan(task->loss_chance))
        say("loss at chance level %.4f%s\n", task->loss_chance,
            task->outputs ? " nats per token" : "");
}

void trainer_draw_loss(const Trainer *t)
{
    const char *kind = t->config->plot, *dir = t->config->out;
    if (strcmp(kind, "none") == 0) return;
    Error err;
    const LossFigure figure = {.model = t->model->name,
                               .config = &t->config->data,
                               .data = &t->data,
                               .ngram = ngram_level(&t->data)};
    char *script = xformat("%s/loss.gp", dir), *picture = xformat("%s/loss.%s", dir, kind);
    const bool ok = runlog_script(dir, &figure, &err);
    trainer_warn(t, ok, &err);
    if (ok) plot_draw(script, picture, kind, 900, 600);
    free(script), free(picture);
}

void trainer_print_summary(const Trainer *t)
{
    const LogRow *r = &t->log.valid;
    const char *dir = t->config->out;
    if (t->config->quiet) return;
    if (t->log.dangling) fputc('\n', stderr);
    if (!isnan(r->valid_loss))
        say("step %d: validation loss %.4f, %s %.4f, %.1f s\n", t->step, r->valid_loss,
            data_metric_name(&t->data), r->metric, t->state.seconds);
    if (!isnan(r->valid_loss) && t->data.is_text && t->data.text.tokens.bpe)
        say("%.4f bits per byte, %.2f bytes per token\n", r->metric / t->data.text.bytes_per_token,
            t->data.text.bytes_per_token);
    if (trainer_stopped_early(t))
        say("stopped early: the last %d validations had no lower loss\n", (int)t->state.worse);
    if (t->state.best_step && t->state.best_step < t->step)
        say("best.safetensors: validation loss %.4f at step %d; evaluate it with eval --best\n",
            t->state.best_loss, (int)t->state.best_step);
    say("in %s: model.safetensors, log.csv%s%s\n", dir,
        strcmp(t->config->plot, "png") == 0 ? ", loss.png" : "",
        t->status ? "; continue with --resume" : "");
    if (t->usage->next) say("next: %s %s\n", t->usage->next, dir);
}
