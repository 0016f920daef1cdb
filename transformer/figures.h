/* What eval shows of a Transformer besides its scores: where every head looks, and its positions. */
#ifndef FIGURES_H
#define FIGURES_H

#include "evaluator.h"
#include "transformer.h"

#define FIGURES_OPTIONS(table)                                                                     \
    OPTION_GROUP("Heads"),                                                                         \
        OPTION_FLAG("head-table", (table), "say what each head looks at as a rule")

/* The table of heads.h over some held-out sequences, into e->extra or on stdout. */
void figures_table_to_json(Evaluator *e, const Transformer *m);
void figures_print_table(Evaluator *e, const Transformer *m);

/* heads.csv and heads-encoder.png, heads-decoder.png, heads-cross.png of the first held-out sequence;
 * where a table is added for positions, positions.csv and positions.png. */
void figures_draw(const Evaluator *e, const Transformer *m);

#endif
