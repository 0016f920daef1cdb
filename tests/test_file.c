/* Files: what is read comes back whole, and what fails to be written leaves the old file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/file.h"
#include "suite.h"

/* --- system calls that fail when they are told to ---------------------------------------------
 * These stand before the library's: file.c calls them. */
typedef struct {
    bool on, interrupt;      /* interrupt: every third read or write */
    size_t most;             /* bytes that a read or write may move; 0: any */
    int calls, fail_at, why; /* that call fails with errno = why */
    char trace[32];          /* the calls, by letter */
} Shim;

static Shim shim;

static bool shim_fails(char letter)
{
    if (!shim.on) return false;
    if (shim.calls < LEN(shim.trace) - 1) shim.trace[shim.calls] = letter;
    shim.calls++;
    const bool moves = letter == 'r' || letter == 'w';
    const bool fails = shim.calls == shim.fail_at;
    const bool interrupted = shim.interrupt && moves && shim.calls % 3 == 0;
    errno = fails ? shim.why : interrupted ? EINTR : errno;
    return fails || interrupted;
}

static size_t shim_size(size_t n)
{
    return shim.on && shim.most && n > shim.most ? shim.most : n;
}

ssize_t read(int fd, void *bytes, size_t n)
{
    return shim_fails('r') ? -1 : syscall(SYS_read, fd, bytes, shim_size(n));
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    return shim_fails('w') ? -1 : syscall(SYS_write, fd, bytes, shim_size(n));
}

int fsync(int fd)
{
    return shim_fails('f') ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd)
{
    const int status = (int)syscall(SYS_close, fd); /* also one that fails has closed */
    return shim_fails('c') ? -1 : status;
}

int rename(const char *from, const char *to)
{
    return shim_fails('n') ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* --- a directory of one test ------------------------------------------------------------------ */

typedef struct {
    char path[64];
} TempDir;

static TempDir temp_dir(void)
{
    TempDir d;
    const char *root = access("/tmp", W_OK) == 0 ? "/tmp" : ".";
    snprintf(d.path, sizeof d.path, "%s/test_file.XXXXXX", root);
    ck_assert_ptr_nonnull(mkdtemp(d.path));
    return d;
}

static void temp_name(const TempDir *d, const char *name, char path[160])
{
    snprintf(path, 160, "%s/%s", d->path, name);
}

static int temp_entries(const TempDir *d)
{
    DIR *dir = opendir(d->path);
    int n = -2; /* . and .. */
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (unlink(inner) != 0) remove_tree(inner);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

static void assert_content(const char *path, const char *expected, size_t len)
{
    char *data;
    size_t n;
    Error err;
    ck_assert_msg(file_read(path, SIZE_MAX, &data, &n, &err), "%s", err.text);
    ck_assert_uint_eq(n, len);
    ck_assert_int_eq(memcmp(data, expected, len), 0);
    ck_assert_int_eq(data[n], 0);
    free(data);
}

static void assert_write(const char *path, const char *text)
{
    Error err;
    ck_assert_msg(file_write(path, text, strlen(text), &err), "%s", err.text);
}

static void assert_fails(bool ok, const Error *err, const char *path, const char *why)
{
    ck_assert(!ok);
    ck_assert_msg(strncmp(err->text, path, strlen(path)) == 0, "%s", err->text);
    ck_assert_msg(strstr(err->text, why) != NULL, "%s", err->text);
}

/* --- reading ---------------------------------------------------------------------------------- */

START_TEST(round_trip)
{
    const TempDir d = temp_dir();
    char path[160];
    temp_name(&d, "data", path);
    static const size_t sizes[] = {0, 1, 2, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1};
    char *bytes = xmalloc((1 << 20) + 1);
    for (int i = 0; i <= 1 << 20; i++) bytes[i] = (char)(i * 31 >> 3);
    for (int i = 0; i < LEN(sizes); i++) {
        Error err;
        ck_assert_msg(file_write(path, bytes, sizes[i], &err), "%s", err.text);
        assert_content(path, bytes, sizes[i]);
        ck_assert_int_eq(temp_entries(&d), 1);
    }
    free(bytes);
    remove_tree(d.path);
}
END_TEST

/* The older file stands until the last piece is written. */
START_TEST(written_in_pieces)
{
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    temp_name(&d, "data", path);
    assert_write(path, "old");
    FileWriter w = file_begin(path);
    file_put(&w, "a new", 5);
    file_put(&w, "", 0);
    file_put(&w, " one", 4);
    assert_content(path, "old", 3);
    ck_assert_msg(file_end(&w, &err), "%s", err.text);
    assert_content(path, "a new one", 9);
    ck_assert_int_eq(temp_entries(&d), 1);

    temp_name(&d, "no/data", path);
    w = file_begin(path);
    file_put(&w, "lost", 4);
    assert_fails(file_end(&w, &err), &err, path, "cannot be written");
    ck_assert_int_eq(temp_entries(&d), 1);
    remove_tree(d.path);
}
END_TEST

START_TEST(mapped)
{
    const TempDir d = temp_dir();
    char path[160];
    FileMap map;
    Error err;
    temp_name(&d, "data", path);
    assert_write(path, "12345");
    ck_assert_msg(file_map(path, 5, &map, &err), "%s", err.text);
    ck_assert(map.mapped && map.len == 5);
    ck_assert_mem_eq(map.bytes, "12345", 5);
    file_unmap(&map);
    assert_fails(file_map(path, 4, &map, &err), &err, path, ": more than 4 bytes");
    assert_write(path, "");
    ck_assert(file_map(path, 4, &map, &err) && !map.mapped && map.len == 0);
    file_unmap(&map);
    ck_assert(file_map("/dev/null", 4, &map, &err) && !map.mapped && map.len == 0);
    file_unmap(&map);
    assert_fails(file_map(d.path, 4, &map, &err), &err, d.path, "");
    remove_tree(d.path);
}
END_TEST

/* The third page of a file that has two by now. */
#ifndef __SANITIZE_ADDRESS__
START_TEST(mapped_file_shrinks)
{
    const TempDir d = temp_dir();
    char path[160];
    static char bytes[3 << 16];
    FileMap map;
    Error err;
    temp_name(&d, "data", path);
    ck_assert_msg(file_write(path, bytes, sizeof bytes, &err), "%s", err.text);
    ck_assert_msg(file_map(path, sizeof bytes, &map, &err), "%s", err.text);
    const bool cut = truncate(path, 1 << 16) == 0;
    remove_tree(d.path);
    if (cut) ck_assert_int_eq(map.bytes[sizeof bytes - 1], 0);
}
END_TEST
#endif

START_TEST(bounds)
{
    const TempDir d = temp_dir();
    char path[160], *data = NULL;
    size_t n;
    Error err;
    temp_name(&d, "data", path);
    assert_write(path, "12345");
    ck_assert(file_read(path, 5, &data, &n, &err));
    ck_assert_str_eq(data, "12345");
    free(data);
    assert_fails(file_read(path, 4, &data, &n, &err), &err, path, ": more than 4 bytes");
    assert_write(path, "");
    ck_assert(file_read(path, 0, &data, &n, &err));
    ck_assert_str_eq(data, "");
    ck_assert_uint_eq(n, 0);
    free(data);
    remove_tree(d.path);
}
END_TEST

START_TEST(unreadable)
{
    const TempDir d = temp_dir();
    char path[160], *data;
    size_t n;
    Error err;
    temp_name(&d, "missing", path);
    assert_fails(file_read(path, 9, &data, &n, &err), &err, path, "No such file or directory");
    assert_fails(file_read(d.path, 1 << 20, &data, &n, &err), &err, d.path, "Is a directory");
    temp_name(&d, "loop", path);
    ck_assert_int_eq(symlink("loop", path), 0);
    assert_fails(file_read(path, 9, &data, &n, &err), &err, path, "symbolic links");
    assert_fails(file_read("", 9, &data, &n, &err), &err, "", "No such file");
    if (access("/dev/zero", R_OK) == 0)
        assert_fails(file_read("/dev/zero", 100000, &data, &n, &err), &err, "/dev/zero",
                     "more than 100000 bytes");
    remove_tree(d.path);
}
END_TEST

static void feed(int fd, int pieces)
{
    for (int i = 0; i < pieces; i++) {
        char piece[100];
        memset(piece, 'a' + i % 26, sizeof piece);
        if (write(fd, piece, sizeof piece) != sizeof piece) _exit(1);
    }
    _exit(0);
}

static void assert_fed(const char *path, int pieces)
{
    char *data;
    size_t n;
    int status;
    Error err;
    shim = (Shim){.on = true, .interrupt = true, .most = 7};
    ck_assert_msg(file_read(path, 1 << 20, &data, &n, &err), "%s", err.text);
    shim = (Shim){0};
    ck_assert_uint_eq(n, (size_t)pieces * 100);
    for (size_t i = 0; i < n; i++) ck_assert(data[i] == 'a' + (int)(i / 100) % 26);
    free(data);
    wait(&status);
    ck_assert_int_eq(status, 0);
}

/* Of unknown length, and read with interruptions, a few bytes at a time. */
START_TEST(pipes)
{
    const TempDir d = temp_dir();
    int end[2];
    ck_assert_int_eq(pipe(end), 0);
    if (fork() == 0) feed(end[1], 1000);
    close(end[1]);
    dup2(end[0], 0), close(end[0]);
    assert_fed("-", 1000);
    ck_assert(fcntl(0, F_GETFD) >= 0); /* standard input is not ours to close */

    char path[160];
    temp_name(&d, "fifo", path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    if (fork() == 0) feed(open(path, O_WRONLY), 10);
    assert_fed(path, 10);
    remove_tree(d.path);
}
END_TEST

/* --- writing ---------------------------------------------------------------------------------- */

START_TEST(mode_and_umask)
{
    const TempDir d = temp_dir();
    char path[160];
    struct stat st;
    temp_name(&d, "data", path);
    umask(027);
    assert_write(path, "x");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0640);
    remove_tree(d.path);
}
END_TEST

/* A reader sees the old bytes or the new: the name moves to another file. */
START_TEST(replaced_not_overwritten)
{
    const TempDir d = temp_dir();
    char path[160], old[4] = "";
    temp_name(&d, "data", path);
    assert_write(path, "old");
    const int fd = open(path, O_RDONLY);
    assert_write(path, "new content");
    ck_assert_int_eq(read(fd, old, 3), 3);
    ck_assert_str_eq(old, "old");
    close(fd);
    assert_content(path, "new content", 11);
    remove_tree(d.path);
}
END_TEST

/* A link that stands where the temporary file will be is not followed; one that is the file itself is
 * replaced. */
START_TEST(links)
{
    const TempDir d = temp_dir();
    char path[160], temporary[200], other[160];
    temp_name(&d, "other", other);
    assert_write(other, "theirs");
    temp_name(&d, "data", path);
    snprintf(temporary, sizeof temporary, "%s.tmp.%ld", path, (long)getpid());
    ck_assert_int_eq(symlink(other, temporary), 0);
    assert_write(path, "ours");
    assert_content(path, "ours", 4);
    assert_content(other, "theirs", 6);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(other, path), 0);
    assert_write(path, "ours");
    assert_content(other, "theirs", 6);
    ck_assert_int_eq(temp_entries(&d), 2);
    remove_tree(d.path);
}
END_TEST

START_TEST(unwritable)
{
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    temp_name(&d, "file", path);
    assert_write(path, "content");
    temp_name(&d, "file/inner", path);
    assert_fails(file_write(path, "x", 1, &err), &err, path, "Not a directory");
    temp_name(&d, "missing/inner", path);
    assert_fails(file_write(path, "x", 1, &err), &err, path, "No such file or directory");
    temp_name(&d, "dir", path);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    assert_fails(file_write(path, "x", 1, &err), &err, path, "Is a directory");
    temp_name(&d, "fifo", path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_fails(file_write(path, "x", 1, &err), &err, path, "is a device or pipe");
    assert_fails(file_write("/dev/full", "x", 1, &err), &err, "/dev/full", "is a device or pipe");
    ck_assert_int_eq(temp_entries(&d), 3); /* file, dir, fifo, and no temporary */
    temp_name(&d, "file", path);
    assert_content(path, "content", 7);
    remove_tree(d.path);
}
END_TEST

/* The disk's limit stands for a full disk: the first bytes fit, the rest does not. */
START_TEST(no_room)
{
    const TempDir d = temp_dir();
    const struct rlimit limit = {10000, 10000};
    char path[160], *big = xcalloc(1, 20000);
    Error err;
    temp_name(&d, "data", path);
    assert_write(path, "old");
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_fails(file_write(path, big, 20000, &err), &err, path, "File too large");
    assert_content(path, "old", 3);
    ck_assert_int_eq(temp_entries(&d), 1);
    ck_assert_msg(file_write(path, big, 10000, &err), "%s", err.text);
    assert_content(path, big, 10000);
    free(big);
    remove_tree(d.path);
}
END_TEST

/* Down to the disk before the new name, and the name itself thereafter. */
START_TEST(order_of_calls)
{
    const TempDir d = temp_dir();
    char path[160];
    temp_name(&d, "data", path);
    shim = (Shim){.on = true};
    assert_write(path, "x");
    shim.on = false;
    ck_assert_str_eq(shim.trace, "wfcnfc");
    remove_tree(d.path);
}
END_TEST

START_TEST(every_call_fails)
{
    static const int why[] = {EIO, ENOSPC, EDQUOT};
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    temp_name(&d, "data", path);
    for (int i = 0; i < LEN(why); i++)
        for (int k = 1; k <= 5; k++) { /* the sixth closes the directory, which cannot matter */
            assert_write(path, "old");
            shim = (Shim){.on = true, .fail_at = k, .why = why[i]};
            const bool ok = file_write(path, "new!", 4, &err);
            shim.on = false;
            assert_fails(ok, &err, path, strerror(why[i]));
            ck_assert((strstr(err.text, "free some space") != NULL) == (why[i] != EIO));
            assert_content(path, k <= 4 ? "old" : "new!", k <= 4 ? 3 : 4);
            ck_assert_int_eq(temp_entries(&d), 1);
        }
    shim = (Shim){.on = true, .fail_at = 5, .why = EINVAL}; /* a directory that cannot be synced */
    ck_assert(file_write(path, "x", 1, &err));
    shim.on = false;
    remove_tree(d.path);
}
END_TEST

START_TEST(short_writes)
{
    const TempDir d = temp_dir();
    char path[160], bytes[1000];
    Error err;
    for (int i = 0; i < LEN(bytes); i++) bytes[i] = (char)(i * 37 >> 2);
    temp_name(&d, "data", path);
    shim = (Shim){.on = true, .interrupt = true, .most = 7};
    ck_assert_msg(file_write(path, bytes, sizeof bytes, &err), "%s", err.text);
    shim.on = false;
    assert_content(path, bytes, sizeof bytes);
    remove_tree(d.path);
}
END_TEST

START_TEST(relative_names)
{
    const TempDir d = temp_dir();
    ck_assert_int_eq(chdir(d.path), 0);
    assert_write("data", "x"); /* whose directory is "." */
    assert_content("data", "x", 1);
    ck_assert(file_exists("data") && file_exists(".") && !file_exists("other"));
    ck_assert_int_eq(chdir("/"), 0);
    remove_tree(d.path);
}
END_TEST

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
    ck_assert(dir_is_empty(path)); /* not there */
    assert_write(path, "x");
    ck_assert(!dir_is_empty(path));
    assert_fails(dir_make(path, &err), &err, path, "Not a directory");
    temp_name(&d, "file/inner", path);
    assert_fails(dir_make(path, &err), &err, path, "Not a directory");
    assert_fails(dir_make("", &err), &err, "", "No such file or directory");
    ck_assert_int_eq(mkdir("/sys/no", 0777), -1); /* refused, also to root */
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
    const char *text = "{\n  \"lr\": 0.003,\n  \"n\": 7\n}\n"; /* as one would write it by hand */
    assert_content(path, text, strlen(text));
    remove_tree(d.path);
}
END_TEST

START_TEST(json_errors)
{
    static const struct {
        const char *text, *message;
    } bad[] = {{"", ":1:0: '[' or '{' expected near end of file"},
               {"{\"a\": 1,\n \"a\": 2}", ":2:4: duplicate object key"},
               {"{\"a\": }", ":1:7: unexpected token near '}'"},
               {"{\"a\": 1} x", ":1:10: end of file expected near 'x'"},
               {"{\"a\": NaN}", ":1:9: invalid token near 'NaN'"},
               {"{\"a\": 1,}", ":1:9: "},
               {"{\"a\": 99999999999999999999}", "too big integer"},
               {"{\"a\": \"\xFF\"}", "unable to decode byte 0xff"},
               {"[\x1B]", ":1:2: invalid token near '?'"}};
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
    remove_tree(d.path);
}
END_TEST

#ifdef __SANITIZE_ADDRESS__ /* which has its own handler */
#define SHRINKS NO_ABORTS
#else
#define SHRINKS EXITS(mapped_file_shrinks)
#endif

SUITE_WITH_EXITS("file",
                 TESTS(round_trip, mapped, written_in_pieces, bounds, unreadable, pipes,
                       mode_and_umask, replaced_not_overwritten, links, unwritable, no_room,
                       order_of_calls, every_call_fails, short_writes, relative_names, directories,
                       json_round_trip, json_errors),
                 NO_ABORTS, SHRINKS)
