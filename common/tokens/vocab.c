#include "tokens/vocab.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"

enum { CODES = 0x110000, BYTES = 256 }; /* Unicode's code points */

/* utf8_decode, without the call for the one byte that most characters of most texts are. */
static inline int next_code(const char *s, size_t len, int *code)
{
    *code = (unsigned char)*s;
    return *code < 0x80 ? 1 : utf8_decode(s, len, code);
}

static bool is_symbol(int code)
{
    return code > 0 && code != UTF8_REPLACEMENT;
}

/* --- tables ----------------------------------------------------------------------------------- */
Vocab vocab_bytes(void)
{
    return (Vocab){.unit = UNIT_BYTE, .size = BYTES};
}

/* A table of UTF8_REPLACEMENT and the codes that are marked. */
static Vocab table_of(const bool *marked)
{
    Vocab v = {.unit = UNIT_CHAR, .size = 1};
    for (int c = 0; c < CODES; c++) v.size += marked[c];
    v.code = xmalloc(v.size * sizeof *v.code);
    v.code[VOCAB_UNKNOWN] = UTF8_REPLACEMENT;
    for (int c = 0, id = 1; id < v.size; c++)
        if (marked[c]) v.code[id++] = c;
    return v;
}

Vocab vocab_chars(const char *text, size_t len)
{
    bool *seen = xcalloc(CODES, sizeof *seen);
    for (size_t at = 0; at < len;) {
        int code;
        at += (size_t)next_code(text + at, len - at, &code);
        if (is_symbol(code)) seen[code] = true;
    }
    const Vocab v = table_of(seen);
    free(seen);
    return v;
}

Vocab vocab_copy(const Vocab *v)
{
    Vocab copy = *v;
    if (!v->code) return copy;
    copy.code = xmalloc(v->size * sizeof *v->code);
    memcpy(copy.code, v->code, v->size * sizeof *v->code);
    return copy;
}

void vocab_free(Vocab *v)
{
    free(v->code);
    *v = (Vocab){0};
}

/* --- text to ids and back --------------------------------------------------------------------- */
int vocab_id(const Vocab *v, int code)
{
    if (v->unit == UNIT_BYTE) {
        CHECK(code >= 0 && code < BYTES, "vocab_id: %d is no byte", code);
        return code;
    }
    int lo = 1, hi = v->size;
    while (lo < hi) {
        const int mid = lo + (hi - lo) / 2;
        if (v->code[mid] < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < v->size && v->code[lo] == code ? lo : VOCAB_UNKNOWN;
}

static int largest_code(const Vocab *v)
{
    return v->size > 1 ? v->code[v->size - 1] : 0;
}

/* The table turned round: the id of each code point up to the largest one. Zeroed pages cost
 * nothing until they are touched, so an emoji in the table does not make this slow. */
static int *ids_by_code(const Vocab *v)
{
    int *id = xcalloc((size_t)largest_code(v) + 1, sizeof *id);
    for (int i = 1; i < v->size; i++) id[v->code[i]] = i;
    return id;
}

static int encode_chars(const Vocab *v, const char *text, size_t len, int *ids, int64_t *unknown,
                        int64_t *first_unknown)
{
    const int largest = largest_code(v);
    int *id_of = ids_by_code(v), n = 0;
    for (size_t at = 0; at < len;) {
        int code;
        const int step = next_code(text + at, len - at, &code);
        const int id = code >= 0 && code <= largest ? id_of[code] : VOCAB_UNKNOWN;
        if (id == VOCAB_UNKNOWN && (*unknown)++ == 0) *first_unknown = (int64_t)at;
        ids[n++] = id;
        at += (size_t)step;
    }
    free(id_of);
    return n;
}

int *vocab_encode(const Vocab *v, const char *text, size_t len, int *n, int64_t *unknown,
                  int64_t *first_unknown)
{
    CHECK(len < INT_MAX, "vocab_encode: %zu bytes; there may be %d tokens at most", len, INT_MAX);
    int *ids = xmalloc((len + 1) * sizeof *ids); /* at most one a byte; never nothing at all */
    int64_t count = 0, first = -1;
    if (v->unit == UNIT_BYTE) {
        for (size_t i = 0; i < len; i++) ids[i] = (unsigned char)text[i];
        *n = (int)len;
    } else {
        *n = encode_chars(v, text, len, ids, &count, &first);
        ids = xrealloc(ids, ((size_t)*n + 1) * sizeof *ids);
    }
    if (unknown) *unknown = count;
    if (first_unknown) *first_unknown = first;
    return ids;
}

int vocab_decode(const Vocab *v, int id, char out[4])
{
    CHECK(id >= 0 && id < v->size, "vocab_decode: id %d of a vocabulary of %d", id, v->size);
    if (v->unit == UNIT_CHAR) return utf8_encode(v->code[id], out);
    out[0] = (char)id;
    return 1;
}

/* --- JSON ------------------------------------------------------------------------------------- */
json_t *vocab_to_json(const Vocab *v)
{
    json_t *j = json_object();
    json_object_set_new(j, "unit", json_string(v->unit == UNIT_BYTE ? "byte" : "char"));
    if (v->unit == UNIT_BYTE) return j;
    char *symbols = xmalloc((size_t)v->size * 4);
    size_t len = 0;
    for (int id = 1; id < v->size; id++) len += (size_t)utf8_encode(v->code[id], symbols + len);
    json_object_set_new(j, "symbols", json_stringn(symbols, len));
    free(symbols);
    return j;
}

static bool table_from_symbols(Vocab *v, const char *s, size_t len, Error *err)
{
    Vocab t = {.unit = UNIT_CHAR, .size = 1, .code = xmalloc((len + 1) * sizeof *t.code)};
    t.code[VOCAB_UNKNOWN] = UTF8_REPLACEMENT;
    for (size_t at = 0; at < len;) {
        int code;
        const int step = utf8_decode(s + at, len - at, &code);
        const int before = largest_code(&t);
        if (!is_symbol(code) || code <= before) {
            vocab_free(&t);
            return error_set(err,
                             "vocab: symbols, byte %zu: U+%04X after U+%04X; each must be a "
                             "character above the one before",
                             at, code < 0 ? UTF8_REPLACEMENT : code, before);
        }
        t.code[t.size++] = code;
        at += (size_t)step;
    }
    *v = t;
    return true;
}

bool vocab_from_json(Vocab *v, const json_t *j, Error *err)
{
    const char *unit = json_string_value(json_object_get(j, "unit"));
    const json_t *symbols = json_object_get(j, "symbols");
    if (unit && strcmp(unit, "byte") == 0) return *v = vocab_bytes(), true;
    if (!unit || strcmp(unit, "char") != 0)
        return error_set(err, "vocab: unit is %s, must be \"char\" or \"byte\"",
                         unit ? unit : "missing");
    if (!json_is_string(symbols)) return error_set(err, "vocab: symbols is missing or no string");
    return table_from_symbols(v, json_string_value(symbols), json_string_length(symbols), err);
}
