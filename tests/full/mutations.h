/* Random changes of a file: of its bytes, of its lines, of its JSON, and of what the name leads to. */
#ifndef MUTATIONS_H
#define MUTATIONS_H

#include "full.h"

#include <jansson.h>

/* --- bytes ---------------------------------------------------------------------------------------- */

/* Replaces bytes from .. from+gone by n others. */
static inline void put_in(Bytes *b, size_t from, size_t gone, const char *bytes, size_t n)
{
    char *data = xcalloc(b->len - gone + n + 1, 1);
    memcpy(data, b->data, from);
    if (n) memcpy(data + from, bytes, n);
    memcpy(data + from + n, b->data + from + gone, b->len - from - gone);
    free(b->data);
    *b = (Bytes){data, b->len - gone + n};
}

static inline int place_in(const Bytes *b, Rng *rng)
{
    return b->len ? rng_below(rng, (int)b->len) : 0;
}

/* A random part of the file: its start, and its length in *n. */
static inline size_t part_of(const Bytes *b, Rng *rng, size_t *n)
{
    const size_t from = (size_t)place_in(b, rng), most = b->len - from < 200 ? b->len - from : 200;
    *n = most ? 1 + (size_t)rng_below(rng, (int)most) : 0;
    return from;
}

static inline void random_bytes(Rng *rng, char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) bytes[i] = (char)rng_below(rng, 256);
}

static inline const char *mutate_bytes(Bytes *b, Rng *rng)
{
    char noise[64];
    size_t n, from = part_of(b, rng, &n);
    switch (rng_below(rng, 7)) {
    case 0:
        for (int i = rng_below(rng, 8); i >= 0 && b->len; i--)
            b->data[place_in(b, rng)] ^= (char)(1 + rng_below(rng, 255));
        return "changed bytes";
    case 1: put_in(b, from, b->len - from, NULL, 0); return "cut off";
    case 2:
        n = 1 + (size_t)rng_below(rng, sizeof noise);
        random_bytes(rng, noise, n);
        put_in(b, from, 0, noise, n);
        return "inserted bytes";
    case 3: {
        char *copy = xmalloc(n + 1);
        memcpy(copy, b->data + from, n);
        put_in(b, (size_t)place_in(b, rng), 0, copy, n);
        free(copy);
        return "a block twice";
    }
    case 4: put_in(b, from, n, NULL, 0); return "a block left out";
    case 5: memset(b->data + from, 0, n); return "a block of zeros";
    default: put_in(b, 0, b->len, NULL, 0); return "emptied";
    }
}

/* --- lines ------------------------------------------------------------------------------------------ */

/* The start and the length, with its newline, of a random line. */
static inline size_t line_in(const Bytes *b, Rng *rng, size_t *n)
{
    size_t from = (size_t)place_in(b, rng), to = from;
    while (from > 0 && b->data[from - 1] != '\n') from--;
    while (to < b->len && b->data[to] != '\n') to++;
    *n = to - from + (to < b->len);
    return from;
}

static inline const char *mutate_lines(Bytes *b, Rng *rng)
{
    static const char *const odd[] = {"\n",          ",,,,,,,,\n",
                                      "1\n",         "-1,0,0,0,0,0,0,0,0\n",
                                      "nan,nan\n",   "99999999999999999999,1,1,1,1,1,1,1,1\n",
                                      "\xff\xfe,\n", "2,,,,,,,,\r\n"};
    size_t n, from = line_in(b, rng, &n);
    if (rng_below(rng, 3) == 0) return put_in(b, from, n, NULL, 0), "a line left out";
    const char *line = odd[rng_below(rng, LEN(odd))];
    if (rng_below(rng, 2)) return put_in(b, from, 0, line, strlen(line)), "an odd line";
    char *copy = xmalloc(n + 1);
    memcpy(copy, b->data + from, n);
    from = line_in(b, rng, &(size_t){0});
    put_in(b, from, 0, copy, n);
    free(copy);
    return "a line twice";
}

/* --- JSON ----------------------------------------------------------------------------------------- */

/* An odd value; the caller releases it. */
static inline json_t *odd_value(Rng *rng)
{
    static const char *const odd[] = {"null",
                                      "\"\"",
                                      "[]",
                                      "{}",
                                      "true",
                                      "false",
                                      "0",
                                      "-1",
                                      "1",
                                      "2",
                                      "1e308",
                                      "-1e308",
                                      "1e-308",
                                      "0.5",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "2147483647",
                                      "2147483648",
                                      "-2147483648",
                                      "4294967296",
                                      "65536",
                                      "1000000",
                                      "\"x\"",
                                      "\"../precious\"",
                                      "\"/\"",
                                      "\"\\u001b]0;x\\u0007\"",
                                      "\"%s%n\"",
                                      "\"\\u0000\"",
                                      "[null]",
                                      "[1,2,3]",
                                      "[\"a\",\"a\"]",
                                      "[0,-1]",
                                      "[9223372036854775807,9223372036854775807]",
                                      "{\"a\":null}",
                                      "\"F32\"",
                                      "\"F64\"",
                                      "\"-\"",
                                      "\"\\ud55c\""};
    const int k = rng_below(rng, LEN(odd) + 2);
    json_t *value = NULL;
    if (k < LEN(odd)) {
        value = json_loads(odd[k], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    } else if (k == LEN(odd)) { /* a long string */
        char *s = xmalloc(100001);
        memset(s, 'a', 100000), s[100000] = 0;
        value = json_string(s);
        free(s);
    } else { /* a deep nest */
        value = json_integer(1);
        for (int i = 0; i < 1500; i++) value = json_pack("[o]", value);
    }
    NEED(value, "odd value %d", k);
    return value;
}

/* A random object at any depth that has members. */
static inline json_t *object_in(json_t *top, Rng *rng)
{
    json_t *found = top, *value;
    const char *key;
    for (int depth = 0; depth < 3; depth++) {
        json_t *inner[512];
        int n = 0;
        json_object_foreach(found, key, value)
        {
            if (json_is_object(value) && json_object_size(value) && n < LEN(inner))
                inner[n++] = value;
        }
        if (n == 0 || rng_below(rng, 3) == 0) break;
        found = inner[rng_below(rng, n)];
    }
    return found;
}

static inline const char *key_in(json_t *object, Rng *rng)
{
    void *it = json_object_iter(object);
    for (int i = rng_below(rng, (int)json_object_size(object)); i > 0; i--)
        it = json_object_iter_next(object, it);
    return json_object_iter_key(it);
}

/* Changes one member of a JSON text; `what` says how. Returns false if the text is no object. */
static inline bool mutate_json(Bytes *b, Rng *rng, char what[160])
{
    json_t *top = json_loadb(b->data, b->len, 0, NULL);
    if (!json_is_object(top) || !json_object_size(top)) return json_decref(top), false;
    json_t *object = object_in(top, rng), *value = odd_value(rng);
    char *key = xstrdup(key_in(object, rng)),
         *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT), *text;
    const int how = rng_below(rng, 8);
    snprintf(what, 160,
             how == 0   ? "\"%.60s\" left out"
             : how == 1 ? "\"%.60s\" renamed"
             : how == 2 ? "\"%.60s\" twice"
                        : "\"%.60s\": %.60s",
             key, shown);
    if (how == 0) {
        json_object_del(object, key);
    } else if (how == 1) {
        char *other = rng_below(rng, 2) ? xformat("%sx", key) : xstrdup(key_in(object, rng));
        json_object_set(object, other, json_object_get(object, key));
        if (strcmp(other, key) != 0) json_object_del(object, key);
        free(other);
    } else if (how > 2) {
        json_object_set(object, key, value);
    }
    text = json_dumps(top, JSON_INDENT(2));
    put_in(b, 0, b->len, text, strlen(text));
    if (how == 2) {
        char *twice = xformat("\"%s\": %s,", key, shown);
        put_in(b, 1, 0, twice, strlen(twice));
        free(twice);
    }
    free(text), free(shown), free(key);
    json_decref(value), json_decref(top);
    return true;
}

/* The same in the header of a safetensors file, whose length is corrected. */
static inline bool mutate_header(Bytes *b, Rng *rng, char what[160])
{
    size_t len = 0;
    if (b->len < 8) return false;
    for (int i = 7; i >= 0; i--) len = len << 8 | (unsigned char)b->data[i];
    if (len > b->len - 8) return false;
    Bytes header = {xcalloc(len + 1, 1), len};
    memcpy(header.data, b->data + 8, len);
    const bool ok = mutate_json(&header, rng, what);
    char length[8];
    for (int i = 0; i < 8; i++) length[i] = (char)(header.len >> (8 * i));
    put_in(b, 8, len, header.data, header.len);
    put_in(b, 0, 8, length, 8);
    free(header.data);
    return ok;
}

/* --- what the name leads to --------------------------------------------------------------------- */

/* Puts something that is no file in the place of a file. `precious`: a file that nobody may write. */
static inline const char *mutate_name(const char *path, const char *precious, Rng *rng)
{
    remove(path);
    switch (rng_below(rng, 7)) {
    case 0: return "missing";
    case 1: return mkdir(path, 0777) == 0 ? "a directory" : NULL;
    case 2: return mkfifo(path, 0666) == 0 ? "a pipe" : NULL;
    case 3: return symlink(precious, path) == 0 ? "a link to a file elsewhere" : NULL;
    case 4: return symlink("/dev/zero", path) == 0 ? "a link to /dev/zero" : NULL;
    case 5: return symlink("nothing-here", path) == 0 ? "a link to nothing" : NULL;
    default:
        put_text(path, "");
        return truncate(path, (off_t)1 << 33) == 0 ? "8 GB of nothing" : NULL;
    }
}

#endif
