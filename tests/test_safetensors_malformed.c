/* Malformed safetensors files: a catalogue of files, each of which must be refused for the right
 * reason, and random damage, after which the reader must refuse the file or return only data that
 * it holds. */
#include "formats/safetensors.h"

#include "base/rng.h"
#include "safetensors_help.h"
#include "suite.h"

/* --- the catalogue -------------------------------------------------------------------------- */

#define SHAPED(shape)    "{" T("a", "F32", shape, "[0,8]") "}"
#define PLACED(offsets)  "{" T("a", "F32", "[2]", offsets) "}"
#define TYPED(dtype)     "{" T("a", dtype, "[2]", "[0,8]") "}"
#define FIELDS(fields)   "{\"a\":{" fields "}}"
#define METADATA(object) "{\"__metadata__\":" object "," T("a", "F32", "[2]", "[0,8]") "}"

static const struct {
    const char *header;
    size_t data;
    const char *fragment;
} MALFORMED[] = {
    /* JSON */
    {"", 8, "header, line 1"},
    {"hello", 8, "header, line 1"},
    {"[]", 0, "must be a JSON object"},
    {"[" NAMED("a") "]", 8, "must be a JSON object"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_off", 8, "header, line 1"},
    {"{" T("a", "F32", "[2]", "[0,8]"), 8, "header, line 1"},
    {NAMED("a") "x", 8, "end of file expected"},
    {NAMED("a") "{}", 8, "end of file expected"},
    {NAMED("a\xff"), 8, "unable to decode byte 0xff"},
    {NAMED("a\xc0\x80"), 8, "unable to decode byte 0xc0"},
    {NAMED("a\xed\xa0\x80"), 8, "unable to decode"},
    {"\xef\xbb\xbf" NAMED("a"), 8, "header, line 1"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, "duplicate"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("\\u0061", "F32", "[1]", "[4,8]") "}", 8, "duplicate"},
    {FIELDS("\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), 8,
     "duplicate"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate"},
    {NAMED("a\\u0000"), 8, "header, line 1"},
    {NAMED("a\x1b[2J"), 8, "header, line 1"},
    {TYPED("F32\x1b"), 8, "header, line 1"},
    /* metadata */
    {METADATA("7"), 8, "__metadata__ must be an object"},
    {METADATA("null"), 8, "__metadata__ must be an object"},
    {METADATA("{\"step\":7}"), 8, "the value of \"step\" must be a string"},
    {METADATA("{\"a\":\"b\",\"c\":{}}"), 8, "the value of \"c\" must be a string"},
    {METADATA("{\"\\u001b\":null}"), 8, "the value of \"\\x1b\" must be a string"},
    /* names */
    {NAMED(""), 8, "the name is empty"},
    {NAMED("a\\u001b[2J"), 8, "tensor \"a\\x1b[2J\": the name contains a control character"},
    {NAMED("a\\n"), 8, "tensor \"a\\x0a\": the name contains a control character"},
    {NAMED("\x7f"), 8, "tensor \"\\x7f\": the name contains a control character"},
    {NAMED("a\xc2\x9b"), 8, "tensor \"a\\x9b\": the name contains a control character"},
    /* fields */
    {"{\"a\":7}", 0, "tensor \"a\": must be an object"},
    {"{\"a\":[\"F32\",[2],[0,8]]}", 8, "tensor \"a\": must be an object"},
    {FIELDS(""), 0, "dtype is missing"},
    {FIELDS("\"shape\":[2],\"data_offsets\":[0,8]"), 8, "tensor \"a\": dtype is missing"},
    {FIELDS("\"dtype\":\"F32\",\"data_offsets\":[0,8]"), 8, "tensor \"a\": shape is missing"},
    {FIELDS("\"dtype\":\"F32\",\"shape\":[2]"), 8, "tensor \"a\": data_offsets are missing"},
    {FIELDS("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"strides\":[1]"), 8,
     "unknown key \"strides\""},
    {FIELDS("\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype must be a string"},
    {TYPED("F31"), 8, "unknown dtype \"F31\""},
    {TYPED("f32"), 8, "unknown dtype \"f32\""},
    {TYPED(""), 8, "unknown dtype \"\""},
    {TYPED("F32\\u001b"), 8, "unknown dtype \"F32\\x1b\""},
    /* shapes */
    {SHAPED("2"), 8, "shape must be a list"},
    {SHAPED("{}"), 8, "shape must be a list"},
    {SHAPED("null"), 8, "shape must be a list"},
    {SHAPED("[-2]"), 8, "axis 0 of shape must be an integer >= 0"},
    {SHAPED("[2,-1,-1]"), 8, "axis 1 of shape must be"},
    {SHAPED("[2.0]"), 8, "axis 0 of shape must be"},
    {SHAPED("[2e0]"), 8, "axis 0 of shape must be"},
    {SHAPED("[\"2\"]"), 8, "axis 0 of shape must be"},
    {SHAPED("[true]"), 8, "axis 0 of shape must be"},
    {SHAPED("[[2]]"), 8, "axis 0 of shape must be"},
    {SHAPED("[18446744073709551616]"), 8, "too big integer"},
    {SHAPED("[9223372036854775808]"), 8, "too big integer"},
    {SHAPED("[02]"), 8, "header, line 1"},
    {SHAPED("[1,1,1,1,1,1,1,1,2]"), 8, "9 axes; at most 8"},
    {SHAPED("[2,9223372036854775807]"), 8, "the product of its shape overflows"},
    {SHAPED("[4294967296,4294967296]"), 8, "the product of its shape overflows"},
    {SHAPED("[4294967296,4294967296,0]"), 0, "the product of its shape overflows"},
    {SHAPED("[9223372036854775807]"), 8, "the size of its data overflows"},
    {SHAPED("[288230376151711745]"), 8, "the size of its data overflows"}, /* x 32 = 32 mod 2^63 */
    {SHAPED("[3]"), 8, "give it 8 bytes; its dtype and shape ask for 12"},
    {SHAPED("[]"), 8, "give it 8 bytes; its dtype and shape ask for 4"},
    {SHAPED("[0]"), 8, "give it 8 bytes; its dtype and shape ask for 0"},
    {"{" T("a", "F4", "[3]", "[0,1]") "}", 1, "3 values of F4 do not fill whole bytes"},
    {"{" T("a", "F6_E2M3", "[2]", "[0,1]") "}", 1, "2 values of F6_E2M3 do not fill whole bytes"},
    /* places */
    {PLACED("8"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("{}"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[]"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[0]"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[0,8,8]"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[-8,0]"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[0,8.0]"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[0,\"8\"]"), 8, "data_offsets must be two integers >= 0"},
    {PLACED("[8,0]"), 8, "data_offsets [8,0] are reversed"},
    {PLACED("[0,8]"), 6, "reach beyond the 6 bytes of data"},
    {PLACED("[0,8]"), 0, "reach beyond the 0 bytes of data"},
    {PLACED("[9223372036854775799,9223372036854775807]"), 8, "reach beyond the 8 bytes of data"},
    {PLACED("[0,4]"), 4, "give it 4 bytes; its dtype and shape ask for 8"},
    {PLACED("[1,9]"), 9, "tensor \"a\": a hole of 1 bytes lies before its data"},
    {PLACED("[0,8]"), 9, "the last 1 bytes belong to no tensor"},
    {"{}", 1, "the last 1 bytes belong to no tensor"},
    {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[3,5]") "}", 5,
     "tensor \"b\": a hole of 1 bytes"},
    {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[1,3]") "}", 3,
     "tensor \"b\": its data overlaps that of \"a\""},
    {"{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[1]", "[1,2]") "}", 4,
     "tensor \"b\": its data overlaps that of \"a\""},
    {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[0,2]") "}", 2,
     "tensor \"b\": its data overlaps that of \"a\""},
    {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[0]", "[1,1]") "}", 2, "tensor \"b\""},
};

START_TEST(malformed_headers)
{
    ck_assert_int_ge(LEN(MALFORMED), 45);
    for (int i = 0; i < LEN(MALFORMED); i++)
        expect_refusal(file_of(MALFORMED[i].header, MALFORMED[i].data), MALFORMED[i].fragment);
}
END_TEST

START_TEST(malformed_lengths)
{
    static const struct {
        uint64_t length;
        const char *fragment;
    } c[] = {
        {0, "header, line 1"},
        {3, "of which only 2 are there"},
        {100000000, "of which only 2 are there"},
        {100000001, "a header of 100000001 bytes; at most 100000000"},
        {1ull << 63, "at most 100000000"},
        {UINT64_MAX - 7, "at most 100000000"}, /* 8 + N wraps to 0 */
        {UINT64_MAX, "a header of 18446744073709551615 bytes"},
    };
    for (int i = 0; i < LEN(c); i++)
        expect_refusal(file_make(c[i].length, "{}", 2, 0), c[i].fragment);
    for (size_t len = 0; len < 8; len++) {
        File f = {xcalloc(len, 1), len};
        expect_refusal(f, "too short for the 8 bytes of the header's length");
    }
}
END_TEST

START_TEST(malformed_by_size)
{
    char *deep = xcalloc(20001, 1); /* 10,000 levels of lists */
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    expect_refusal(file_of(deep, 0), "maximum parsing depth");
    free(deep);

    char name[257 + 1] = {0};
    memset(name, 'n', 257);
    char *header =
        xformat("{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", name);
    expect_refusal(file_of(header, 1), "nnn...\": the name has 257 bytes; at most 256");
    free(header);

    const size_t many = 65537, room = many * 64;
    header = xmalloc(room);
    size_t at = 0;
    for (size_t i = 0; i < many; i++)
        at += (size_t)snprintf(header + at, room - at, "%c\"%zu\":{}", i ? ',' : '{', i);
    snprintf(header + at, room - at, "}");
    expect_refusal(file_of(header, 0), "65537 tensors; at most 65536");
    free(header);

    File f = file_make(3, "{}\0", 3, 0);
    expect_refusal(f, "header, line 1");
}
END_TEST

/* Ten tensors with the same data: such a small file would expand to ten times its size. */
START_TEST(many_names_of_one_range)
{
    char header[1024] = "{";
    for (int i = 0; i < 10; i++)
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 "%s\"w%d\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}",
                 i ? "," : "", i);
    strcat(header, "}");
    expect_refusal(file_of(header, 16), "tensor \"w1\": its data overlaps that of \"w0\"");
}
END_TEST

/* --- damage ----------------------------------------------------------------------------------- */

/* Reads every value of every tensor that was accepted; ASan reports a read outside the file. */
static double read_all(const Safetensors *st, File f)
{
    double sum = 0;
    for (int i = 0; i < st->n; i++) {
        const StTensor *t = &st->tensor[i];
        const char *p = t->data;
        ck_assert(p >= f.bytes + 8 && t->size <= f.len && p + t->size <= f.bytes + f.len);
        for (size_t k = 0; k < t->size; k++) sum += p[k];
        if (t->size == 0) continue; /* the other axes may have any size */
        real *v = xmalloc((size_t)t->len * sizeof *v);
        if (safetensors_get(t, v))
            for (int64_t k = 0; k < t->len; k++) sum += isfinite(v[k]) ? (double)v[k] : 0;
        free(v);
    }
    return sum;
}

/* 20,000 times, changes one to three bytes, half of them to a character with a meaning in JSON. */
START_TEST(flipped_bytes)
{
    static const char json[] = "{}[]\",:\\0123456789-.eE u\x01\x1b\xff";
    File good = upstream_file(), f = {xmalloc(good.len), good.len};
    const int header = (int)good.len - 48;
    Rng rng = rng_make(1337, RNG_TEST, 0);
    int accepted = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(f.bytes, good.bytes, good.len);
        for (int flips = 1 + rng_below(&rng, 3); flips > 0; flips--) {
            const bool in_header = rng_below(&rng, 10) > 0;
            char *at = f.bytes + rng_below(&rng, in_header ? header : (int)f.len);
            if (rng_below(&rng, 2))
                *at = json[rng_below(&rng, LEN(json) - 1)];
            else
                *at = (char)(*at ^ (1 << rng_below(&rng, 8)));
        }
        Safetensors st;
        Error err = {{0}};
        if (safetensors_parse(&st, f.bytes, f.len, &err)) {
            ck_assert(!isnan(read_all(&st, f)));
            safetensors_close(&st);
            accepted++;
        } else {
            ck_assert_msg(err.text[0] && !strchr(err.text, 0x1B), "message: %s", err.text);
            refused++;
        }
    }
    ck_assert_msg(accepted > 500 && refused > 10000, "%d accepted, %d refused", accepted, refused);
    free(good.bytes);
    free(f.bytes);
}
END_TEST

START_TEST(every_truncation)
{
    File good = upstream_file();
    for (size_t len = 0; len < good.len; len++) {
        File f = {xmalloc(len), len};
        memcpy(f.bytes, good.bytes, len);
        expect_refusal(f, "");
    }
    free(good.bytes);
}
END_TEST

SUITE("safetensors_malformed",
      TESTS(malformed_headers, malformed_lengths, malformed_by_size, many_names_of_one_range,
            flipped_bytes, every_truncation),
      NO_ABORTS)
