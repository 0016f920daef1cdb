/* The bump allocator: blocks are aligned and never overlap, and after the first step it allocates no memory. */
#include "base/arena.h"
#include "suite.h"

enum { N = 100 };

static size_t size_of(int i)
{
    static const size_t sizes[] = {1, 0, 63, 64, 65, 1000, 40000, 300000, (1 << 20) + 1};
    return sizes[i * i % LEN(sizes)];
}

/* Each block is filled with its own byte; no other block overwrites it. */
static void fill(Arena *a, unsigned char **p)
{
    for (int i = 0; i < N; i++) {
        p[i] = arena_alloc(a, size_of(i));
        ck_assert_uint_eq((uintptr_t)p[i] % 64, 0);
        memset(p[i], i & 255, size_of(i));
    }
}

static size_t count_of(const unsigned char *p, size_t size, int byte)
{
    size_t n = 0;
    for (size_t k = 0; k < size; k++) n += p[k] == byte;
    return n;
}

START_TEST(blocks_are_apart)
{
    Arena a = {0};
    unsigned char *p[N];
    fill(&a, p);
    for (int i = 0; i < N; i++) ck_assert_uint_eq(count_of(p[i], size_of(i), i & 255), size_of(i));
    arena_free(&a);
}
END_TEST

START_TEST(a_reset_keeps_the_memory)
{
    Arena a = {0};
    unsigned char *first[N], *again[N];
    fill(&a, first);
    const size_t reserved = arena_reserved(&a), used = a.used;
    ck_assert_uint_ge(reserved, used);
    for (int step = 0; step < 3; step++) {
        arena_reset(&a);
        ck_assert_uint_eq(a.used, 0);
        fill(&a, again);
        ck_assert_uint_eq(arena_reserved(&a), reserved);
        ck_assert_uint_eq(a.used, used);
        for (int i = 0; i < N; i++) ck_assert_ptr_eq(again[i], first[i]);
    }
    arena_free(&a);
    ck_assert_uint_eq(arena_reserved(&a), 0);
}
END_TEST

START_TEST(used_counts_whole_lines)
{
    Arena a = {0};
    arena_alloc(&a, 1);
    ck_assert_uint_eq(a.used, 64);
    arena_alloc(&a, 64);
    ck_assert_uint_eq(a.used, 128);
    arena_alloc(&a, 65);
    ck_assert_uint_eq(a.used, 256);
    arena_free(&a);
}
END_TEST

START_TEST(zeroed_even_when_used_before)
{
    Arena a = {0};
    memset(arena_alloc(&a, 5000), 7, 5000);
    arena_reset(&a);
    ck_assert_uint_eq(count_of(arena_zero(&a, 5000), 5000, 0), 5000);
    arena_free(&a);
}
END_TEST

START_TEST(formatted)
{
    Arena a = {0};
    char *s = arena_format(&a, "%s.%d", "layer", 12), *t = arena_format(&a, "%2000d", 5);
    ck_assert_str_eq(s, "layer.12");
    ck_assert_uint_eq(strlen(t), 2000);
    arena_free(&a);
}
END_TEST

START_TEST(empty)
{
    Arena a = {0};
    arena_reset(&a);
    ck_assert_uint_eq(arena_reserved(&a), 0);
    arena_free(&a);
    arena_free(&a);
}
END_TEST

#ifdef ARENA_POISON
START_TEST(a_use_after_reset_reads_nan)
{
    Arena a = {0};
    float *x = arena_alloc(&a, 100 * sizeof *x);
    for (int i = 0; i < 100; i++) x[i] = 1;
    arena_reset(&a);
    for (int i = 0; i < 100; i++) ck_assert(isnan(x[i]));
    arena_free(&a);
}
END_TEST
#define IN_POISONED a_use_after_reset_reads_nan
#else
#define IN_POISONED NULL
#endif

START_TEST(a_negative_size)
{
    Arena a = {0};
    arena_alloc(&a, (size_t)-64);
}
END_TEST

SUITE("arena",
      TESTS(blocks_are_apart, a_reset_keeps_the_memory, used_counts_whole_lines,
            zeroed_even_when_used_before, formatted, empty, IN_POISONED),
      ABORTS(a_negative_size))
