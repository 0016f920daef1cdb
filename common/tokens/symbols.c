#include "tokens/symbols.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

Symbols symbols_new(const char *const *reserved, int n)
{
    enum { SLOTS = 64 };
    CHECK(n >= 0 && n <= SLOTS / 2, "symbols: %d reserved ids", n);
    Symbols s = {.first = n, .n_slots = SLOTS};
    s.slot = xcalloc(SLOTS, sizeof *s.slot);
    s.string = xcalloc(SLOTS / 2, sizeof *s.string); /* at most half of the slots are used */
    for (; s.size < n; s.size++) s.string[s.size] = xstrdup(reserved[s.size]);
    return s;
}

void symbols_free(Symbols *s)
{
    for (int id = 0; id < s->size; id++) free(s->string[id]);
    free(s->string), free(s->slot);
    *s = (Symbols){0};
}

/* Returns the slot of the string, or the empty slot where it would go. */
static int *find_slot(const Symbols *s, const char *string)
{
    uint64_t h = 0xCBF29CE484222325; /* FNV-1a */
    for (const char *c = string; *c; c++) h = (h ^ (unsigned char)*c) * 0x100000001B3;
    uint64_t at = h ^ h >> 32;
    for (;; at++) {
        int *slot = &s->slot[at & (uint64_t)(s->n_slots - 1)];
        if (*slot == 0 || strcmp(s->string[*slot - 1], string) == 0) return slot;
    }
}

static void grow(Symbols *s)
{
    CHECK(s->n_slots <= INT_MAX / 2, "symbols: %d strings are the maximum", s->size);
    s->n_slots *= 2;
    free(s->slot);
    s->slot = xcalloc((size_t)s->n_slots, sizeof *s->slot);
    s->string = xrealloc(s->string, (size_t)s->n_slots / 2 * sizeof *s->string);
    for (int id = s->first; id < s->size; id++) *find_slot(s, s->string[id]) = id + 1;
}

int symbols_find(const Symbols *s, const char *string)
{
    return *find_slot(s, string) - 1;
}

int symbols_add(Symbols *s, const char *string)
{
    const int known = symbols_find(s, string);
    if (known >= 0) return known;
    if (s->size >= s->n_slots / 2) grow(s);
    *find_slot(s, string) = s->size + 1;
    s->string[s->size] = xstrdup(string);
    return s->size++;
}

Symbols symbols_copy(const Symbols *s)
{
    if (!s->slot) return *s;
    Symbols copy = symbols_new((const char *const *)s->string, s->first);
    for (int id = s->first; id < s->size; id++) symbols_add(&copy, s->string[id]);
    return copy;
}
