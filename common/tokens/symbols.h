/* A table that maps strings to ids and ids to strings. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include "base/base.h"

typedef struct {
    int size;      /* ids are 0 .. size-1 */
    int first;     /* ids below it are reserved: symbols_find does not find them */
    char **string; /* (size) the string of each id */
    int *slot;   /* (n_slots) hash table with open addressing: id + 1, or 0 if the slot is empty */
    int n_slots; /* a power of two */
} Symbols;

/* Makes a table in which n reserved strings have the ids 0 .. n-1. */
Symbols symbols_new(const char *const *reserved, int n);
Symbols symbols_copy(const Symbols *s);
void symbols_free(Symbols *s);

/* Returns the id of the string, or -1. */
int symbols_find(const Symbols *s, const char *string);
/* Returns the id of the string; a new string gets the next id. */
int symbols_add(Symbols *s, const char *string);

#endif
