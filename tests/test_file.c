/* Files: a read returns all bytes, and a failed write keeps the old file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_shim.h"
#include "temp_dir.h"

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

/* The older file stays until the last piece is written. */
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

/* A pipe of unknown length, read with interruptions, a few bytes at a time. */
START_TEST(pipes)
{
    const TempDir d = temp_dir();
    int end[2];
    ck_assert_int_eq(pipe(end), 0);
    if (fork() == 0) feed(end[1], 1000);
    close(end[1]);
    dup2(end[0], 0), close(end[0]);
    assert_fed("-", 1000);
    ck_assert(fcntl(0, F_GETFD) >= 0); /* standard input stays open */

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

/* A reader sees either the old bytes or the new ones: the name changes to another file. */
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

/* A symbolic link at the name of the temporary file is not followed; one at the name of the file is
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

/* A limit on the size of files acts like a full disk: the first bytes fit, the others do not. */
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

/* The bytes are synced to the disk before the new name, the directory after it. */
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
        for (int k = 1; k <= 5;
             k++) { /* the sixth closes the directory: its failure has no effect */
            assert_write(path, "old");
            shim = (Shim){.on = true, .fail_at = k, .why = why[i]};
            const bool ok = file_write(path, "new!", 4, &err);
            shim.on = false;
            assert_fails(ok, &err, path, strerror(why[i]));
            ck_assert((strstr(err.text, "free some space") != NULL) == (why[i] != EIO));
            assert_content(path, k <= 4 ? "old" : "new!", k <= 4 ? 3 : 4);
            ck_assert_int_eq(temp_entries(&d), 1);
        }
    shim = (Shim){.on = true, .fail_at = 5, .why = EINVAL}; /* this directory cannot be synced */
    ck_assert(file_write(path, "x", 1, &err));
    shim.on = false;
    remove_tree(d.path);
}
END_TEST

/* Every call but rename may end with EINTR. */
START_TEST(every_call_is_interrupted)
{
    const TempDir d = temp_dir();
    char path[160];
    Error err;
    temp_name(&d, "data", path);
    for (int k = 1; k <= 6; k++) {
        if (k == 4) continue;
        shim = (Shim){.on = true, .fail_at = k, .why = EINTR};
        ck_assert_msg(file_write(path, "new!", 4, &err), "call %d: %s", k, err.text);
        shim.on = false;
        assert_content(path, "new!", 4);
    }
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

SUITE("file",
      TESTS(round_trip, written_in_pieces, bounds, unreadable, pipes, mode_and_umask,
            replaced_not_overwritten, links, unwritable, no_room, order_of_calls, every_call_fails,
            every_call_is_interrupted, short_writes, relative_names),
      NO_ABORTS)
