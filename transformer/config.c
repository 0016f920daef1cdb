/* The sizes and kinds of a Transformer: defaults, presets, and options that contradict each other. */
#include "transformer/transformer.h"

TransformerConfig transformer_defaults(void)
{
    return (TransformerConfig){.preset = NO_PRESET,
                               .layers = 2,
                               .channels = 128,
                               .heads = 4,
                               .ffn = 512,
                               .positions = SINUSOID,
                               .norm = POST_NORM,
                               .residual = true,
                               .tied = true,
                               .longest = 256};
}

/* Sets the sizes of a preset: tiny, or those of the paper (Table 3). */
static void apply_preset(TransformerConfig *c)
{
    static const struct {
        int layers, channels, heads, ffn;
        double dropout;
    } presets[] = {[PRESET_TINY] = {2, 64, 4, 256, 0},
                   [PRESET_BASE] = {6, 512, 8, 2048, 0.1},
                   [PRESET_BIG] = {6, 1024, 16, 4096, 0.3}};
    if (c->preset == NO_PRESET) return;
    c->layers = presets[c->preset].layers, c->channels = presets[c->preset].channels;
    c->heads = presets[c->preset].heads, c->ffn = presets[c->preset].ffn;
    c->dropout = presets[c->preset].dropout;
}

bool transformer_check(TransformerConfig *c, const Task *task, Error *err)
{
    apply_preset(c);
    int steps = task->length; /* of the longest sequence of training or eval */
    for (int i = 0; i < task->n_lengths; i++)
        if (task->lengths[i] > steps) steps = task->lengths[i];
    steps += task->extra;
    if (c->channels % c->heads)
        return error_set(err, "--channels %d: must be a multiple of --heads %d", c->channels,
                         c->heads);
    if (c->positions == ROTARY && c->channels / c->heads % 2)
        return error_set(
            err, "--positions rotary rotates pairs of channels: --channels %d / --heads %d is odd",
            c->channels, c->heads);
    if (!task->outputs)
        return error_set(err,
                         "task %s: its inputs are real numbers, and a Transformer reads tokens",
                         task->name);
    if (c->positions == LEARNED && steps > c->longest)
        return error_set(err, "--longest %d: the task has up to %d steps", c->longest, steps);
    return true;
}
