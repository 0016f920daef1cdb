#include "tokens/codes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "system/utf8.h"

/* No code point below FIRST_MARK combines with the code point before it. */
enum { CODE_BYTES = 4, FIRST_MARK = 0x300 };

/* Decodes one code point and returns its length in bytes. */
static inline int next_code(const char *s, size_t len, int *code)
{
    *code = (unsigned char)*s;
    const int n = *code < 0x80 ? 1 : utf8_decode(s, len, code);
    if (*code <= 0) *code = UTF8_REPLACEMENT;
    return n;
}

static void add(Codes *c, size_t *room, int code, int at)
{
    if ((size_t)c->n == *room) {
        *room = *room * 3 / 2 + 16;
        c->code = xrealloc(c->code, *room * sizeof *c->code);
        c->at = xrealloc(c->at, *room * sizeof *c->at);
    }
    c->code[c->n] = code;
    c->at[c->n++] = at;
}

/* Returns a copy of the code points from index `from` to the end of c. */
static Codes copy_run(const Codes *c, int from)
{
    const size_t n = (size_t)(c->n - from);
    Codes run = {
        .n = c->n - from, .code = xmalloc(n * sizeof *c->code), .at = xmalloc(n * sizeof *c->at)};
    memcpy(run.code, c->code + from, n * sizeof *c->code);
    memcpy(run.at, c->at + from, n * sizeof *c->at);
    return run;
}

static bool same_codes(const Codes *c, int from, const char *composed, size_t len)
{
    for (size_t at = 0; at < len; from++) {
        int code;
        at += (size_t)next_code(composed + at, len - at, &code);
        if (from == c->n || c->code[from] != code) return false;
    }
    return from == c->n;
}

/* Returns how many code points the canonical decomposition (NFD) of a code point has. */
static int parts_of(int code)
{
    utf8proc_int32_t part[4]; /* UAX 15: at most 4 */
    const utf8proc_ssize_t n =
        utf8proc_decompose_char(code, part, LEN(part), UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, NULL);
    CHECK(n >= 1 && n <= LEN(part), "codes: U+%04X has %td parts", (unsigned)code, n);
    return (int)n;
}

/* Composes (NFC) the code points from index `from` to the end of c. */
static void compose_run(Codes *c, size_t *room, int from)
{
    if (c->n == from || (c->n == from + 1 && c->code[from] < FIRST_MARK)) return;
    char *bytes = xmalloc((size_t)(c->n - from) * CODE_BYTES + 1);
    size_t len = 0;
    for (int i = from; i < c->n; i++) len += (size_t)utf8_encode(c->code[i], bytes + len);
    utf8proc_uint8_t *composed = NULL;
    const utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)len,
                                            &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    CHECK(n >= 0, "codes: %s", utf8proc_errmsg(n));
    const char *s = (const char *)composed;
    if (!same_codes(c, from, s, (size_t)n)) {
        /* A code point begins where the one before the change began that has its first part. */
        const Codes before = copy_run(c, from);
        int i = 0,
            to_come = parts_of(before.code[0]); /* parts of before.code[0 .. i] still to come */
        c->n = from;
        for (size_t at = 0; at < (size_t)n;) {
            int code;
            at += (size_t)next_code(s + at, (size_t)n - at, &code);
            while (to_come <= 0 && i + 1 < before.n) to_come += parts_of(before.code[++i]);
            add(c, room, code, before.at[i]);
            to_come -= parts_of(code);
        }
        free(before.code), free(before.at);
    }
    free(bytes), free(composed);
}

Codes codes_of(const char *text, size_t len, bool composed)
{
    CHECK(len < INT_MAX, "codes: a text of %zu bytes; fewer than %d are needed", len, INT_MAX);
    size_t room = len + 1;
    Codes c = {.code = xmalloc(room * sizeof *c.code), .at = xmalloc(room * sizeof *c.at)};
    int run = 0; /* index of the first code point that a later one may combine with */
    for (size_t at = 0; at < len;) {
        int code;
        const int step = next_code(text + at, len - at, &code);
        if (code < FIRST_MARK) {
            if (composed) compose_run(&c, &room, run);
            run = c.n;
        }
        add(&c, &room, code, (int)at);
        at += (size_t)step;
    }
    if (composed) compose_run(&c, &room, run);
    return c;
}

void codes_free(Codes *c)
{
    free(c->code), free(c->at);
    *c = (Codes){0};
}
