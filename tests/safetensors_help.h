/* safetensors files in memory, for the tests of the reader and the writer. */
#ifndef SAFETENSORS_HELP_H
#define SAFETENSORS_HELP_H

#include "formats/safetensors.h"
#include "suite.h"

typedef struct {
    char *bytes; /* exactly len bytes, so that ASan reports a read beyond them */
    size_t len;
} File;

static inline File file_make(uint64_t length, const char *header, size_t header_len, size_t data)
{
    File f = {.len = 8 + header_len + data};
    f.bytes = xcalloc(f.len, 1);
    for (int i = 0; i < 8; i++) f.bytes[i] = (char)(length >> (8 * i));
    memcpy(f.bytes + 8, header, header_len);
    return f;
}

static inline File file_of(const char *header, size_t data)
{
    return file_make(strlen(header), header, strlen(header), data);
}

/* Parses the file and expects an error whose message contains the fragment and is safe to print. */
static inline void expect_refusal(File f, const char *fragment)
{
    Safetensors st;
    Error err = {{0}};
    ck_assert_msg(!safetensors_parse(&st, f.bytes, f.len, &err), "accepted; expected: %s",
                  fragment);
    ck_assert_msg(strstr(err.text, fragment), "\"%s\" lacks: %s", err.text, fragment);
    for (const char *s = err.text; *s; s++)
        ck_assert_msg((unsigned char)*s >= 0x20 && *s != 0x7F, "control character: %s", err.text);
    ck_assert_ptr_null(st.tensor);
    free(f.bytes);
}

static inline Safetensors expect_parse(File f)
{
    Safetensors st;
    Error err = {{0}};
    ck_assert_msg(safetensors_parse(&st, f.bytes, f.len, &err), "%s", err.text);
    return st;
}

/* Entries of a header, one for each tensor. */
#define T(name, dtype, shape, offsets)                                                             \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define NAMED(name) "{" T(name, "F32", "[2]", "[0,8]") "}"

/* safetensors 0.8.0 and numpy 2.4:
 *   save({"b": np.array([1.5, -2], np.float32), "w": np.arange(6, dtype=np.float32).reshape(2, 3),
 *         "id": np.array([-1], np.int64), "mask": np.array([True, False, True]),
 *         "half": np.array([[0.5], [-0.0]], np.float16), "one": np.array(7, np.uint8)},
 *        {"format": "pt"}).hex() */
static const char UPSTREAM[] =
    "78010000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c22696422"
    "3a7b226474797065223a22493634222c227368617065223a5b315d2c22646174615f6f666673657473223a5b"
    "302c385d7d2c2262223a7b226474797065223a22463332222c227368617065223a5b325d2c22646174615f6f"
    "666673657473223a5b382c31365d7d2c2277223a7b226474797065223a22463332222c227368617065223a5b"
    "322c335d2c22646174615f6f666673657473223a5b31362c34305d7d2c2268616c66223a7b22647479706522"
    "3a22463136222c227368617065223a5b322c315d2c22646174615f6f666673657473223a5b34302c34345d7d"
    "2c226f6e65223a7b226474797065223a225538222c227368617065223a5b5d2c22646174615f6f6666736574"
    "73223a5b34342c34355d7d2c226d61736b223a7b226474797065223a22424f4f4c222c227368617065223a5b"
    "335d2c22646174615f6f666673657473223a5b34352c34385d7d7d2020202020ffffffffffffffff0000c03f"
    "000000c0000000000000803f0000004000004040000080400000a0400038008007010001";

static inline File upstream_file(void)
{
    File f = {.len = strlen(UPSTREAM) / 2};
    f.bytes = xmalloc(f.len);
    for (size_t i = 0; i < f.len; i++) {
        const char hex[] = {UPSTREAM[2 * i], UPSTREAM[2 * i + 1], 0};
        f.bytes[i] = (char)strtol(hex, NULL, 16);
    }
    return f;
}

#endif
