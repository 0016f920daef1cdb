/* Measures of an output against a reference: edit distance, character error rate, BLEU. */
#ifndef METRICS_H
#define METRICS_H

#include "base/base.h"

/* --- edit distance ------------------------------------------------------------------------------ */

/* Returns the smallest number of insertions, deletions and substitutions of code points that turn a into b
 * (Levenshtein 1966). Both are UTF-8 and are compared in NFC, as texts are read: a letter and its accent are
 * one code point. An invalid byte counts as a code point of its own kind. */
int edit_distance(const char *a, const char *b);

/* The character error rate of a corpus is the sum of the distances divided by the sum of the references'
 * lengths. It can exceed 1. All zero at the start. */
typedef struct {
    int64_t edits, length; /* code points */
} CharErrors;

void char_errors_add(CharErrors *e, const char *hypothesis, const char *reference);
double char_error_rate(const CharErrors *e); /* NAN if the references are empty */

/* --- BLEU ------------------------------------------------------------------------------------- */

/* BLEU of a corpus (Papineni et al. 2002), equal to sacreBLEU's (Post 2018) to the last digit:
 *
 *     BLEU = 100 min(1, exp(1 - r/c)) exp(sum over n = 1..4 of log(p_n) / 4)
 *
 * p_n: the share of the hypotheses' n-grams that are in the reference, each counted at most as often
 * as there, summed over the corpus; c, r: tokens of hypotheses and references.
 *
 * Tokenisers: BLEU_13A splits off punctuation by the rules of mteval-v13a (sacreBLEU's default),
 * BLEU_CHAR makes every code point a token, BLEU_NONE splits at white space only.
 * Smoothing: where no n-gram of an order matches, SMOOTH_EXP takes 1/2, 1/4, ... of a match for the
 * first, second, ... such order (sacreBLEU's default); under SMOOTH_NONE BLEU is 0 then. */
typedef enum { BLEU_13A, BLEU_CHAR, BLEU_NONE } BleuTokenizer;
typedef enum { SMOOTH_EXP, SMOOTH_NONE } BleuSmoothing;

enum { BLEU_ORDER = 4 };

/* Counts over the sentences so far. The caller sets tokenizer and smoothing; the rest starts at zero. */
typedef struct {
    BleuTokenizer tokenizer;
    BleuSmoothing smoothing;
    int64_t match[BLEU_ORDER], total[BLEU_ORDER]; /* of n-grams of n = 1 + index */
    int64_t hypothesis_length, reference_length;  /* c, r */
    int references;                               /* a sentence; 0: none yet; -1: it varies */
} Bleu;

void bleu_add(Bleu *b, const char *hypothesis, const char *reference);

/* Adds a sentence with n >= 1 references. An n-gram counts at most as often as in the reference that has
 * it most often. The length is that of the reference closest in length; of two equally close ones, the
 * shorter. */
void bleu_add_any(Bleu *b, const char *hypothesis, const char *const *reference, int n);

double bleu_brevity(const Bleu *b);  /* min(1, exp(1 - r/c)); 0 if the hypotheses are empty */
double bleu_score(const Bleu *b);    /* 0 .. 100 */
char *bleu_signature(const Bleu *b); /* "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"; free() it */

/* Returns the tokens of a line, separated by one space each; the caller frees it. */
char *bleu_tokenize(BleuTokenizer tokenizer, const char *line);

#endif
