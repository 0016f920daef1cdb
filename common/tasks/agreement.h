/* The agreement grammar: sentences whose verb agrees with a subject far to its left. They come from
 * a hidden Markov model of 20 states, so that the best possible loss is known exactly. */
#ifndef AGREEMENT_H
#define AGREEMENT_H

#include "base/rng.h"

enum { AGREEMENT_WORDS = 55, AGREEMENT_STATES = 20 };

extern const char *const agreement_word[AGREEMENT_WORDS];

/* Draws n words of sentences: a full stop (word 0), then the beginning of a sentence. state[i] is
 * the hidden state that emitted word i; state may be NULL. */
void agreement_draw(Rng *rng, int n, int *word, int *state);

/* Computes nats[t] = -log p(word[t] | word[0..t-1]) for t = 1 .. n-1 by the forward algorithm
 * (Rabiner 1989, eq. 19-21): no model has a lower loss on average. nats[0] = 0; word[0] must be the
 * full stop. */
void agreement_bayes(const int *word, int n, double *nats);

/* Returns the exact expected mean of nats[1..n-1], n >= 2. */
double agreement_entropy_rate(int n);

/* Return, for a verb, the same verb in the other number; and for a verb at word[t], how many nouns
 * between the subject and the verb have the other number. -1 if the word is not a verb. */
int agreement_other_verb(int word);
int agreement_attractors(const int *word, const int *state, int t);

#endif
