/* Helpers of the tests of texts: a text in which each byte tells its position. */
#ifndef TEXT_COUNTING_H
#define TEXT_COUNTING_H

#include "text_help.h"

/* Opens a text of n bytes in which neighbours differ: byte i of the file is i mod 251. */
static inline char *counting_bytes(int n)
{
    char *s = xmalloc((size_t)n);
    for (int i = 0; i < n; i++) s[i] = (char)(i % 251);
    return s;
}

static inline Opened *open_counting(int n, int length)
{
    char *s = counting_bytes(n);
    Opened *o = open_bytes(s, (size_t)n, NULL, "byte", false, length);
    free(s);
    return o;
}

#endif
