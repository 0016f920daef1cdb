/* What an eval program found, shared by evaluator_report.c and evaluator_figures.c. */
#ifndef EVALUATOR_REPORT_H
#define EVALUATOR_REPORT_H

#include "measure/ngram_level.h"
#include "programs/evaluator.h"

enum { MAX_LENGTHS = LEN(((Task *)NULL)->lengths) };

typedef struct {
    const char *model;
    const Data *data;
    Score all;
    int n, length[MAX_LENGTHS]; /* of a task with several sequence lengths */
    Score at[MAX_LENGTHS];      /* scores at length[i] */
    NgramLevel ngram;
    int window; /* running text: tokens of a window, 0: one stream */
} Findings;

/* Draws the figures of --plot into the run directory; none for weights of others. */
void evaluator_figures(Evaluator *e, const Findings *r);

#endif
