/* The options of a GPT: defaults, presets, and options that contradict each other. */
#include "gpt/gpt.h"

#include <math.h>

GptConfig gpt_defaults(void)
{
    return (GptConfig){.layers = 4,
                       .channels = 128,
                       .heads = 4,
                       .norm = GPT_PRE_NORM,
                       .gelu = GPT_TANH,
                       .tied = true,
                       .scaled = true};
}

/* microgpt: Karpathy's sizes of 2026, whose network also lacks biases and has ReLU. nano: nanoGPT's setting for
 * a CPU. gpt1: Radford et al. 2018, s4.1, with its published vocabulary 116,534,784 parameters. The others:
 * Radford et al. 2019, Table 2, of which gpt2 is the smallest; the paper's own counts are too low. */
static const struct {
    GptConfig config;
    int vocab;
} presets[] = {
    [GPT_MICRO] = {{.layers = 1,
                    .channels = 16,
                    .heads = 4,
                    .context = 16,
                    .gelu = GPT_ERF,
                    .init_std = 0.08},
                   0}, /* none was published */
    [GPT_NANO] = {{.layers = 4,
                   .channels = 128,
                   .heads = 4,
                   .context = 64,
                   .gelu = GPT_ERF,
                   .tied = true,
                   .scaled = true,
                   .init_std = 0.02},
                  0},
    [GPT_1] = {{.layers = 12,
                .channels = 768,
                .heads = 12,
                .context = 512,
                .dropout = 0.1,
                .norm = GPT_POST_NORM,
                .tied = true,
                .init_std = 0.02},
               40478},
#define OF_2019(layers_, channels_, heads_)                                                        \
    {                                                                                              \
        {.layers = layers_,                                                                        \
         .channels = channels_,                                                                    \
         .heads = heads_,                                                                          \
         .context = 1024,                                                                          \
         .dropout = 0.1,                                                                           \
         .tied = true,                                                                             \
         .scaled = true,                                                                           \
         .init_std = 0.02},                                                                        \
            50257                                                                                  \
    }
    [GPT_2] = OF_2019(12, 768, 12),
    [GPT_MEDIUM] = OF_2019(24, 1024, 16),
    [GPT_LARGE] = OF_2019(36, 1280, 20),
    [GPT_XL] = OF_2019(48, 1600, 25),
};

int gpt_published_vocab(GptPreset preset)
{
    return presets[preset].vocab;
}

int gpt_longest(const Task *task)
{
    int longest = task->length;
    for (int i = 0; i < task->n_lengths; i++)
        if (task->lengths[i] > longest) longest = task->lengths[i];
    return longest + task->extra;
}

bool gpt_check(GptConfig *c, const Task *task, Error *err)
{
    const GptPreset preset = c->preset;
    if (preset != GPT_NO_PRESET) {
        *c = presets[preset].config;
        c->preset = preset;
    }
    if (!task->vocab || !task->outputs)
        return error_set(err,
                         "task %s: its inputs are real numbers, and a GPT reads tokens; choose "
                         "another task",
                         task->name);
    const int steps = gpt_longest(task);
    if (c->init_std == 0) c->init_std = 1 / sqrt(c->channels);
    if (c->context == 0) c->context = steps;
    if (c->channels % c->heads)
        return error_set(err, "--channels %d: must be a multiple of --heads %d", c->channels,
                         c->heads);
    if (steps > c->context)
        return error_set(err,
                         "%s %d: sequences have up to %d steps; give a smaller --seq-len, or a "
                         "larger --context",
                         preset != GPT_NO_PRESET ? "the preset's context of" : "--context",
                         c->context, steps);
    return true;
}
