#include "formats/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "system/file.h"
#include "system/utf8.h"

/* --- the vocabulary ------------------------------------------------------------------------------ */

static bool bytes_as_vocab(Weights *f)
{
    f->tokens = tokenizer_of(token_kind("byte"), TOKENS_STREAM, NULL, 0);
    f->row = xmalloc(256 * sizeof *f->row);
    for (int i = 0; i < 256; i++) f->row[i] = i;
    return true;
}

/* Turns a list of characters, ["a", ...], into the object of their places, {"a": 0, ...}; a character that the list
 * has twice gets one place. Returns the object, which replaces the list. */
static json_t *places_of(json_t *list)
{
    size_t i;
    json_t *item, *table = json_object();
    json_array_foreach(list, i, item) if (json_is_string(item))
        json_object_set_new(table, json_string_value(item), json_integer((json_int_t)i));
    json_decref(list);
    return table;
}

/* Appends the keys of vocab.json to text. Fails unless each key is one character and the ids are
 * exactly 0 .. V-1. */
static bool read_characters(const Weights *f, json_t *table, const char *path, char *text,
                            Error *err)
{
    const char *key;
    json_t *value;
    bool *seen = xcalloc((size_t)f->V, sizeof *seen), ok = true;
    if (!json_is_object(table) || (int)json_object_size(table) != f->V)
        ok = error_set(err, "%s: has %zu characters; the embedding has %d rows", path,
                       json_object_size(table), f->V);
    json_object_foreach(table, key, value)
    {
        int code;
        const size_t len = strlen(key);
        const json_int_t id = json_integer_value(value);
        if (!ok) break;
        if (len == 0 || (size_t)utf8_decode(key, len, &code) != len || code <= 0)
            ok = error_set(err,
                           "%s: the key \"%s\" of id %lld is not one character; correct it in a "
                           "copy and give that with --vocab",
                           path, key, (long long)id);
        else if (!json_is_integer(value) || id < 0 || id >= f->V || seen[id])
            ok = error_set(err, "%s: \"%s\": each character needs its own id, from 0 to %d", path,
                           key, f->V - 1);
        else
            seen[id] = true, text = stpcpy(text, key);
    }
    free(seen);
    return ok;
}

/* Reads the vocabulary. named: the user gave the path with --vocab. */
static bool read_vocab(Weights *f, const char *path, bool named, Error *err)
{
    if (!file_exists(path))
        return f->V == 256 && !named
                   ? bytes_as_vocab(f)
                   : error_set(err,
                               "%s does not exist; it must map each character to its row of the "
                               "embedding, {\"a\": 0, ...}; give another file with --vocab",
                               path);
    json_t *table = json_read(path, err);
    if (!table) return false;
    if (json_is_array(table)) table = places_of(table);
    char *text = xcalloc((size_t)f->V + 1, 4);
    const bool ok = read_characters(f, table, path, text, err);
    if (ok) {
        f->tokens = tokenizer_raw(text, strlen(text));
        f->row = xmalloc((size_t)f->tokens.size * sizeof *f->row);
        f->row[STREAM_UNK] = -1;
        for (int id = f->tokens.first; id < f->tokens.size; id++)
            f->row[id] =
                (int)json_integer_value(json_object_get(table, f->tokens.symbols.string[id]));
    }
    free(text);
    json_decref(table);
    return ok;
}

/* --- opening ------------------------------------------------------------------------------------- */

/* Returns the path of vocab.json in the directory `path`, or in the directory of the file
 * `path`. */
static char *vocab_path(const char *path, bool is_dir)
{
    const char *slash = strrchr(path, '/');
    if (is_dir) return xformat("%s/vocab.json", path);
    return slash ? xformat("%.*s/vocab.json", (int)(slash - path), path) : xstrdup("vocab.json");
}

bool weights_open(Weights *f, const char *path, const char *vocab, Error *err)
{
    struct stat st;
    *f = (Weights){.memory = {.frozen = true}};
    if (stat(path, &st) != 0) return error_set(err, "--import: %s does not exist", path);
    const bool is_dir = S_ISDIR(st.st_mode);
    char *beside = vocab_path(path, is_dir);
    const bool ok = (is_dir ? weights_read_tensorflow : weights_read_torch)(f, path, err) &&
                    read_vocab(f, vocab ? vocab : beside, vocab != NULL, err);
    free(beside);
    if (!ok) weights_close(f);
    return ok;
}

void weights_close(Weights *f)
{
    tokenizer_free(&f->tokens);
    free(f->row);
    tape_free(&f->memory);
    params_free(&f->theirs);
    *f = (Weights){0};
}

/* --- copying into our parameters -------------------------------------------------------------- */

/* Returns the position of a gate in a list like "i f g o", from 0. */
static int block_of(const char *gates, char gate)
{
    int i = 0;
    while (gates[i] && gates[i] != gate) i++;
    CHECK(gates[i], "weights: there is no gate %c in \"%s\"", gate, gates);
    return i / 2;
}

/* Copies the gates' blocks of H columns from `from` (R,gH) to `to` (R,gH), in the order of
 * `gates`. */
static void copy_blocks(const Weights *f, const char *gates, Tensor *to, const Tensor *from)
{
    const int H = f->H, N = to->shape.d[to->shape.n - 1], R = to->len / N;
    CHECK(to->len == from->len, "weights: %s into %s", shape_text(from->shape).text,
          shape_text(to->shape).text);
    for (int k = 0; k < N / H; k++) {
        const int block = block_of(f->gates, gates[2 * k]);
        for (int r = 0; r < R; r++)
            memcpy(to->data + (size_t)r * N + (size_t)k * H,
                   from->data + (size_t)r * N + (size_t)block * H, (size_t)H * sizeof *to->data);
    }
}

void weights_layer(const Weights *f, int layer, const char *gates, Tensor *w, Tensor *u, Tensor *b,
                   Tensor *k)
{
    const WeightsLayer *l = &f->layer[layer];
    const int H = f->H;
    copy_blocks(f, gates, w, l->w);
    copy_blocks(f, gates, u, l->u);
    copy_blocks(f, gates, b, l->bx);
    for (int i = 0; i < b->len && l->bh; i++) {
        const char gate = gates[2 * (i / H)];
        const real bias = l->bh->data[(size_t)block_of(f->gates, gate) * H + i % H];
        if (k && gate == 'n')
            k->data[i % H] = bias;
        else
            b->data[i] += bias;
    }
    for (int j = 0; j < H && f->forget_bias != 0; j++)
        b->data[block_of(gates, 'f') * H + j] += (real)f->forget_bias;
}

void weights_ends(const Weights *f, Tensor *embed, const Linear *head)
{
    const int V = f->tokens.size;
    CHECK(shape_equal(embed->shape, SHAPE(V, f->C)) && shape_equal(head->w->shape, SHAPE(f->H, V)),
          "weights_ends: embed %s, head %s", shape_text(embed->shape).text,
          shape_text(head->w->shape).text);
    for (int id = 0; id < V; id++) {
        const int row = f->row[id];
        for (int j = 0; j < f->C; j++)
            embed->data[id * f->C + j] = row < 0 ? 0 : f->embed->data[row * f->C + j];
        for (int j = 0; j < f->H; j++)
            head->w->data[j * V + id] = row < 0 ? 0 : f->head.w->data[j * f->V + row];
        head->b->data[id] = row < 0 ? (real)-1e9 : f->head.b ? f->head.b->data[row] : 0;
    }
}
