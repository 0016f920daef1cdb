/* Directories and JSON files: contents, refusals and their messages. */
#include <errno.h>
#include <sys/stat.h>

#include "temp_dir.h"

/* --- directories ------------------------------------------------------------------------------ */

START_TEST(directories)
{
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    static const char *const good[] = {"a", "a/b/c", "a/b/c", "a//x/", "./y/../z", "q/"};
    for (int i = 0; i < LEN(good); i++) {
        temp_name(&d, good[i], path);
        ck_assert_msg(dir_make(path, &err), "%s", err.text);
        ck_assert(dir_is_empty(path));
    }
    temp_name(&d, "a", path);
    ck_assert(!dir_is_empty(path));
    ck_assert_msg(dir_make("/", &err) && dir_make(".", &err), "%s", err.text);
    temp_name(&d, "file", path);
    ck_assert(dir_is_empty(path)); /* there is no such directory */
    assert_write(path, "x");
    ck_assert(!dir_is_empty(path));
    assert_fails(dir_make(path, &err), &err, path, "Not a directory");
    temp_name(&d, "file/inner", path);
    assert_fails(dir_make(path, &err), &err, path, "Not a directory");
    assert_fails(dir_make("", &err), &err, "", "No such file or directory");
    ck_assert_int_eq(mkdir("/sys/no", 0777), -1); /* refused even for root */
    const char *refusal = strerror(errno);
    assert_fails(dir_make("/sys/no", &err), &err, "/sys/no", refusal);
    remove_tree(d.path);
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------------- */

START_TEST(json_round_trip)
{
    static const double numbers[] = {0.003, 1. / 3, 0.1 + 0.2, 1e-300, 5e-324, 1, 1e22, -0.0};
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    temp_name(&d, "config.json", path);
    for (int i = 0; i < LEN(numbers); i++) {
        json_t *j = json_pack("{s:f, s:i, s:s}", "lr", numbers[i], "n", 7, "name", "\xEA\xB0\x80");
        ck_assert_msg(json_write(path, j, &err), "%s", err.text);
        json_t *back = json_read(path, &err);
        ck_assert_msg(back && json_equal(j, back), "%.17g", numbers[i]);
        json_decref(j), json_decref(back);
    }
    json_t *j = json_pack("{s:f, s:i}", "lr", 0.003, "n", 7);
    ck_assert(json_write(path, j, &err));
    json_decref(j);
    const char *text = "{\n  \"lr\": 0.003,\n  \"n\": 7\n}\n"; /* as a person would write it */
    assert_content(path, text, strlen(text));
    remove_tree(d.path);
}
END_TEST

START_TEST(json_errors)
{
    static const struct {
        const char *text, *message;
    } bad[] = {{"", ":1:0: '[' or '{' expected near end of file"},
               {"{\"a\": 1,\n \"a\": 2}", ":2:4: \"a\": duplicate object key"},
               {"{\"a\": }", ":1:7: \"a\": unexpected token near '}'"},
               {"{\"a\": 1} x", ":1:10: \"a\": end of file expected near 'x'"},
               {"{\"a\": NaN}", ":1:9: \"a\": invalid token near 'NaN'"},
               {"{\"a\": 1,}", ":1:9: \"a\": "},
               {"{\"a\": 99999999999999999999}", ":1:26: \"a\": too big integer"},
               {"{\"b\": [1, 2],\n\"a:\\\"\": 1e999}", "\"a:\\\"\": real number overflow"},
               {"{\"a\": \"\xFF\"}", "unable to decode byte 0xff"},
               {"[\x1B]", ":1:2: invalid token near '\\x1b'"}};
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    temp_name(&d, "config.json", path);
    for (int i = 0; i < LEN(bad); i++) {
        assert_write(path, bad[i].text);
        ck_assert_ptr_null(json_read(path, &err));
        assert_fails(false, &err, path, bad[i].message);
    }
    ck_assert(file_write(path, "{\"a\":\0 1}", 9, &err));
    ck_assert_ptr_null(json_read(path, &err));
    char deep[5000];
    memset(deep, '[', sizeof deep);
    ck_assert(file_write(path, deep, sizeof deep, &err));
    ck_assert_ptr_null(json_read(path, &err));
    assert_fails(false, &err, path, "maximum parsing depth");
    ck_assert_ptr_null(json_read(d.path, &err));
    assert_fails(false, &err, d.path, "Is a directory");
    temp_name(&d, "fifo", path); /* would wait for a writer */
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(json_read(path, &err));
    assert_fails(false, &err, path, ": is a device or pipe");
    remove_tree(d.path);
}
END_TEST

SUITE("file_json", TESTS(directories, json_round_trip, json_errors), NO_ABORTS)
