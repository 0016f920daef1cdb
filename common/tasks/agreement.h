/* The agreement grammar: sentences whose verb agrees with a subject far to its left, from a hidden
 * Markov model of 20 states, so that the best possible loss is known exactly. */
#ifndef AGREEMENT_H
#define AGREEMENT_H

#include "base/rng.h"

enum { AGREEMENT_WORDS = 55, AGREEMENT_STATES = 20 };

extern const char *const agreement_word[AGREEMENT_WORDS];

/* n words of sentences, starting with a full stop (word 0) and then a fresh sentence. state[i]
 * (state may be NULL) is the hidden state that made word i. */
void agreement_draw(Rng *rng, int n, int *word, int *state);

/* -log p(word[t] | word[0..t-1]) in nats for t = 1 .. n-1, by the forward algorithm (Rabiner 1989,
 * eq. 19-21): what no model can beat on average. nats[0] = 0; word[0] must be the full stop. */
void agreement_bayes(const int *word, int n, double *nats);

double agreement_entropy_rate(int n); /* the exact expected mean of nats[1..n-1], n >= 2 */

/* For a verb: the same verb of the other number; and for one at word[t], how many nouns between
 * subject and verb have the other number. -1 if the word is no verb. */
int agreement_other_verb(int word);
int agreement_attractors(const int *word, const int *state, int t);

#endif
