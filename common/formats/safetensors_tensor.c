/* One tensor of a safetensors file: its name, dtype, size and values. */
#include "formats/safetensors.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "system/utf8.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "values are copied without swapping bytes");

enum { MAX_NAME = 256 };

/* --- values ----------------------------------------------------------------------------------- */

static float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Converts a bfloat16 (1 sign, 8 exponent, 7 mantissa bits): it is the upper half of a float. */
static float float_of_bf16(uint16_t h)
{
    return float_of_bits((uint32_t)h << 16);
}

/* Converts a half (IEEE 754 binary16: 1 sign, 5 exponent bits with bias 15, 10 mantissa bits). The
 * result is exact: the bias becomes 127, and subnormal halves become normal floats. */
static float float_of_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h >> 15) << 31, exponent = (h >> 10) & 31, mantissa = h & 1023;
    if (exponent == 0) {
        const float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15; /* 31: infinity and NaN */
    return float_of_bits(sign | wide << 23 | mantissa << 13);
}

/* Defines a function that reads n values. Each is copied first, because it may be unaligned. */
#define READER(name, type, convert)                                                                \
    static void name(const char *data, int64_t n, real *out)                                       \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            type v;                                                                                \
            memcpy(&v, data + (size_t)i * sizeof v, sizeof v);                                     \
            out[i] = (real)convert(v);                                                             \
        }                                                                                          \
    }
READER(read_f64, double, )
READER(read_f32, float, )
READER(read_f16, uint16_t, float_of_f16)
READER(read_bf16, uint16_t, float_of_bf16)
READER(read_u8, uint8_t, )
READER(read_i32, int32_t, )
READER(read_i64, int64_t, )

/* The dtypes, in the order in which the upstream writer stores them. */
typedef struct {
    const char *name;
    int bits;
    void (*read)(const char *data, int64_t n, real *out); /* NULL: not supported */
} Dtype;
static const Dtype DTYPE[] = {
    {"U64", 64, NULL},        {"I64", 64, read_i64},   {"F64", 64, read_f64},
    {"C64", 64, NULL},        {"F32", 32, read_f32},   {"U32", 32, NULL},
    {"I32", 32, read_i32},    {"BF16", 16, read_bf16}, {"F16", 16, read_f16},
    {"U16", 16, NULL},        {"I16", 16, NULL},       {"F8_E5M2FNUZ", 8, NULL},
    {"F8_E4M3FNUZ", 8, NULL}, {"F8_E8M0", 8, NULL},    {"F8_E4M3", 8, NULL},
    {"F8_E5M2", 8, NULL},     {"I8", 8, NULL},         {"U8", 8, read_u8},
    {"F6_E3M2", 6, NULL},     {"F6_E2M3", 6, NULL},    {"F4", 4, NULL},
    {"BOOL", 8, NULL},
};

int safetensors_dtype(const char *name)
{
    for (int i = 0; i < LEN(DTYPE); i++)
        if (strcmp(DTYPE[i].name, name) == 0) return i;
    return -1;
}

bool safetensors_get(const StTensor *t, real *out)
{
    const int dtype = safetensors_dtype(t->dtype);
    if (dtype < 0 || !DTYPE[dtype].read) return false;
    DTYPE[dtype].read(t->data, t->len, out);
    return true;
}

/* --- checks ----------------------------------------------------------------------------------- */

static bool is_control(int code) /* C0, DEL, C1; also -1, an invalid byte */
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

StText safetensors_text(const char *s)
{
    StText out;
    const size_t len = strlen(s);
    size_t i = 0, at = 0;
    while (i < len && at + 8 < sizeof out.text) { /* room for "\xNN" or 4 bytes, and "..." */
        int code;
        const int n = utf8_decode(s + i, len - i, &code);
        if (is_control(code)) {
            const unsigned value = code < 0 ? (unsigned char)s[i] : (unsigned)code;
            at += (size_t)snprintf(out.text + at, sizeof out.text - at, "\\x%02x", value);
        } else {
            memcpy(out.text + at, s + i, (size_t)n);
            at += (size_t)n;
        }
        i += (size_t)n;
    }
    snprintf(out.text + at, sizeof out.text - at, "%s", i < len ? "..." : "");
    return out;
}

bool safetensors_refuse(Error *err, const char *name, const char *fmt, ...)
{
    char why[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return error_set(err, "tensor \"%s\": %s", safetensors_text(name).text, why);
}

static bool check_name(const char *name, Error *err)
{
    const size_t len = strlen(name);
    if (len == 0) return safetensors_refuse(err, name, "the name is empty");
    if (len > MAX_NAME)
        return safetensors_refuse(err, name, "the name has %zu bytes; at most %d are allowed", len,
                                  MAX_NAME);
    for (size_t i = 0; i < len;) {
        int code;
        i += (size_t)utf8_decode(name + i, len - i, &code);
        if (is_control(code))
            return safetensors_refuse(err, name, "the name contains a control character");
    }
    return true;
}

/* Checks every product for overflow as it is formed: an axis of size 0 could hide it later. */
bool safetensors_measure(StTensor *t, Error *err)
{
    if (!check_name(t->name, err)) return false;
    const int dtype = safetensors_dtype(t->dtype);
    if (dtype < 0)
        return safetensors_refuse(err, t->name, "unknown dtype \"%s\"",
                                  safetensors_text(t->dtype).text);
    t->len = 1;
    for (int i = 0; i < t->axes; i++)
        if (__builtin_mul_overflow(t->len, t->d[i], &t->len))
            return safetensors_refuse(err, t->name, "the product of its shape overflows");
    int64_t bits;
    if (__builtin_mul_overflow(t->len, DTYPE[dtype].bits, &bits))
        return safetensors_refuse(err, t->name, "the size of its data overflows");
    if (bits % 8 != 0)
        return safetensors_refuse(err, t->name, "%" PRId64 " values of %s do not fill whole bytes",
                                  t->len, t->dtype);
    t->size = (size_t)(bits / 8);
    return true;
}

/* --- into our tensors ------------------------------------------------------------------------- */

StTensor safetensors_of(const Tensor *t)
{
    StTensor of = {.name = t->name, .dtype = REAL_NAME, .axes = t->shape.n, .data = t->data};
    for (int i = 0; i < t->shape.n; i++) of.d[i] = t->shape.d[i];
    Error err;
    CHECK(safetensors_measure(&of, &err), "safetensors_of: %s", err.text);
    return of;
}

StText safetensors_shape(const StTensor *t)
{
    StText out = {"("};
    size_t at = 1;
    for (int i = 0; i < t->axes && at < sizeof out.text; i++)
        at += (size_t)snprintf(out.text + at, sizeof out.text - at, i ? ",%" PRId64 : "%" PRId64,
                               t->d[i]);
    if (at < sizeof out.text) snprintf(out.text + at, sizeof out.text - at, ")");
    return out;
}

static bool same_shape(const StTensor *a, const StTensor *b)
{
    return a->axes == b->axes && memcmp(a->d, b->d, (size_t)a->axes * sizeof *a->d) == 0;
}

static bool same_dtype(const char *found, const char *wanted, bool exact)
{
    if (strcmp(found, wanted) == 0) return true;
    static const char *const FLOATS[] = {"F64", "F32", "F16", "BF16"};
    for (int i = 0; !exact && i < LEN(FLOATS); i++)
        if (strcmp(found, FLOATS[i]) == 0) return true;
    return false;
}

bool safetensors_fits(const StTensor *found, const StTensor *wanted, bool exact, Error *err)
{
    if (!same_shape(found, wanted))
        return safetensors_refuse(err, wanted->name, "has shape %s in the file and %s in the model",
                                  safetensors_shape(found).text, safetensors_shape(wanted).text);
    if (!same_dtype(found->dtype, wanted->dtype, exact))
        return safetensors_refuse(err, wanted->name, "is of type %s; %s%s is needed", found->dtype,
                                  wanted->dtype, exact ? "" : " or another float type");
    return true;
}

void safetensors_copy(const Safetensors *st, const StTensor *found, const StTensor *wanted,
                      void *out)
{
    if (strcmp(found->dtype, wanted->dtype) == 0)
        memcpy(out, found->data, found->size);
    else
        CHECK(safetensors_get(found, out), "safetensors_copy: %s cannot be read as reals",
              found->dtype);
    file_map_done(&st->file, found->data, found->size);
}

void safetensors_name(StNames *names, const char *name)
{
    enum { REST = 24 }; /* bytes reserved for " and N more" */
    const StText text = safetensors_text(name);
    char *end = names->text + names->end;
    const size_t room = sizeof names->text - names->end;
    const bool fits = names->shown == names->n && strlen(text.text) + REST < room;
    names->n++;
    if (!fits) {
        snprintf(end, room, " and %d more", names->n - names->shown);
        return;
    }
    names->end += (size_t)snprintf(end, room, "%s%s", names->shown ? ", " : "", text.text);
    names->shown++;
}
