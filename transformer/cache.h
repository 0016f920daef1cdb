/* Decoding with a Transformer (common/decode.h): one source, several hypotheses at once. */
#ifndef CACHE_H
#define CACHE_H

#include "transformer.h"
#include "translator.h"

typedef struct {
    const Transformer *m;
    Tape source, step; /* what lives as long as the source; as one step */
    int len;           /* of the source */
    KeyValues memory;  /* (1,S,C) */
    real *past;        /* (2N,n,t,C): keys and values of the n hypotheses of the last step */
    int n, t;
} Cache;

Cache cache_init(const Transformer *m);
void cache_free(Cache *s);
Translator cache_translator(Cache *s); /* borrows s, which must not move */

#endif
