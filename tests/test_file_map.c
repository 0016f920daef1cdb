/* Mapped files: their bytes, refusals, and a file that shrinks while it is mapped. */
#include <sys/stat.h>
#include <unistd.h>

#include "temp_dir.h"

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
    assert_fails(file_map("/dev/null", 4, &map, &err), &err, "/dev/null", ": is a device or pipe");
    temp_name(&d, "fifo", path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_fails(file_map(path, 4, &map, &err), &err, path, ": is a device or pipe");
    assert_fails(file_map(d.path, 4, &map, &err), &err, d.path, "Is a directory");
    remove_tree(d.path);
}
END_TEST

/* Reads the third page of a file that has only two pages left. */
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

#ifdef __SANITIZE_ADDRESS__ /* it has its own handler of SIGBUS */
#define SHRINKS NO_ABORTS
#else
#define SHRINKS EXITS(mapped_file_shrinks)
#endif

SUITE_WITH_EXITS("file_map", TESTS(mapped), NO_ABORTS, SHRINKS)
