/* Reading safetensors: every valid file is accepted, however odd, and every value is read exactly.
 * For malformed files see test_safetensors_malformed.c. */
#include "formats/safetensors.h"

#include "safetensors_help.h"
#include "suite.h"

/* --- odd but valid ---------------------------------------------------------------------------- */

START_TEST(valid_oddities)
{
    static const struct {
        const char *header;
        size_t data;
        int n;
    } c[] = {
        {"{}", 0, 0},
        {"{\"__metadata__\":{}}", 0, 0},
        {"{\"__metadata__\":{\"\":\"\",\"format\":\"pt\"}}", 0, 0},
        {" \t\r\n" NAMED("a") " \t\r\n", 8, 1},
        {NAMED("../../etc/passwd"), 8, 1}, /* a name is only a name */
        {NAMED("\xea\xb0\x80.\\uac00 \\\"\\\\/"), 8, 1},
        {"{" T("a", "F32", "[]", "[0,4]") "}", 4, 1},
        {"{" T("a", "F32", "[0]", "[0,0]") "}", 0, 1},
        {"{" T("a", "F32", "[0,9223372036854775807,2]", "[0,0]") "}", 0, 1},
        {"{" T("a", "F32", "[1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, 1},
        {"{" T("a", "F4", "[2,3]", "[0,3]") "," T("b", "F6_E3M2", "[4]", "[3,6]") "}", 6, 2},
        {"{" T("a", "C64", "[1]", "[1,9]") "," T("b", "BOOL", "[1]", "[0,1]") "}", 9, 2},
        {"{" T("z", "U8", "[0]", "[1,1]") "," T("y", "U8", "[1]", "[0,1]") "," T(
             "x", "U8", "[0]", "[0,0]") "," T("w", "U8", "[1]", "[1,2]") "}",
         2, 4},
    };
    for (int i = 0; i < LEN(c); i++) {
        File f = file_of(c[i].header, c[i].data);
        Safetensors st = expect_parse(f);
        ck_assert_int_eq(st.n, c[i].n);
        safetensors_close(&st);
        free(f.bytes);
    }
}
END_TEST

/* A case from upstream's tests. */
START_TEST(upstream_example)
{
    File f = file_make(
        0x3c, "{\"test\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 0x3c, 16);
    Safetensors st = expect_parse(f);
    ck_assert_int_eq(st.n, 1);
    ck_assert_ptr_null(st.metadata);
    ck_assert_ptr_null(safetensors_find(&st, "tes"));
    const StTensor *t = safetensors_find(&st, "test");
    ck_assert_ptr_nonnull(t);
    ck_assert_str_eq(t->dtype, "I32");
    ck_assert(t->axes == 2 && t->d[0] == 2 && t->d[1] == 2 && t->len == 4 && t->size == 16);
    ck_assert_ptr_eq(t->data, f.bytes + 8 + 0x3c);
    real v[4] = {1, 1, 1, 1};
    ck_assert(safetensors_get(t, v));
    for (int i = 0; i < 4; i++) ck_assert(v[i] == 0);
    safetensors_close(&st);
    free(f.bytes);
}
END_TEST

START_TEST(longest_name)
{
    char name[256 + 1] = {0};
    memset(name, 'n', 256);
    char *header =
        xformat("{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", name);
    File f = file_of(header, 1);
    Safetensors st = expect_parse(f);
    ck_assert_ptr_nonnull(safetensors_find(&st, name));
    safetensors_close(&st);
    free(header);
    free(f.bytes);
}
END_TEST

/* --- values ----------------------------------------------------------------------------------- */

/* All 65,536 halves, from the definition in IEEE 754: (-1)^s 2^(e-15) (1 + m/1024). */
static double half_value(unsigned h)
{
    const int e = (int)(h >> 10 & 31), m = (int)(h & 1023);
    const double v = e == 31 ? (m ? (double)NAN : (double)INFINITY)
                     : e     ? ldexp(1024 + m, e - 25)
                             : ldexp(m, -24);
    return h >> 15 ? -v : v;
}

static double brain_value(unsigned h)
{
    const int e = (int)(h >> 7 & 255), m = (int)(h & 127);
    const double v = e == 255 ? (m ? (double)NAN : (double)INFINITY)
                     : e      ? ldexp(128 + m, e - 134)
                              : ldexp(m, -133);
    return h >> 15 ? -v : v;
}

START_TEST(half_and_brain_floats)
{
    static const struct {
        const char *dtype;
        double (*value)(unsigned);
    } c[] = {{"F16", half_value}, {"BF16", brain_value}};
    static uint16_t code[65536];
    static real out[65536];
    for (int i = 0; i < 65536; i++) code[i] = (uint16_t)i;
    for (int k = 0; k < LEN(c); k++) {
        const StTensor t = {.dtype = c[k].dtype, .data = code, .size = sizeof code, .len = 65536};
        ck_assert(safetensors_get(&t, out));
        for (unsigned i = 0; i < 65536; i++) {
            const double want = c[k].value(i);
            const bool same =
                isnan(want) ? isnan(out[i]) : out[i] == want && !signbit(out[i]) == !signbit(want);
            ck_assert_msg(same, "%s %04x: %g, not %g", c[k].dtype, i, (double)out[i], want);
        }
    }
}
END_TEST

START_TEST(every_readable_type)
{
    const double f64[] = {1, -2.5};
    const float f32[] = {1, -2.5f};
    const int32_t i32[] = {1, INT32_MIN};
    const int64_t i64[] = {1, -((int64_t)1 << 40)};
    const uint8_t u8[] = {1, 255};
    const struct {
        const char *dtype;
        const void *data;
        size_t size;
        double second;
    } c[] = {
        {"F64", f64, sizeof f64, -2.5},
        {"F32", f32, sizeof f32, -2.5},
        {"I32", i32, sizeof i32, -2147483648.0},
        {"I64", i64, sizeof i64, -1099511627776.0},
        {"U8", u8, sizeof u8, 255},
    };
    for (int i = 0; i < LEN(c); i++) {
        char bytes[1 + 16]; /* one byte off, so that nothing is aligned */
        memcpy(bytes + 1, c[i].data, c[i].size);
        const StTensor t = {.dtype = c[i].dtype, .data = bytes + 1, .size = c[i].size, .len = 2};
        real out[2];
        ck_assert(safetensors_get(&t, out));
        ck_assert_msg(out[0] == 1 && out[1] == (real)c[i].second, "%s", c[i].dtype);
    }
    static const char *const unread[] = {"U64", "C64",  "U32", "U16", "I16",
                                         "I8",  "BOOL", "F4",  "?"};
    for (int i = 0; i < LEN(unread); i++) {
        const StTensor t = {.dtype = unread[i], .data = f64, .size = 16, .len = 2};
        real out[2];
        ck_assert(!safetensors_get(&t, out));
    }
}
END_TEST

/* A byte tensor first leaves the float at an odd address. */
START_TEST(unaligned_floats)
{
    File f = file_of("{" T("a", "U8", "[1]", "[0,1]") "," T("b", "F32", "[2]", "[1,9]") "}", 9);
    const float put[] = {3, 0.25f};
    memcpy(f.bytes + f.len - 8, put, 8);
    Safetensors st = expect_parse(f);
    real got[2];
    ck_assert(safetensors_get(safetensors_find(&st, "b"), got));
    ck_assert(got[0] == 3 && got[1] == 0.25f);
    safetensors_close(&st);
    free(f.bytes);
}
END_TEST

SUITE("safetensors",
      TESTS(valid_oddities, upstream_example, longest_name, half_and_brain_floats,
            every_readable_type, unaligned_floats),
      NO_ABORTS)
