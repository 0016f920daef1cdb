/* Held-out pairs, the outputs that a model decodes for them, and where attention looked: what the files of
 * translate.h share. */
#ifndef TRANSLATE_OUTPUT_H
#define TRANSLATE_OUTPUT_H

#include "figures/alignment.h"
#include "programs/translate.h"

/* A held-out pair, of a table or drawn. */
typedef struct {
    int S, *source;      /* ids */
    char *text, *target; /* for reading */
    char *tokens;        /* of the target, with spaces between them */
} Example;

Example example_get(const Data *d, int i); /* pair i of the test split */
void example_free(Example *x);
int examples_of(const Evaluator *e); /* how many are decoded */

typedef struct {
    int *id, len;
    bool finished; /* by EOS; else cut off */
    double log_probability;
    char *text, *tokens;
} Output;

/* Decodes a source greedily or with a beam. An output of more than twice the source's length and 20 is cut
 * off there. */
Output decode(const Evaluator *e, const Translator *t, const TranslateConfig *c, const int *source,
              int S);
void output_free(Output *o);

/* EOS counts: an output that would have gone on is not the target. */
bool output_is_right(const Output *o, const Example *x);

typedef struct {
    Alignment a;
    const char **target, **source;
    char (*byte)[2]; /* the names of tokens that are bytes */
    real *weight;
} Look;

/* Where attention looked while writing the output and its EOS. */
Look look(const Evaluator *e, const Translator *t, const int *source, int S, const Output *o);
void look_free(Look *l);

bool is_of_words(const Evaluator *e); /* words, not characters, are counted */
double exact_match(const Quality *q);

#endif
