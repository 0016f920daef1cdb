/* The figure of log.csv. train draws it at the end of a run, eval draws it again. */
#ifndef RUNLOG_SCRIPT_H
#define RUNLOG_SCRIPT_H

#include "measure/ngram_level.h"
#include "data/data.h"

typedef struct {
    const char *model;        /* name of the model, for the title */
    const DataConfig *config; /* the training data, for the title */
    const Data *data;
    NgramLevel ngram; /* data_ngram */
} LossFigure;

/* Writes DIR/loss.gp: training and validation loss against updates, and as lines the losses of chance, of the
 * best n-gram model and of the best possible model, if they are known. */
bool runlog_script(const char *dir, const LossFigure *figure, Error *err);

#endif
