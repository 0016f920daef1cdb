/* Writes and reads byte-level BPE as JSON, for a run's config.json:
 *
 *     {"unit": "bpe", "merges": "h e\nhe l", "special_tokens": ["<|endoftext|>"]}
 *
 * The ids follow from the merges: first the bytes, then each new token, then the special tokens. A
 * tokenizer with other ids has the spelling of every id in "symbols". "options" lists what is true
 * of special_in_text, digits_alone, whole_pieces. */
#include <stdlib.h>
#include <string.h>

#include "tokens/bpe_build.h"
#include "tokens/bpe_json.h"
#include "tokens/detokenizer.h"

static const char *const option[] = {"special_in_text", "digits_alone", "whole_pieces"};

static bool *option_of(Bpe *b, int i)
{
    return i == 0 ? &b->special_in_text : i == 1 ? &b->digits_alone : &b->whole_pieces;
}

/* --- writing -------------------------------------------------------------------------------------- */

static json_t *merges_of(const Tokenizer *t)
{
    Detokenizer all = {0};
    for (int i = 0; i < t->bpe->n_merges; i++) {
        const char *left = t->symbols.string[t->bpe->merge[i].left];
        const char *right = t->symbols.string[t->bpe->merge[i].right];
        if (i) detokenizer_add(&all, "\n", 1);
        detokenizer_add(&all, left, strlen(left));
        detokenizer_add(&all, " ", 1);
        detokenizer_add(&all, right, strlen(right));
    }
    json_t *merges = json_stringn(all.len ? all.text : "", all.len);
    detokenizer_free(&all);
    return merges;
}

static bool same_ids(const Tokenizer *t, const json_t *j)
{
    Tokenizer other;
    Error err;
    if (!bpe_from_json(&other, j, &err)) return false;
    bool same = other.size == t->size;
    for (int id = 0; id < t->size && same; id++)
        same = strcmp(t->symbols.string[id], other.symbols.string[id]) == 0;
    tokenizer_free(&other);
    return same;
}

json_t *bpe_to_json(const Tokenizer *t)
{
    json_t *j = json_pack("{s:s, s:o}", "unit", "bpe", "merges", merges_of(t));
    json_t *special = json_array(), *options = json_array();
    for (int i = 0; i < t->bpe->n_specials; i++)
        json_array_append_new(special, json_string(t->symbols.string[t->bpe->special[i]]));
    for (int i = 0; i < LEN(option); i++)
        if (*option_of(t->bpe, i)) json_array_append_new(options, json_string(option[i]));
    json_object_set_new(j, "special_tokens", special);
    json_object_set_new(j, "options", options);
    if (same_ids(t, j)) return j;
    json_t *symbols = json_array();
    for (int id = 0; id < t->size; id++)
        json_array_append_new(symbols, json_string(t->symbols.string[id]));
    json_object_set_new(j, "symbols", symbols);
    return j;
}

/* --- reading -------------------------------------------------------------------------------------- */

static bool read_symbols(Tokenizer *t, const json_t *symbols, Error *err)
{
    TokenNames names = {0};
    bool ok = json_is_array(symbols) || error_set(err, "\"symbols\" is not an array");
    for (size_t i = 0; ok && i < json_array_size(symbols); i++) {
        const char *s = json_string_value(json_array_get(symbols, i));
        ok = s ? names_put(&names, (json_int_t)i, s, err)
               : error_set(err, "symbol %zu is not a string", i);
    }
    ok = ok && bpe_from_names(t, &names, err);
    names_free(&names);
    return ok;
}

/* Adds the tokens that merges make to the vocabulary, in the order of the merges. */
static void add_results(Tokenizer *t, const char *merges)
{
    char *text = xstrdup(merges), *rest = text, *line;
    while ((line = strsep(&rest, "\n"))) {
        char *space = strchr(line, ' ');
        if (!space) continue; /* an error, which bpe_merge_text finds */
        memmove(space, space + 1, strlen(space));
        if (*line) symbols_add(&t->symbols, line);
    }
    free(text);
    t->size = t->symbols.size;
}

static bool read_merges(Tokenizer *t, const json_t *merges, Error *err)
{
    if (!json_is_string(merges)) return error_set(err, "\"merges\" is missing or not a string");
    char *text = xstrdup(json_string_value(merges));
    const bool ok = bpe_merge_text(t, text, strlen(text), err) || error_in(err, "merges");
    free(text);
    return ok;
}

static bool read_specials(Tokenizer *t, const json_t *special, Error *err)
{
    for (size_t i = 0; i < json_array_size(special); i++) {
        const char *name = json_string_value(json_array_get(special, i));
        if (!name || !*name) return error_set(err, "special token %zu is not a name", i);
        bpe_add_special(t, symbols_add(&t->symbols, name));
    }
    t->size = t->symbols.size;
    return true;
}

static bool read_options(Bpe *b, const json_t *options, Error *err)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        const char *name = json_string_value(json_array_get(options, i));
        int k = 0;
        while (k < LEN(option) && (!name || strcmp(name, option[k]) != 0)) k++;
        if (k == LEN(option)) return error_set(err, "option \"%s\" is unknown", name ? name : "?");
        *option_of(b, k) = true;
    }
    return true;
}

bool bpe_from_json(Tokenizer *out, const json_t *j, Error *err)
{
    const json_t *symbols = json_object_get(j, "symbols"), *merges = json_object_get(j, "merges");
    Tokenizer t = {0};
    if (!symbols) t = bpe_new();
    if (!symbols && json_is_string(merges)) add_results(&t, json_string_value(merges));
    bool ok = !symbols || read_symbols(&t, symbols, err);
    ok = ok && read_merges(&t, merges, err) &&
         read_specials(&t, json_object_get(j, "special_tokens"), err) &&
         read_options(t.bpe, json_object_get(j, "options"), err) && bpe_find_specials(&t, err);
    if (ok)
        *out = t;
    else
        tokenizer_free(&t);
    return ok || error_in(err, "tokenizer");
}
