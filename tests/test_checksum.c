/* Checksums of our own files: every flipped bit is found when the file is loaded. */
#include "formats/checksum.h"

#include <fcntl.h>

#include "checkpoint_help.h"
#include "formats/weights_files.h"
#include "system/file.h"
#include "suite.h"

/* XXH3_64bits of the reference implementation, seed 0: Python's xxhash 3.4. */
START_TEST(known_values)
{
    ck_assert_str_eq(checksum_of("", 0).text, "2d06800538d394c2");
    ck_assert_str_eq(checksum_of("a", 1).text, "e6c632b61e964e1f");
    ck_assert_str_eq(checksum_of("abc", 3).text, "78af5f94892f3950");
    ChecksumState *s = checksum_begin();
    checksum_add(s, "ab", 2);
    checksum_add(s, NULL, 0);
    checksum_add(s, "c", 1);
    ck_assert_str_eq(checksum_end(s).text, "78af5f94892f3950");
}
END_TEST

/* --- flipped bits ----------------------------------------------------------------------------- */

typedef struct {
    char *path, *bytes;
    size_t len, data; /* data: position of the first byte after the header */
} Bytes;

static Bytes bytes_of(const Run *r, const char *file)
{
    Bytes b = {.path = run_path(r, file)};
    Error err;
    ck_assert_msg(file_read(b.path, 1 << 20, &b.bytes, &b.len, &err), "%s", err.text);
    for (int i = 0; i < 8; i++) b.data |= (size_t)(unsigned char)b.bytes[i] << (8 * i);
    b.data += 8;
    return b;
}

/* Flips a bit of the file in place, which is much faster than to write the file again. */
static void flip(Bytes *b, size_t bit)
{
    const int fd = open(b->path, O_WRONLY);
    b->bytes[bit / 8] ^= (char)(1 << bit % 8);
    ck_assert(fd >= 0 && pwrite(fd, b->bytes + bit / 8, 1, (off_t)(bit / 8)) == 1);
    close(fd);
}

static void bytes_free(Bytes *b)
{
    free(b->path), free(b->bytes);
}

/* Returns the name of the tensor that holds byte `at` of the file. */
static const char *owner(const Safetensors *st, const Bytes *b, size_t at)
{
    for (int i = 0; i < st->n; i++) {
        const size_t begin = (size_t)((const char *)st->tensor[i].data - st->file.bytes);
        if (at >= begin && at < begin + st->tensor[i].size) return st->tensor[i].name;
    }
    ck_abort_msg("byte %zu of %zu belongs to no tensor", at, b->len);
    return NULL;
}

typedef bool Load(const char *path, Run *r, Error *err);

static bool load_state(const char *path, Run *r, Error *err)
{
    (void)path;
    return checkpoint_load_state(r->dir, &r->ps, &r->o, &r->s, err);
}

static bool load_params(const char *path, Run *r, Error *err)
{
    return params_load(path, &r->ps, err);
}

static bool load_weights(const char *path, Run *r, Error *err)
{
    WeightFiles files;
    (void)r;
    if (!weights_files_open(&files, path, err)) return false;
    weights_files_close(&files);
    return true;
}

/* Flips each bit of a file in turn: each load fails, names the file, and for a bit of the data the
 * tensor, and leaves the run as it was. */
static void expect_all_found(Run *r, const char *file, Load *load)
{
    Bytes b = bytes_of(r, file);
    Safetensors st;
    Error err;
    ck_assert_msg(safetensors_open(&st, b.path, &err), "%s", err.text);
    ck_assert_msg(load(b.path, r, &err), "%s", err.text);
    Run before = snapshot(r);
    for (size_t bit = 0; bit < 8 * b.len; bit++) {
        const size_t at = bit / 8;
        char *name =
            at < b.data ? NULL : xformat("tensor \"%s\": its checksum", owner(&st, &b, at));
        flip(&b, bit);
        const bool ok = load(b.path, r, &err);
        ck_assert_msg(!ok, "%s: bit %zu (byte %zu, data from %zu) is not found", file, bit, at,
                      b.data);
        ck_assert_msg(strstr(err.text, b.path) && (!name || strstr(err.text, name)), "%s",
                      err.text);
        ck_assert(same_run(&before, r));
        flip(&b, bit);
        free(name);
    }
    ck_assert_msg(load(b.path, r, &err), "%s", err.text);
    snapshot_free(&before);
    safetensors_close(&st);
    bytes_free(&b);
}

START_TEST(every_flipped_bit_is_found)
{
    Run r;
    run_init(&r, 1, 2, OPTIM_ADAMW);
    json_t *metadata = json_pack("{s:s}", "gates", "i f g o");
    Error err;
    ck_assert_msg(checkpoint_save(r.dir, &r.ps, &r.o, &r.s, metadata, &err), "%s", err.text);
    expect_all_found(&r, "state.safetensors", load_state);
    expect_all_found(&r, "model.safetensors", load_params);
    expect_all_found(&r, "model.safetensors", load_weights);
    json_decref(metadata);
    run_free(&r);
}
END_TEST

/* --- files of others, files of ours that others changed ----------------------------------------- */

static const float W[2] = {1, 2};
static const StTensor ONE = {
    .name = "w", .dtype = "F32", .axes = 1, .d = {2}, .data = W, .size = sizeof W};

/* Saves W without checksums and the metadata given, opens and verifies the file. */
static bool accepts(json_t *metadata, Error *err)
{
    char path[] = "/tmp/lmzoo-XXXXXX";
    Safetensors st;
    const int fd = mkstemp(path);
    ck_assert(fd >= 0 && close(fd) == 0);
    ck_assert_msg(safetensors_save(path, &ONE, 1, metadata, err), "%s", err->text);
    bool ok = safetensors_open(&st, path, err);
    if (ok) {
        ok = safetensors_verify(&st, err);
        safetensors_close(&st);
    }
    unlink(path);
    json_decref(metadata);
    return ok;
}

static void expect_refused(json_t *metadata, const char *fragment)
{
    Error err;
    ck_assert_msg(!accepts(metadata, &err), "accepted; expected: %s", fragment);
    ck_assert_msg(strstr(err.text, fragment), "\"%s\" lacks: %s", err.text, fragment);
}

START_TEST(all_checksums_or_none)
{
    Error err;
    ck_assert_msg(accepts(NULL, &err), "%s", err.text);
    ck_assert_msg(accepts(json_pack("{s:s, s:s}", "xxh", "1", "xxh33", "2"), &err), "%s", err.text);
    expect_refused(json_pack("{s:s}", "xxh3.w", "0123456789abcdef"),
                   "the header's checksum is missing");
    expect_refused(json_pack("{s:s}", "xxh3", "0123456789abcdef"), "tensor \"w\": has no checksum");
    expect_refused(json_pack("{s:s, s:s}", "xxh3.w", "0", "xxh3", "0123456789abcdef"),
                   "header: its checksum is");
}
END_TEST

/* The checksums of a file as this page of Python computes them:
 *     h["__metadata__"].pop("xxh3")
 *     xxh3_64_hexdigest(json.dumps(h, sort_keys=True, separators=(",", ":"))) */
START_TEST(documented_definition)
{
    Run r;
    Error err;
    Safetensors st;
    run_init(&r, 1, 2, OPTIM_ADAMW);
    char *path = run_path(&r, "x.safetensors");
    ck_assert_msg(safetensors_save_with_checksums(path, &ONE, 1, NULL, &err), "%s", err.text);
    ck_assert_msg(safetensors_open(&st, path, &err), "%s", err.text);
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\",\"xxh3.w\":\"%s\"},"
                                 "\"w\":{\"data_offsets\":[0,8],\"dtype\":\"F32\",\"shape\":[2]}}";
    char *text = xformat(header, checksum_of(W, sizeof W).text);
    ck_assert_str_eq(json_string_value(json_object_get(st.metadata, "xxh3.w")),
                     checksum_of(W, sizeof W).text);
    ck_assert_str_eq(json_string_value(json_object_get(st.metadata, "xxh3")),
                     checksum_of(text, strlen(text)).text);
    ck_assert(safetensors_has_checksums(&st));
    safetensors_close(&st);
    free(text), free(path);
    run_free(&r);
}
END_TEST

SUITE("checksum",
      TESTS(known_values, every_flipped_bit_is_found, all_checksums_or_none, documented_definition),
      NO_ABORTS)
