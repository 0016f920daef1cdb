/* Hugging Face's GPTs have our matrices: their Conv1D, unlike nn.Linear, stores (in,out). Queries, keys and values
 * are the three parts of the columns of one matrix, c_attn. One table of names serves both directions. */
#include "gpt/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/weights_map.h"
#include "system/file.h"
#include "tokens/bpe.h"
#include "tokens/bpe_files.h"

/* --- the names ---------------------------------------------------------------------------------------- */

#define TO(theirs_, ours_)                                                                         \
    {                                                                                              \
        .theirs = theirs_, .ours = ours_                                                           \
    }
#define LAYER(theirs, ours) TO(theirs ".weight", ours ".w"), TO(theirs ".bias", ours ".b")
#define NORM(theirs, ours)  TO(theirs ".weight", ours ".g"), TO(theirs ".bias", ours ".b")
#define THIRD(ours_, i)                                                                            \
    {.theirs = "h.*.attn.c_attn.weight", .ours = ours_ ".w", .take = {COLUMNS, i, 3}},             \
    {                                                                                              \
        .theirs = "h.*.attn.c_attn.bias", .ours = ours_ ".b", .take = { COLUMNS, i, 3 }            \
    }
#define IGNORED(theirs_, why)                                                                      \
    {                                                                                              \
        .theirs = theirs_, .ignored = why                                                          \
    }
#define BLOCKS                                                                                     \
    THIRD("block*.q", 0), THIRD("block*.k", 1), THIRD("block*.v", 2), /* in this order */          \
        LAYER("h.*.attn.c_proj", "block*.out"), LAYER("h.*.mlp.c_fc", "block*.up"),                \
        LAYER("h.*.mlp.c_proj", "block*.down"), NORM("h.*.ln_1", "block*.norm1"),                  \
        NORM("h.*.ln_2", "block*.norm2"), IGNORED("h.*.attn.bias", "the causal mask"),             \
        IGNORED("h.*.attn.masked_bias", "the value of hidden scores")
#define TIED                                                                                       \
    {                                                                                              \
        .theirs = "lm_head.weight", .ours = "word", .flags = WEIGHT_TIED                           \
    }
#define UNTIED TO("lm_head.weight", "head")
#define GPT1   TO("tokens_embed.weight", "word"), TO("positions_embed.weight", "position"), BLOCKS
#define GPT2   TO("wte.weight", "word"), TO("wpe.weight", "position"), NORM("ln_f", "norm"), BLOCKS

static WeightMap map_of(const GptConfig *c)
{
    static const WeightRule gpt1[] = {GPT1, TIED}, gpt1_untied[] = {GPT1, UNTIED};
    static const WeightRule gpt2[] = {GPT2, TIED}, gpt2_untied[] = {GPT2, UNTIED};
    WeightMap map = {.prefix = "transformer."};
    if (c->norm == GPT_POST_NORM) {
        map.rule = c->tied ? gpt1 : gpt1_untied;
        map.n = LEN(gpt1);
    } else {
        map.rule = c->tied ? gpt2 : gpt2_untied;
        map.n = LEN(gpt2);
    }
    return map;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static bool read_size(const json_t *j, const char *key, int most, int *value, Error *err)
{
    const json_t *v = json_object_get(j, key);
    const json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 1 || n > most)
        return error_set(err, "\"%s\" must be a whole number, 1 to %d", key, most);
    *value = (int)n;
    return true;
}

/* Fails if the value of a key asks for what our block does not have. */
static bool refuse_if(bool differs, const char *key, Error *err)
{
    return !differs || error_set(err,
                                 "\"%s\" has a value that this program cannot compute; it reads "
                                 "models built as GPT-1 and GPT-2 were published",
                                 key);
}

/* Reads which GELU; OpenAI's own code for GPT-1 calls the tanh form "gelu". */
static bool read_gelu(const json_t *j, GptConfig *c, Error *err)
{
    const bool is_1 = c->norm == GPT_POST_NORM;
    const char *key = is_1 ? "afn" : "activation_function";
    const char *name = json_string_value(json_object_get(j, key));
    if (!name) name = is_1 ? "gelu" : "gelu_new";
    c->gelu = !is_1 && strcmp(name, "gelu") == 0 ? GPT_ERF : GPT_TANH;
    return strcmp(name, "gelu") == 0 ||
           (!is_1 && (strcmp(name, "gelu_new") == 0 || strcmp(name, "gelu_pytorch_tanh") == 0)) ||
           error_set(err, "\"%s\": %s is unknown; this program has gelu%s", key, name,
                     is_1 ? "" : ", gelu_new and gelu_pytorch_tanh");
}

static bool read_model_type(const json_t *j, GptConfig *c, Error *err)
{
    const char *type = json_string_value(json_object_get(j, "model_type"));
    c->norm = type && strcmp(type, "openai-gpt") == 0 ? GPT_POST_NORM : GPT_PRE_NORM;
    return c->norm == GPT_POST_NORM || (type && strcmp(type, "gpt2") == 0) ||
           error_set(err, "\"model_type\": %s; this program reads gpt2 and openai-gpt",
                     type ? type : "is missing");
}

/* Refuses what a config.json can ask for and our block does not have. An absent key or null is as published. */
static bool is_our_block(const json_t *j, const GptConfig *c, Error *err)
{
    static const char *const variants[] = {"scale_attn_by_inverse_layer_idx",
                                           "add_cross_attention"};
    const json_t *eps = json_object_get(j, "layer_norm_epsilon");
    const json_t *inner = json_object_get(j, "n_inner");
    bool ok = refuse_if(json_is_number(eps) && json_number_value(eps) != 1e-5, "layer_norm_epsilon",
                        err) &&
              refuse_if(json_is_integer(inner) && json_integer_value(inner) != 4 * c->channels,
                        "n_inner", err) &&
              refuse_if(json_is_false(json_object_get(j, "scale_attn_weights")),
                        "scale_attn_weights", err);
    for (int i = 0; i < LEN(variants) && ok; i++)
        ok = refuse_if(json_is_true(json_object_get(j, variants[i])), variants[i], err);
    return ok;
}

static bool read_config(const json_t *j, GptConfig *c, int *V, Error *err)
{
    c->tied = !json_is_false(json_object_get(j, "tie_word_embeddings"));
    return read_model_type(j, c, err) && read_gelu(j, c, err) &&
           read_size(j, "n_layer", GPT_MAX_LAYERS, &c->layers, err) &&
           read_size(j, "n_embd", 65536, &c->channels, err) &&
           read_size(j, "n_head", 1024, &c->heads, err) &&
           read_size(j, "n_positions", 65536, &c->context, err) &&
           read_size(j, "vocab_size", 10000000, V, err) && is_our_block(j, c, err) &&
           (c->channels % c->heads == 0 ||
            error_set(err, "\"n_embd\" %d is not a multiple of \"n_head\" %d", c->channels,
                      c->heads));
}

bool gpt_read_config(const char *dir, GptConfig *c, int *V, Error *err)
{
    char *path = xformat("%s/config.json", dir);
    json_t *j = json_read(path, err);
    *c = gpt_defaults();
    const bool ok = j && (read_config(j, c, V, err) || error_in(err, path));
    json_decref(j);
    free(path);
    return ok;
}

bool gpt_import(const char *path, const Gpt *m, Params *ps, Error *err)
{
    const WeightMap map = map_of(&m->config);
    WeightReport report;
    return weights_map_load(path, &map, ps, &report, err);
}

/* Reads the files of a tokenizer in DIR; without any, 256 tokens are bytes. */
static bool read_tokens(const char *dir, int V, Tokenizer *tokens, Error *err)
{
    if (bpe_has_files(dir)) return bpe_read(tokens, dir, err);
    if (V != 256)
        return error_set(
            err, "%s: has no tokenizer; add vocab.json and merges.txt, or tokenizer.json", dir);
    *tokens = tokenizer_of(token_kind("byte"), TOKENS_STREAM, NULL, 0);
    return true;
}

bool gpt_import_tokens(const char *dir, int V, Tokenizer *tokens, Error *err)
{
    char *path = xformat("%s/config.json", dir);
    json_t *j = json_read(path, err), *vocab = json_object_get(j, "vocab");
    bool ok = j != NULL;
    if (vocab)
        ok = tokenizer_from_json(tokens, vocab, err) || error_in(err, path);
    else if (ok)
        ok = read_tokens(dir, V, tokens, err);
    if (ok && tokens->size != V) {
        ok = error_set(err, "%s: the tokenizer has %d tokens, \"vocab_size\" is %d", path,
                       tokens->size, V);
        tokenizer_free(tokens);
    }
    json_decref(j);
    free(path);
    return ok;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static bool write_config(const char *dir, const Gpt *m, const Tokenizer *tokens, Error *err)
{
    const GptConfig *c = &m->config;
    const bool is_1 = c->norm == GPT_POST_NORM;
    if (is_1 && c->gelu == GPT_ERF)
        return error_set(err, "transformers has no model with --norm post and --gelu erf; train "
                              "with --gelu tanh");
    json_t *j = json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:f, s:f, s:b, s:n, s:n, s:s}",
        "architectures", is_1 ? "OpenAIGPTLMHeadModel" : "GPT2LMHeadModel", "model_type",
        is_1 ? "openai-gpt" : "gpt2", "vocab_size", m->word->shape.d[0], "n_positions", c->context,
        "n_embd", c->channels, "n_layer", c->layers, "n_head", c->heads,
        is_1 ? "afn" : "activation_function", is_1 || c->gelu == GPT_ERF ? "gelu" : "gelu_new",
        "layer_norm_epsilon", 1e-5, "initializer_range", c->init_std, "resid_pdrop", c->dropout,
        "embd_pdrop", c->dropout, "attn_pdrop", c->dropout, "tie_word_embeddings", c->tied,
        "bos_token_id", "eos_token_id", "torch_dtype", "float32");
    char *path = xformat("%s/config.json", dir);
    if (j && tokens) json_object_set_new(j, "vocab", tokenizer_to_json(tokens));
    const bool ok = j ? json_write(path, j, err)
                      : error_set(err, "%s: out of memory; use a smaller model", path);
    json_decref(j);
    free(path);
    return ok;
}

/* Returns a name of the table with * replaced by the layer's number, after a prefix. */
static char *name_of(Tape *tp, const char *prefix, const char *pattern, int layer)
{
    enum { ROOM = 128 };
    const char *star = strchr(pattern, '*');
    const int head = star ? (int)(star - pattern) : (int)strlen(pattern);
    char *name = tape_save(tp, ROOM), number[16] = "";
    if (star) snprintf(number, sizeof number, "%d", layer);
    snprintf(name, ROOM, "%s%.*s%s%s", prefix, head, pattern, number, star ? star + 1 : "");
    return name;
}

/* Joins the columns of three parameters: (C,N) each -> (C,3N), or (N) -> (3N). */
static Tensor *join(Tape *tp, const Params *ps, const WeightRule *r, int layer)
{
    const int step = 2; /* in the table weights and biases take turns */
    Tensor *part[3];
    for (int i = 0; i < 3; i++) part[i] = params_find(ps, name_of(tp, "", r[i * step].ours, layer));
    const int N = shape_last(part[0]->shape), rows = part[0]->len / N;
    Tensor *whole = tape_tensor(tp, shape_with_last(part[0]->shape, 3 * N));
    whole->name = r->theirs;
    for (int row = 0; row < rows; row++)
        for (int i = 0; i < 3; i++)
            memcpy(whole->data + (size_t)(3 * row + i) * N, part[i]->data + (size_t)row * N,
                   (size_t)N * sizeof(real));
    return whole;
}

/* Describes all tensors under their names; returns how many. t has room for them. */
static int describe(Tape *tp, const WeightMap *map, const Gpt *m, const Params *ps, StTensor *t)
{
    int n = 0;
    for (int k = 0; k < map->n; k++) {
        const WeightRule *r = &map->rule[k];
        if (!r->ours || r->flags & WEIGHT_TIED || r->take.index > 0) continue;
        const int layers = strchr(r->theirs, '*') ? m->config.layers : 1;
        for (int i = 0; i < layers; i++) {
            const char *prefix = strncmp(r->theirs, "lm_head", 7) == 0 ? "" : map->prefix;
            const Tensor *ours =
                r->take.count ? join(tp, ps, r, i) : params_find(ps, name_of(tp, "", r->ours, i));
            t[n] = safetensors_of(ours);
            t[n++].name = name_of(tp, prefix, r->theirs, i);
        }
    }
    return n;
}

bool gpt_export(const char *dir, const Gpt *m, const Params *ps, const Tokenizer *tokens,
                Error *err)
{
    if (!dir_is_empty(dir))
        return error_set(err, "%s: is there and not an empty directory; give a new one", dir);
    const WeightMap map = map_of(&m->config);
    Tape tp = {.frozen = true};
    StTensor *t = xcalloc((size_t)ps->n, sizeof *t);
    char *path = xformat("%s/model.safetensors", dir);
    const int n = describe(&tp, &map, m, ps, t);
    const Bpe *bpe = tokens ? tokens->bpe : NULL;
    const bool is_gpt2 = bpe && !bpe->digits_alone && !bpe->whole_pieces;
    const bool ok = dir_make(dir, err) && write_config(dir, m, tokens, err) &&
                    (!is_gpt2 || bpe_write(tokens, dir, err)) &&
                    safetensors_save(path, t, n, NULL, err);
    free(path), free(t);
    tape_free(&tp);
    return ok;
}
