/* The sizes of a Transformer: defaults, presets, options that contradict each other; and its parameters. */
#include "transformer/transformer.h"

#include <math.h>

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

/* --- parameters -------------------------------------------------------------------------------------- */

static MultiHead multi_head_init(Params *ps, int C, const char *name)
{
    MultiHead a;
    params_push(ps, "%s", name);
    a.q = linear_init(ps, C, C, "q");
    a.k = linear_init(ps, C, C, "k");
    a.v = linear_init(ps, C, C, "v");
    a.out = linear_init(ps, C, C, "out");
    params_pop(ps);
    return a;
}

static Norm norm_of(Params *ps, const TransformerConfig *c, const char *name)
{
    if (c->norm == NO_NORM) return (Norm){0};
    return norm_init(ps, c->channels, name);
}

static Block block_init(Params *ps, const TransformerConfig *c, bool has_cross, const char *name,
                        int layer)
{
    const int C = c->channels;
    Block b = {0};
    params_push(ps, "%s%d", name, layer);
    b.self = multi_head_init(ps, C, "self");
    b.norm_self = norm_of(ps, c, "norm_self");
    if (has_cross) {
        b.cross = multi_head_init(ps, C, "cross");
        b.norm_cross = norm_of(ps, c, "norm_cross");
    }
    if (c->ffn) {
        b.up = linear_init(ps, C, c->ffn, "up");
        b.down = linear_init(ps, c->ffn, C, "down");
        b.norm_ffn = norm_of(ps, c, "norm_ffn");
    }
    params_pop(ps);
    return b;
}

Transformer transformer_init(Params *ps, const TransformerConfig *config, const Task *task)
{
    Transformer m = {.config = *config, .has_encoder = task->source_vocab > 0};
    const int C = config->channels;
    const bool learned = config->positions == LEARNED;
    CHECK(config->layers <= TRANSFORMER_MAX_LAYERS, "transformer: %d layers; at most %d",
          config->layers, TRANSFORMER_MAX_LAYERS);
    if (m.has_encoder) {
        m.source_embed = param(ps, SHAPE(task->source_vocab, C), 1 / sqrt(C), "source.embed");
        if (learned) m.source_position = param(ps, SHAPE(config->longest, C), 0.1, "source.place");
        for (int i = 0; i < config->layers; i++)
            m.encoder[i] = block_init(ps, config, false, "encoder", i);
        if (config->norm == PRE_NORM) m.encoder_norm = norm_init(ps, C, "encoder.norm");
    }
    m.target_embed = param(ps, SHAPE(task->vocab, C), 1 / sqrt(C), "target.embed");
    if (learned) m.target_position = param(ps, SHAPE(config->longest, C), 0.1, "target.place");
    for (int i = 0; i < config->layers; i++)
        m.decoder[i] = block_init(ps, config, m.has_encoder, "decoder", i);
    if (config->norm == PRE_NORM) m.decoder_norm = norm_init(ps, C, "decoder.norm");
    if (!config->tied) m.head = linear_init(ps, C, task->outputs, "head");
    return m;
}
