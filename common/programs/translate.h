/* What the eval program of a sequence-to-sequence model says besides the loss: the outputs it decodes
 * for held-out pairs, how good they are, and where it looked. */
#ifndef TRANSLATE_H
#define TRANSLATE_H

#include "programs/evaluator.h"
#include "measure/metrics.h"
#include "decoding/translator.h"

typedef struct {
    int beam;         /* hypotheses that are followed; 1: greedy */
    double alpha;     /* length normalisation of the beam, see decode.h */
    bool interactive; /* translate the lines of standard input instead */
    bool alignment;   /* and print under each where attention looked */
} TranslateConfig;

TranslateConfig translate_defaults(void);

#define TRANSLATE_OPTIONS(c)                                                                       \
    OPTION_GROUP("Decoding"),                                                                      \
        OPTION("beam", &(c)->beam, 1, 1000, "width of the beam (1: greedy)"),                      \
        OPTION("length-penalty", &(c)->alpha, 0, 10,                                               \
               "alpha: log p is divided by ((5 + length) / 6)^alpha (beam only)"),                 \
        OPTION_FLAG("interactive", &(c)->interactive, "translate each line of standard input"),    \
        OPTION_FLAG("alignment", &(c)->alignment,                                                  \
                    "with --interactive: show under each line where attention looked")

/* Sums over decoded pairs; all zero at the start but for bleu's tokeniser. */
typedef struct {
    int n, right;           /* outputs, and how many are right from beginning to end */
    double log_probability; /* of all outputs, in nats */
    CharErrors characters;  /* of words: of the words with spaces between them */
    Bleu bleu;              /* of the task's own tokens */
} Quality;

enum { QUALITY_ROWS = 8 };

typedef struct {
    Quality all,
        row[QUALITY_ROWS]; /* by length of the source: row i is of i*width+1 .. (i+1)*width */
    int width;
} Translation;

/* Decodes the first e->config->examples held-out pairs, and sets e->extra, what the JSON object of
 * evaluator_report has besides. */
Translation translate_heldout(Evaluator *e, const Translator *t, const TranslateConfig *c);

/* After evaluator_report: the figures of *q, a table by length, e->config->samples outputs, the first
 * with its alignment; alignment.csv and .png of the first four, by_source.csv and .png. */
void translate_report(Evaluator *e, const Translator *t, const TranslateConfig *c,
                      const Translation *q);

/* The lines of standard input, one output a line on standard output. */
void translate_lines(Evaluator *e, const Translator *t, const TranslateConfig *c);

#endif
