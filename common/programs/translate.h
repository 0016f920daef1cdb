/* The output of an eval program for pairs, besides the loss: translations of held-out pairs, their quality, and
 * the attention weights. */
#ifndef TRANSLATE_H
#define TRANSLATE_H

#include "programs/evaluator.h"
#include "measure/metrics.h"
#include "decoding/translator.h"

typedef struct {
    int beam;         /* number of hypotheses in the beam; 1: greedy */
    double alpha;     /* length penalty of beam search, see decode.h */
    bool interactive; /* translate the lines of standard input, score nothing */
    bool alignment;   /* with interactive: print the attention weights of each */
} TranslateConfig;

TranslateConfig translate_defaults(void);

#define TRANSLATE_OPTIONS(c)                                                                       \
    OPTION_GROUP("Decoding"),                                                                      \
        OPTION("beam", &(c)->beam, 1, 1000, "hypotheses in the beam (1: greedy decoding)"),        \
        OPTION("length-penalty", &(c)->alpha, 0, 10,                                               \
               "alpha of beam search: log p is divided by ((5 + length) / 6)^alpha"),              \
        OPTION_FLAG("interactive", &(c)->interactive,                                              \
                    "translate each line of standard input, score nothing"),                       \
        OPTION_FLAG("alignment", &(c)->alignment,                                                  \
                    "with --interactive: print the attention weights of each translation")

/* Sums over decoded pairs. At the start all are 0, and bleu has its tokenizer. */
typedef struct {
    int n, right;           /* outputs, and exactly right outputs */
    double log_probability; /* sum over all outputs, in nats */
    CharErrors characters;  /* of a model of words: of its words joined by spaces */
    Bleu bleu;              /* of the tokens of the task */
} Quality;

enum { QUALITY_ROWS = 8 };

typedef struct {
    Quality all, row[QUALITY_ROWS]; /* by source length: row i has i*width+1 .. (i+1)*width */
    int width;
} Translation;

/* Decodes the first e->config->examples held-out pairs and returns their quality. It also sets e->extra, further
 * keys for the JSON object of evaluator_report. */
Translation translate_heldout(Evaluator *e, const Translator *t, const TranslateConfig *c);

/* Prints the quality *q, a table by source length and e->config->samples outputs, the first with its attention
 * weights. Draws alignment.png of the first four pairs and by_source.png, each beside its .csv. Call it
 * after evaluator_report. */
void translate_report(Evaluator *e, const Translator *t, const TranslateConfig *c,
                      const Translation *q);

/* Translates each line of standard input into one line of standard output, or with --json into a JSON object
 * {"source":"..","output":"..","finished":true,"log_probability":-0.1,"unknown":".."} on one line. A line is
 * cut into columns as a line of --pairs is; only the source is read. A line without a translation gives an
 * empty line ("output":null); stderr says why, and which outputs were cut off. */
void translate_lines(Evaluator *e, const Translator *t, const TranslateConfig *c);

#endif
