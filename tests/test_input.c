/* Reading what a user gives: files, directories, devices, lines. */
#include <fcntl.h>
#include <sys/stat.h>

#include "data/input.h"
#include "data/pairs_table.h"
#include "temp_dir.h"

static Error err;

static void ck_read(const char *path, const char *want, size_t len)
{
    Input in;
    ck_assert_msg(input_read(path, 1000, &in, &err), "%s", err.text);
    ck_assert_uint_eq(in.len, len);
    ck_assert_mem_eq(in.data, want, len + 1);
    input_free(&in);
}

static void put(const char *path, const char *bytes, size_t len)
{
    ck_assert_msg(file_write(path, bytes, len, &err), "%s", err.text);
}

/* A byte order mark is dropped; nothing else is changed. */
START_TEST(files)
{
    const TempDir d = temp_dir();
    char path[160];
    temp_name(&d, "a", path);
    put(path, "\xEF\xBB\xBFx\r\n\0y", 8);
    ck_read(path, "x\r\n\0y", 5);
    put(path, "\xEF\xBB\xBF", 3);
    ck_read(path, "", 0);
    put(path, "\xEF\xBB", 2);
    ck_read(path, "\xEF\xBB", 2);
    ck_read("/dev/null", "", 0);
    remove_tree(d.path);
}
END_TEST

/* The place of what is no character, in the file itself; a directory names the file. */
START_TEST(faults)
{
    const TempDir d = temp_dir();
    char a[160], b[160];
    Input in;
    temp_name(&d, "a.md", a), temp_name(&d, "b.md", b);
    put(a, "fine\n", 5);
    put(b,
        "ab\nc\xE9"
        "d",
        6);
    ck_assert(input_read_directory(d.path, 1000, &in, &err));
    ck_assert_str_eq(in.faults.file, b);
    ck_assert_int_eq(in.faults.utf8.first, 4);
    ck_assert_int_eq(in.faults.utf8.line, 2);
    ck_assert_int_eq(in.faults.utf8.column, 2);
    input_free(&in);
    put(a, "\0", 1);
    ck_assert(input_read_directory(d.path, 1000, &in, &err));
    ck_assert_str_eq(in.faults.file, a);
    ck_assert_int_eq(in.faults.utf8.zeros, 1);
    ck_assert_int_eq(in.faults.utf8.invalid, 1);
    input_free(&in);
    remove_tree(d.path);
}
END_TEST

/* Files are sorted by bytes and joined with a newline; each mark is dropped; hidden and other files are left out. */
START_TEST(directory)
{
    const TempDir d = temp_dir();
    static const char *const file[][2] = {{"b.md", "\357\273\277b"},
                                          {"B.md", "\357\273\277B\n"},
                                          {"\xC3\xA9.md", "e"},
                                          {"a.md", ""},
                                          {".hidden.md", "h"},
                                          {"c.txt", "t"},
                                          {".md", "m"},
                                          {"z.md~", "z"}};
    char path[160];
    for (int i = 0; i < LEN(file); i++)
        temp_name(&d, file[i][0], path), assert_write(path, file[i][1]);
    Input in;
    ck_assert_msg(input_read_directory(d.path, 1000, &in, &err), "%s", err.text);
    ck_assert_str_eq(in.data, "B\nb\ne\n");
    ck_assert_int_eq(in.files, 4);
    ck_assert_int_eq(in.others, 4);
    input_free(&in);
    ck_assert(!input_read_directory(d.path, 4, &in, &err));
    remove_tree(d.path);
}
END_TEST

/* An entry that is no file, or cannot be read, is named; so is a directory without prose. */
START_TEST(directory_refused)
{
    const TempDir d = temp_dir();
    char path[160];
    Input in;
    assert_fails(input_read_directory(d.path, 1000, &in, &err), &err, d.path, "no *.md file");
    temp_name(&d, "x.md", path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_fails(input_read_directory(d.path, 1000, &in, &err), &err, path, "is a device or pipe");
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    assert_fails(input_read_directory(d.path, 1000, &in, &err), &err, path, "is a directory");
    rmdir(path);
    ck_assert_int_eq(symlink("nowhere", path), 0);
    assert_fails(input_read_directory(d.path, 1000, &in, &err), &err, path, "No such file");
    remove_tree(d.path);
}
END_TEST

/* Devices without an end, directories and huge files are refused at once. */
START_TEST(refused)
{
    const TempDir d = temp_dir();
    char path[160];
    Input in;
    assert_fails(input_read("/dev/zero", SIZE_MAX, &in, &err), &err, "/dev/zero", "is a device");
    assert_fails(input_read("/dev/urandom", SIZE_MAX, &in, &err), &err, "/dev/urandom",
                 "is a device");
    assert_fails(input_read(d.path, SIZE_MAX, &in, &err), &err, d.path, "is a directory");
    temp_name(&d, "sparse", path);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(ftruncate(fd, (off_t)10 << 30), 0);
    close(fd);
    assert_fails(input_read(path, 1 << 30, &in, &err), &err, path, "more than 1073741824 bytes");
    ck_assert(!input_may_wait(path) && !input_may_wait(d.path));
    temp_name(&d, "pipe", path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert(input_may_wait(path) && input_may_wait("/dev/zero"));
    remove_tree(d.path);
}
END_TEST

START_TEST(lines)
{
    static const char bytes[] =
        "\xEF\xBB\xBFone\r\n\n\xEF\xBB\xBFthree\0!\n123456789\n12345678\nlast";
    static const struct {
        const char *text;
        size_t len;
        bool too_long;
    } want[] = {{"one\r", 4, false},  {"", 0, false},       {"\xEF\xBB\xBFthre", 7, true},
                {"1234567", 7, true}, {"1234567", 7, true}, {"last", 4, false}};
    FILE *f = fmemopen((void *)bytes, sizeof bytes - 1, "r");
    InputLine line = {0};
    for (int i = 0; i < LEN(want); i++) {
        ck_assert(input_line(f, 7, &line));
        ck_assert_int_eq(line.number, i + 1);
        ck_assert_uint_eq(line.len, want[i].len);
        ck_assert_mem_eq(line.text, want[i].text, line.len + 1);
        ck_assert_int_eq(line.too_long, want[i].too_long);
    }
    ck_assert(!input_line(f, 7, &line));
    fclose(f);
    free(line.text);
}
END_TEST

/* Columns of a line of pairs, as a file and a user give them. */
START_TEST(columns)
{
    static const struct {
        const char *line, *source, *target;
        int columns;
    } c[] = {{"a\tb", "a", "b", 2},
             {" a b \t c \r", "a b", "c", 2},
             {"\r\r", "", "", 0},
             {"a\tb\tc\td", "a", "b", 3},
             {"  one ", "one", "", 1},
             {"\t", "", "", 2},
             {"a\xE2\x80\xA8z\tb", "a\xE2\x80\xA8z", "b", 2}};
    PairLine p;
    for (int i = 0; i < LEN(c); i++) {
        ck_assert_ptr_null(pair_line_cut(c[i].line, strlen(c[i].line), &p));
        ck_assert_int_eq(p.columns, c[i].columns);
        ck_assert(p.len[0] == strlen(c[i].source) && p.len[1] == strlen(c[i].target));
        if (p.columns > 0) ck_assert_mem_eq(p.text[0], c[i].source, p.len[0]);
        if (p.columns > 1) ck_assert_mem_eq(p.text[1], c[i].target, p.len[1]);
    }
    ck_assert_ptr_nonnull(strstr(pair_line_cut("a\0\tb", 4, &p), "0 byte"));
    ck_assert_ptr_nonnull(strstr(pair_line_cut("a\tb\rc\td", 7, &p), "carriage return"));
    char *wide = xcalloc(PAIR_LINE_MOST + 2, 1);
    memset(wide, 'a', PAIR_LINE_MOST + 1);
    ck_assert_ptr_null(pair_line_cut(wide, PAIR_LINE_MOST, &p));
    ck_assert_ptr_nonnull(strstr(pair_line_cut(wide, PAIR_LINE_MOST + 1, &p), "1048576"));
    free(wide);
}
END_TEST

SUITE("input", TESTS(files, faults, directory, directory_refused, refused, lines, columns),
      NO_ABORTS)
