/* The fingerprint of data depends on the ids that the model reads, not on the file's path. */
#include <unistd.h>

#include "data/fingerprint.h"
#include "system/file.h"
#include "suite.h"

static char dir[] = "/tmp/lmzoo-fingerprint-XXXXXX";

static Fingerprint of_text(const char *name, const char *text, bool lines)
{
    char *path = xformat("%s/%s", dir, name);
    Error err;
    ck_assert(file_write(path, text, strlen(text), &err));
    DataConfig c = data_defaults();
    c.text = path, c.lines = lines, c.seq_len = 2;
    Data d;
    ck_assert_msg(data_open(&d, &c, NULL, &err), "%s", err.text);
    const Fingerprint f = data_fingerprint(&d);
    data_close(&d);
    unlink(path), free(path);
    return f;
}

static Fingerprint of_pairs(const char *name, const char *last)
{
    char *path = xformat("%s/%s", dir, name), text[8192];
    int at = 0;
    for (int i = 0; i < 300; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "a%d b%d\tc%d d%d\n", i % 20, i / 20,
                       i % 20, i / 20);
    snprintf(text + at, sizeof text - (size_t)at, "%s", last);
    Error err;
    ck_assert(file_write(path, text, strlen(text), &err));
    DataConfig c = data_defaults();
    c.of_pairs = true, c.pairs.file = path;
    Data d;
    ck_assert_msg(data_open(&d, &c, NULL, &err), "%s", err.text);
    const Fingerprint f = data_fingerprint(&d);
    data_close(&d);
    unlink(path), free(path);
    return f;
}

static Fingerprint of_task(const char *name)
{
    DataConfig c = data_defaults();
    c.task = name;
    Data d;
    Error err;
    ck_assert(data_open(&d, &c, NULL, &err));
    const Fingerprint f = data_fingerprint(&d);
    data_close(&d);
    return f;
}

static void ck_same(Fingerprint a, Fingerprint b, bool same)
{
    ck_assert_int_eq(strlen(a.text), 16);
    ck_assert_msg((strcmp(a.text, b.text) == 0) == same, "%s and %s", a.text, b.text);
}

START_TEST(same_and_other_data)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const char *text = "abcabdabeabcabdabeabcabdabe", *one = "abcabdabeabcabdaaeabcabdabe";
    const char *swapped = "abcabdabeabcabdabeabcadbabe";
    ck_same(of_text("a", text, false), of_text("b", text, false), true);
    ck_same(of_text("a", text, false), of_text("a", one, false), false);
    ck_same(of_text("a", text, false), of_text("a", swapped, false), false);
    ck_same(of_pairs("a", "a1 b1\tc2\n"), of_pairs("b", "a1 b1\tc2\n"), true);
    ck_same(of_pairs("a", "a1 b1\tc2\n"), of_pairs("a", "a1 b1 a1\tc2\n"), false);
    ck_same(of_pairs("a", "a1 b2\tc1\n"), of_pairs("a", "a1\tb2 c1\n"), false);
    ck_same(of_task("parity"), of_task("parity"), true);
    ck_same(of_task("parity"), of_task("dyck"), false);
    rmdir(dir);
}
END_TEST

SUITE("fingerprint", TESTS(same_and_other_data), NO_ABORTS)
