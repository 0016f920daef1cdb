/* The figures of `eval`: the attention weights of every head, a table that summarises the heads, and
 * positions. */
#ifndef TRANSFORMER_FIGURES_H
#define TRANSFORMER_FIGURES_H

#include "programs/evaluator.h"
#include "transformer/transformer.h"

#define TRANSFORMER_FIGURES_OPTIONS(table)                                                         \
    OPTION_GROUP("Heads"),                                                                         \
        OPTION_FLAG("head-table", (table), "print a summary of each head's attention weights")

/* The table of heads.h, over the first 64 test sequences (or --examples, or as many as there are): as
 * "head_table" into e->extra, which is made if need be and stays the evaluator's to free, or on stdout. A
 * failure to write goes to evaluator_fail. */
void transformer_figures_table_to_json(Evaluator *e, const Transformer *m);
void transformer_figures_print_table(Evaluator *e, const Transformer *m);

/* Into the run directory, for --plot png (or svg, with that ending): heads.csv and heads-encoder.png,
 * heads-decoder.png, heads-cross.png of the first test sequence, no more than its first 128 steps, or of
 * the first pair, unless a side is longer than that; where a table is added for positions, positions.csv
 * and positions.png. none and dumb: nothing. What fails is warned of on stderr, and stops nothing. */
void transformer_figures_draw(Evaluator *e, const Transformer *m);

#endif
