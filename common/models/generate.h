/* Text from a language model, a token at a time. */
#ifndef GENERATE_H
#define GENERATE_H

#include <stdio.h>

#include "tokens/tokenizer.h"
#include "models/model.h"
#include "decoding/sample.h"

typedef struct {
    const char *prompt; /* UTF-8 that the text starts with; it is printed too */
    int length;         /* tokens at most, after the prompt */
    bool line;          /* one item of a list of lines: stops at the newline */
    Sampling sampling;
} Generation;

/* Writes sample number `index` of the seed to f. Incomplete UTF-8 is held back, what can never be
 * printed is replaced (utf8.h). The model must continue sequences
 * (model_decodes); one that reads so many tokens at most reads the end of the prompt, and stops there. Returns the tokens of the prompt that
 * the vocabulary does not have. */
int generate(const Model *m, const Tokenizer *v, const Generation *g, uint64_t seed, int index,
             FILE *f);

#endif
