/* A table of strings and their ids. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include "base/base.h"

typedef struct {
    int size;      /* ids are 0 .. size-1 */
    int first;     /* ids below it are reserved: symbols_find does not find them */
    char **string; /* (size) the string of each id */
    int *slot;     /* hash table by open addressing: id + 1, or 0 where it is empty */
    int n_slots;   /* a power of two */
} Symbols;

/* Makes a table with n reserved strings, ids 0 .. n-1. */
Symbols symbols_new(const char *const *reserved, int n);
Symbols symbols_copy(const Symbols *s);
void symbols_free(Symbols *s);

int symbols_find(const Symbols *s, const char *string); /* its id, or -1 */
int symbols_add(Symbols *s, const char *string);        /* its id, a new one if it had none */

#endif
