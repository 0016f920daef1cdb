/* A test program in one line. Each file of tests ends with
 *
 *     SUITE("tensor", TESTS(shape_product, shape_text), ABORTS(shape_of_size_0))
 *
 * TESTS are START_TESTs that must pass. ABORTS must end in abort(): CHECK stops a programmer's mistake
 * in this way. EXITS, in a SUITE_WITH_EXITS, must end in exit(1), as too_large does. A loop over data
 * belongs inside a test. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TESTS(...)  ((const TTest *[]){__VA_ARGS__, NULL})
#define ABORTS(...) ((const TTest *[]){__VA_ARGS__, NULL})
#define EXITS(...)  ((const TTest *[]){__VA_ARGS__, NULL})
#define NO_ABORTS   ((const TTest *[]){NULL})

#define SUITE(name, tests, aborts) SUITE_WITH_EXITS(name, tests, aborts, NO_ABORTS)
#define SUITE_WITH_EXITS(name, tests, aborts, exits)                                               \
    int main(void)                                                                                 \
    {                                                                                              \
        return suite_run(name, tests, aborts, exits);                                              \
    }

static inline int suite_run(const char *name, const TTest **tests, const TTest **aborts,
                            const TTest **exits)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, 120);
    for (int i = 0; tests[i]; i++) tcase_add_test(tc, tests[i]);
    for (int i = 0; aborts[i]; i++) tcase_add_test_raise_signal(tc, aborts[i], SIGABRT);
    for (int i = 0; exits[i]; i++) tcase_add_exit_test(tc, exits[i], EXIT_FAILURE);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Returns a path at which nothing is: that of a folder that was made for the test and is removed again. */
static inline const char *nowhere(void)
{
    static char path[32];
    snprintf(path, sizeof path, "/tmp/lmzoo-nowhere-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
    ck_assert_int_eq(rmdir(path), 0);
    return path;
}

/* Returns the path of a file of real data, in $LMZOO_DATA or ../shared/data. Without such a file it
 * prints "skipped" and returns NULL, and the test returns early. */
static inline const char *data_path(const char *name)
{
    static char path[512];
    const char *root = getenv("LMZOO_DATA");
    snprintf(path, sizeof path, "%s/%s", root ? root : "../shared/data", name);
    FILE *f = fopen(path, "rb");
    if (f) {
        fclose(f);
        return path;
    }
    fprintf(stderr, "skipped: %s is not there\n", path);
    return NULL;
}

#endif
