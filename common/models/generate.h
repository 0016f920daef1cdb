/* Generates text with a language model, one token at a time. */
#ifndef GENERATE_H
#define GENERATE_H

#include <stdio.h>

#include "tokens/tokenizer.h"
#include "models/model.h"
#include "decoding/sample.h"

typedef struct {
    const char *prompt; /* UTF-8; the beginning of the text, which is printed too */
    bool bare;          /* no newline before the prompt, unless it is empty */
    int length;         /* the maximal number of tokens after the prompt */
    bool line;          /* the model generates lists: stop at the newline */
    const char *
        stop; /* strings, separated by |: the text after the prompt ends before the first; or NULL */
    Sampling sampling;
} Generation;

/* Generates sample number `index` of a seed and writes it to f. Incomplete UTF-8 is held back, and
 * invalid UTF-8 is replaced (utf8.h). UNK, PAD and BOS are never drawn: the probability of each other
 * token is divided by that of all tokens that can be drawn. The model must continue sequences (model_decodes). If it
 * reads a limited number of tokens (Decoder.longest), it reads the end of a longer prompt, and the
 * text ends at the limit. Returns the number of unknown tokens in the prompt, or -1 if the model gave
 * no token a finite logit; the text then ends there. */
int generate(const Model *m, const Tokenizer *v, const Generation *g, uint64_t seed, int index,
             FILE *f);

/* Generates the samples first .. first+n-1 at the same time, which reads the parameters once a step for all of
 * them, and writes sample first+i to f[i]. A sample is the same as alone, up to the rounding of the logits. */
int generate_many(const Model *m, const Tokenizer *v, const Generation *g, uint64_t seed, int first,
                  int n, FILE *const *f);

#endif
