/* Writes and reads a tokenizer as JSON, for a run's config.json. */
#include <string.h>

#include "system/utf8.h"
#include "tokens/bpe_json.h"
#include "tokens/kinds.h"

/* --- writing -------------------------------------------------------------------------------------- */

static bool is_one_string(const TokenKind *kind, TokenLayout layout)
{
    return kind == &kind_char && layout == TOKENS_STREAM;
}

static json_t *special_of(const Tokenizer *t)
{
    json_t *special = json_array();
    char name[2];
    for (int id = 0; id < t->first; id++)
        json_array_append_new(special,
                              json_string(id == t->unk ? "<unk>" : tokenizer_name(t, id, name)));
    return special;
}

static json_t *symbols_of(const Tokenizer *t)
{
    json_t *symbols = json_array();
    Detokenizer all = detokenizer_new(t);
    for (int id = t->first; id < t->size; id++) {
        json_array_append_new(symbols, json_string(t->symbols.string[id]));
        detokenizer_put(&all, id);
    }
    if (is_one_string(t->kind, t->layout)) {
        json_decref(symbols);
        symbols = json_stringn(all.len ? all.text : "", all.len);
    }
    detokenizer_free(&all);
    return symbols;
}

json_t *tokenizer_to_json(const Tokenizer *t)
{
    if (t->bpe) return bpe_to_json(t);
    json_t *j = json_pack("{s:s}", "unit", t->kind->name);
    if (t->first) json_object_set_new(j, "special", special_of(t));
    if (t->kind->fixed) return j;
    if (is_one_string(t->kind, t->layout) && t->composed)
        json_object_set_new(j, "normal", json_string("NFC"));
    json_object_set_new(j, "symbols", symbols_of(t));
    return j;
}

/* --- reading -------------------------------------------------------------------------------------- */

static bool has_special(const TokenKind *kind, TokenLayout layout, const json_t *special)
{
    Tokenizer t = tokenizer_of(kind, layout, NULL, 0);
    json_t *ours = special_of(&t);
    const bool equal = json_equal(ours, special);
    json_decref(ours);
    tokenizer_free(&t);
    return equal;
}

static bool read_layout(const TokenKind *kind, const json_t *j, TokenLayout *layout, Error *err)
{
    const json_t *special = json_object_get(j, "special");
    const bool stream = kind->fixed || json_is_string(json_object_get(j, "symbols"));
    *layout = stream ? TOKENS_STREAM : TOKENS_FRAMED;
    if (!special) return true;
    for (int l = TOKENS_STREAM; l <= TOKENS_FRAMED; l++) {
        *layout = (TokenLayout)l;
        if (has_special(kind, *layout, special)) return true;
    }
    return error_set(err, "tokenizer: \"special\" does not list the special tokens of unit %s",
                     kind->name);
}

/* Returns why the value cannot be the next symbol, or NULL if it can. */
static const char *fault_of(const Tokenizer *t, const json_t *value)
{
    const char *s = json_string_value(value);
    if (!s) return "is not a string";
    if (!*s || strlen(s) != json_string_length(value)) return "is empty";
    int code;
    const bool one = (size_t)utf8_decode(s, strlen(s), &code) == strlen(s);
    if (!t->kind->of_words && !one) return "is more than one character";
    return symbols_find(&t->symbols, s) >= 0 ? "is repeated" : NULL;
}

static bool read_array(Tokenizer *t, const json_t *symbols, Error *err)
{
    if (!json_is_array(symbols))
        return error_set(err, "tokenizer: symbols of unit %s are missing or not an array",
                         t->kind->name);
    for (size_t i = 0; i < json_array_size(symbols); i++) {
        const json_t *value = json_array_get(symbols, i);
        const char *fault = fault_of(t, value);
        if (fault) return error_set(err, "tokenizer: symbol %zu %s", i, fault);
        symbols_add(&t->symbols, json_string_value(value));
    }
    return true;
}

static bool read_string(Tokenizer *t, const json_t *symbols, Error *err)
{
    if (!json_is_string(symbols))
        return error_set(err, "tokenizer: symbols of unit %s are missing or not a string",
                         t->kind->name);
    const char *s = json_string_value(symbols);
    const size_t len = json_string_length(symbols);
    int before = 0;
    for (size_t at = 0, step; at < len; at += step) {
        int code;
        char symbol[5] = {0};
        step = (size_t)utf8_decode(s + at, len - at, &code);
        if (code <= before || code == UTF8_REPLACEMENT)
            return error_set(err,
                             "tokenizer: symbols, byte %zu: U+%04X after U+%04X; the "
                             "characters must be valid and in ascending order",
                             at, code < 0 ? UTF8_REPLACEMENT : code, before);
        memcpy(symbol, s + at, step);
        symbols_add(&t->symbols, symbol);
        before = code;
    }
    return true;
}

static bool read_normal(Tokenizer *t, const json_t *j, Error *err)
{
    const json_t *normal = json_object_get(j, "normal");
    const char *name = json_string_value(normal);
    if (normal && (!name || strcmp(name, "NFC") != 0))
        return error_set(err, "tokenizer: \"normal\" must be \"NFC\", or left out");
    if (is_one_string(t->kind, t->layout)) t->composed = normal != NULL;
    return true;
}

bool tokenizer_from_json(Tokenizer *out, const json_t *j, Error *err)
{
    const char *unit = json_string_value(json_object_get(j, "unit"));
    const json_t *symbols = json_object_get(j, "symbols");
    const TokenKind *kind = unit ? token_kind(unit) : NULL;
    TokenLayout layout;
    if (!kind)
        return error_set(err, "tokenizer: unit is %s; must be one of %s", unit ? unit : "missing",
                         TEXT_UNITS);
    if (kind == &kind_bpe) return bpe_from_json(out, j, err);
    if (!read_layout(kind, j, &layout, err)) return false;
    Tokenizer t = tokenizer_of(kind, layout, NULL, 0);
    bool ok = read_normal(&t, j, err);
    if (ok && !kind->fixed)
        ok = (is_one_string(kind, layout) ? read_string : read_array)(&t, symbols, err);
    if (!ok) return tokenizer_free(&t), false;
    if (!kind->fixed) t.size = t.symbols.size;
    *out = t;
    return true;
}
