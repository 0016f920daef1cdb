/* Writing safetensors: the bytes equal those of the upstream writer, and the reader reads them
 * back. */
#include "formats/safetensors.h"

#include <unistd.h>

#include "system/file.h"
#include "safetensors_help.h"
#include "suite.h"

static const float B[] = {1.5f, -2}, W[] = {0, 1, 2, 3, 4, 5};
static const int64_t ID[] = {-1};
static const uint16_t HALF[] = {0x3800, 0x8000};
static const uint8_t MASK[] = {1, 0, 1}, ONE[] = {7};
static const StTensor SMALL[] = {
    {.name = "b", .dtype = "F32", .axes = 1, .d = {2}, .data = B, .size = sizeof B},
    {.name = "w", .dtype = "F32", .axes = 2, .d = {2, 3}, .data = W, .size = sizeof W},
    {.name = "id", .dtype = "I64", .axes = 1, .d = {1}, .data = ID, .size = sizeof ID},
    {.name = "mask", .dtype = "BOOL", .axes = 1, .d = {3}, .data = MASK, .size = sizeof MASK},
    {.name = "half", .dtype = "F16", .axes = 2, .d = {2, 1}, .data = HALF, .size = sizeof HALF},
    {.name = "one", .dtype = "U8", .axes = 0, .data = ONE, .size = sizeof ONE},
};

/* Saves into a new directory, reads the file's bytes back, removes both. */
static File saved(const StTensor *t, int n, const json_t *metadata)
{
    char dir[] = "/tmp/lmzoo-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *path = xformat("%s/x.safetensors", dir);
    Error err;
    File f;
    ck_assert_msg(safetensors_save(path, t, n, metadata, &err), "%s", err.text);
    ck_assert_msg(file_read(path, 1 << 20, &f.bytes, &f.len, &err), "%s", err.text);
    unlink(path);
    rmdir(dir);
    free(path);
    return f;
}

START_TEST(same_bytes_as_upstream)
{
    File want = upstream_file(), got = saved(SMALL, LEN(SMALL), NULL);
    ck_assert_uint_eq(got.len, want.len);
    ck_assert_mem_eq(got.bytes, want.bytes, want.len);
    free(want.bytes);
    free(got.bytes);
}
END_TEST

/* The order in which the upstream writer stores one empty tensor of each dtype. */
START_TEST(order_of_types)
{
    static const char *const order[] = {
        "U64",     "I64",     "F64", "C64", "F32",         "U32",         "I32",
        "BF16",    "F16",     "U16", "I16", "F8_E5M2FNUZ", "F8_E4M3FNUZ", "F8_E8M0",
        "F8_E4M3", "F8_E5M2", "I8",  "U8",  "F4",          "BOOL"};
    StTensor t[LEN(order)];
    for (int i = 0; i < LEN(order); i++)
        t[LEN(order) - 1 - i] =
            (StTensor){.name = order[i], .dtype = order[i], .axes = 1, .data = B};
    File f = saved(t, LEN(t), NULL);
    Safetensors st = expect_parse(f);
    const char *at = f.bytes + 8;
    for (int i = 0; i < LEN(order); i++) {
        char *quoted = xformat("\"%s\":", order[i]);
        const char *found = strstr(f.bytes + 8, quoted);
        ck_assert_msg(found && found > at, "%s is out of order", order[i]);
        at = found;
        free(quoted);
    }
    safetensors_close(&st);
    free(f.bytes);
}
END_TEST

START_TEST(round_trip_with_metadata)
{
    json_t *metadata = json_pack("{s:s, s:s}", "task", "names \"\xea\xb0\x80\"\n", "format", "np");
    char dir[] = "/tmp/lmzoo-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *path = xformat("%s/x.safetensors", dir);
    Safetensors st;
    Error err;
    ck_assert_msg(safetensors_save(path, SMALL, LEN(SMALL), metadata, &err), "%s", err.text);
    ck_assert_msg(safetensors_open(&st, path, &err), "%s", err.text);
    ck_assert_int_eq(st.n, LEN(SMALL));
    for (int i = 0; i < LEN(SMALL); i++) {
        const StTensor *want = &SMALL[i], *t = safetensors_find(&st, want->name);
        ck_assert_ptr_nonnull(t);
        ck_assert_str_eq(t->dtype, want->dtype);
        ck_assert(t->axes == want->axes && t->size == want->size);
        ck_assert_mem_eq(t->d, want->d, sizeof t->d);
        ck_assert_mem_eq(t->data, want->data, want->size);
    }
    ck_assert_str_eq(json_string_value(json_object_get(st.metadata, "task")),
                     "names \"\xea\xb0\x80\"\n");
    ck_assert_str_eq(json_string_value(json_object_get(st.metadata, "format")), "pt");
    safetensors_close(&st);
    unlink(path);
    rmdir(dir);
    free(path);
    json_decref(metadata);
}
END_TEST

/* The data starts at a multiple of 8, however long the names are. */
START_TEST(header_is_padded)
{
    for (int n = 1; n <= 16; n++) {
        char name[17] = {0};
        memset(name, 'n', (size_t)n);
        const StTensor t = {.name = name, .dtype = "U8", .axes = 0, .data = ONE, .size = 1};
        File f = saved(&t, 1, NULL);
        ck_assert_uint_eq(f.len % 8, 1);
        ck_assert_int_eq(f.bytes[f.len - 1], 7);
        Safetensors st = expect_parse(f);
        safetensors_close(&st);
        free(f.bytes);
    }
    File none = saved(NULL, 0, NULL);
    ck_assert_mem_eq(none.bytes, "\x20\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"pt\"}}", 40);
    ck_assert_uint_eq(none.len, 40);
    free(none.bytes);
}
END_TEST

START_TEST(errors_name_the_path)
{
    Safetensors st;
    Error err;
    char dir[] = "/tmp/lmzoo-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *path = xformat("%s/x.safetensors", dir), *nowhere = xformat("%s/no/x", dir);
    ck_assert(!safetensors_open(&st, path, &err));
    ck_assert_msg(strstr(err.text, path), "%s", err.text);
    ck_assert_msg(file_write(path, "short", 5, &err), "%s", err.text);
    ck_assert(!safetensors_open(&st, path, &err));
    ck_assert_msg(strstr(err.text, path) && strstr(err.text, "5 bytes"), "%s", err.text);
    ck_assert(!safetensors_save(nowhere, SMALL, 1, NULL, &err));
    ck_assert_msg(strstr(err.text, nowhere), "%s", err.text);
    unlink(path);
    rmdir(dir);
    free(path);
    free(nowhere);
}
END_TEST

/* --- programming errors ---------------------------------------------------------------- */

static void save_one(StTensor t, int copies)
{
    Error err;
    const StTensor both[] = {t, t};
    safetensors_save(nowhere(), both, copies, NULL, &err);
}

START_TEST(save_wrong_size)
{
    save_one((StTensor){.name = "b", .dtype = "F32", .axes = 1, .d = {3}, .data = B, .size = 8}, 1);
}
END_TEST

START_TEST(save_unknown_dtype)
{
    save_one((StTensor){.name = "b", .dtype = "float", .axes = 1, .d = {2}, .data = B, .size = 8},
             1);
}
END_TEST

START_TEST(save_two_of_a_name)
{
    save_one(SMALL[0], 2);
}
END_TEST

START_TEST(save_as_metadata)
{
    save_one((StTensor){.name = "__metadata__", .dtype = "U8", .data = ONE, .size = 1}, 1);
}
END_TEST

SUITE("safetensors_save",
      TESTS(same_bytes_as_upstream, order_of_types, round_trip_with_metadata, header_is_padded,
            errors_name_the_path),
      ABORTS(save_wrong_size, save_unknown_dtype, save_two_of_a_name, save_as_metadata))
