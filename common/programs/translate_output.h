/* Held-out pairs, decoded outputs and their attention weights, shared by the files translate*.c. */
#ifndef TRANSLATE_OUTPUT_H
#define TRANSLATE_OUTPUT_H

#include "figures/alignment.h"
#include "programs/translate.h"

/* A held-out pair, from a table or drawn from a task. */
typedef struct {
    int S, *source;      /* the ids of the source */
    char *text, *target; /* source and target as readable text */
    char *tokens;        /* the tokens of the target, joined by spaces */
} Example;

Example example_get(const Data *d, int i); /* pair i of the test split */
void example_free(Example *x);
int examples_of(const Evaluator *e); /* number of pairs to decode */

typedef struct {
    int *id, len;
    bool finished; /* ends with EOS; false: cut off */
    double log_probability;
    char *text, *tokens;
} Output;

/* Decodes a source (S) greedily or by beam search. The output is cut off after 2 S + 20 tokens. */
Output decode(const Evaluator *e, const Translator *t, const TranslateConfig *c, const int *source,
              int S);
void output_free(Output *o);

/* Prints the text of an output on one line: a newline in it, which a model of bytes can write, becomes a
 * space. */
void output_print(const Output *o, FILE *f);

/* Returns true if the output equals the target and ends with EOS. An output with UNK is never right, also if
 * the target has the word "<unk>". */
bool output_is_right(const Evaluator *e, const Output *o, const Example *x);

typedef struct {
    Alignment a;
    const char **target, **source;
    char (*byte)[2]; /* memory for the names of tokens that are bytes */
    real *weight;
} Look;

/* Returns the attention weights of the output and its EOS; look_free frees them. */
Look look(const Evaluator *e, const Translator *t, const int *source, int S, const Output *o);
void look_free(Look *l);

bool is_of_words(const Evaluator *e); /* true: BLEU counts words, else characters */
double exact_match(const Quality *q);

#endif
