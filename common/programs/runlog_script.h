/* The picture of log.csv, whoever draws it: train at the end of a run, eval again. */
#ifndef RUNLOG_SCRIPT_H
#define RUNLOG_SCRIPT_H

#include "measure/ngram_level.h"
#include "data/data.h"

typedef struct {
    const char *model;        /* its name */
    const DataConfig *config; /* of the data it was trained on */
    const Data *data;
    NgramLevel ngram; /* data_ngram */
} LossFigure;

/* DIR/loss.gp: training and validation loss against updates, with chance, the best n-gram and the best
 * possible loss as lines where they are known. */
bool runlog_script(const char *dir, const LossFigure *figure, Error *err);

#endif
