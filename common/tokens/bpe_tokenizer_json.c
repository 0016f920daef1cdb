/* Reads Hugging Face's tokenizer.json (bpe_files.h). What this program would encode differently is
 * an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokens/bpe_build.h"
#include "tokens/bpe_files.h"

static const char *type_of(const json_t *j)
{
    const char *type = json_string_value(json_object_get(j, "type"));
    return type ? type : "?";
}

static bool is_empty(const json_t *j)
{
    return !j || json_is_null(j) || json_is_false(j) ||
           (json_is_string(j) && json_string_length(j) == 0) ||
           (json_is_number(j) && json_number_value(j) == 0);
}

/* --- the pre-tokenizer ---------------------------------------------------------------------------- */

static bool read_byte_level(const json_t *j, Error *err)
{
    const json_t *regex = json_object_get(j, "use_regex");
    if (strcmp(type_of(j), "ByteLevel") != 0)
        return error_set(err,
                         "pre_tokenizer %s is not supported; it must be ByteLevel, alone or after "
                         "Digits",
                         type_of(j));
    if (json_is_true(json_object_get(j, "add_prefix_space")))
        return error_set(err, "pre_tokenizer: add_prefix_space is not supported");
    return !regex || json_is_true(regex) ||
           error_set(err, "pre_tokenizer: ByteLevel must have use_regex, which is GPT-2's pattern");
}

static bool read_pretokenizer(Bpe *b, const json_t *j, Error *err)
{
    if (strcmp(type_of(j), "Sequence") != 0) return read_byte_level(j, err);
    const json_t *steps = json_object_get(j, "pretokenizers");
    const size_t n = json_array_size(steps);
    const json_t *first = json_array_get(steps, 0);
    if (n == 2 && strcmp(type_of(first), "Digits") == 0) {
        b->digits_alone = json_is_true(json_object_get(first, "individual_digits"));
        return b->digits_alone
                   ? read_byte_level(json_array_get(steps, 1), err)
                   : error_set(err, "pre_tokenizer: Digits must have individual_digits");
    }
    return n == 1 ? read_byte_level(first, err)
                  : error_set(err,
                              "pre_tokenizer: this sequence of %zu steps is not supported; it must "
                              "be ByteLevel, alone or after Digits",
                              n);
}

/* --- the model ------------------------------------------------------------------------------------ */

static bool check_model(const json_t *j, const json_t *model, Error *err)
{
    static const char *const unsupported[] = {"dropout", "continuing_subword_prefix",
                                              "end_of_word_suffix", "byte_fallback"};
    const json_t *type = json_object_get(model, "type");
    if (type && strcmp(type_of(model), "BPE") != 0)
        return error_set(err, "the model is %s; only BPE is supported", type_of(model));
    for (int i = 0; i < LEN(unsupported); i++)
        if (!is_empty(json_object_get(model, unsupported[i])))
            return error_set(err, "model: %s is not supported", unsupported[i]);
    return is_empty(json_object_get(j, "normalizer")) ||
           error_set(err, "normalizer %s is not supported",
                     type_of(json_object_get(j, "normalizer")));
}

/* Adds a merge, written as "a b" or as ["a", "b"]. */
static bool read_merge(Tokenizer *t, const json_t *merge, Error *err)
{
    const char *left = json_string_value(json_array_get(merge, 0));
    const char *right = json_string_value(json_array_get(merge, 1));
    if (json_is_string(merge)) {
        char *line = xstrdup(json_string_value(merge));
        const bool ok = bpe_merge_line(t, line, err);
        free(line);
        return ok;
    }
    if (!left || !right || json_array_size(merge) != 2)
        return error_set(err, "must be \"a b\" or [\"a\", \"b\"]");
    return bpe_merge_names(t, left, right, err);
}

static bool read_merges(Tokenizer *t, const json_t *merges, Error *err)
{
    if (!json_is_array(merges)) return error_set(err, "model: merges are missing or not an array");
    for (size_t i = 0; i < json_array_size(merges); i++) {
        char where[48];
        snprintf(where, sizeof where, "model: merge %zu", i);
        if (!read_merge(t, json_array_get(merges, i), err)) return error_in(err, where);
    }
    return true;
}

/* --- added tokens --------------------------------------------------------------------------------- */

static bool read_added(TokenNames *names, const json_t *added, Error *err)
{
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *token = json_array_get(added, i), *id = json_object_get(token, "id");
        const char *name = json_string_value(json_object_get(token, "content"));
        if (!name || !json_is_integer(id))
            return error_set(err, "added_tokens: token %zu has no content or no id", i);
        if (!names_put(names, json_integer_value(id), name, err)) return false;
    }
    return true;
}

bool bpe_from_tokenizer_json(Tokenizer *out, const json_t *j, Error *err)
{
    const json_t *model = json_object_get(j, "model"), *added = json_object_get(j, "added_tokens");
    TokenNames names = {0};
    Tokenizer t = {0};
    bool ok = check_model(j, model, err) &&
              names_put_object(&names, json_object_get(model, "vocab"), err) &&
              read_added(&names, added, err) && bpe_from_names(&t, &names, err) &&
              read_pretokenizer(t.bpe, json_object_get(j, "pre_tokenizer"), err) &&
              read_merges(&t, json_object_get(model, "merges"), err);
    for (size_t i = 0; ok && i < json_array_size(added); i++) {
        const json_t *content = json_object_get(json_array_get(added, i), "content");
        bpe_add_special(&t, symbols_find(&t.symbols, json_string_value(content)));
    }
    ok = ok && bpe_find_specials(&t, err);
    if (ok) t.bpe->whole_pieces = json_is_true(json_object_get(model, "ignore_merges"));
    names_free(&names);
    if (ok)
        *out = t;
    else
        tokenizer_free(&t);
    return ok;
}
