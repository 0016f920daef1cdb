/* Where every head of every layer of attention looks: as numbers, as a grid of heat maps, and as a
 * table of what each does as a rule. */
#ifndef HEADS_H
#define HEADS_H

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"
#include "base/real.h"

/* One use of attention, all its layers, on one sequence without padding: T and S are true lengths, B is 1.
 * Nothing here is owned. */
typedef struct {
    const char *name;                    /* "encoder": also in the picture's file name */
    const char *about;                   /* who looks at whom: below the picture's title */
    const char *query_label, *key_label; /* what a row (who looks) and a column (at whom) is */
    bool causal;                         /* row t sees the columns 0 .. t only */
    int layers, heads, T, S;             /* all >= 1; causal: T = S */
    const char *const *row;              /* (T) tokens, UTF-8 */
    const char *const *column;           /* (S) */
    const real *const *weight;           /* (layers) of (heads,T,S), each row sums to 1 */
} HeadMap;

/* part,layer,head,row,column,row_token,column_token,weight: layers and heads from 1, as they are called,
 * rows and columns from 0. */
void heads_print_csv(FILE *f, const HeadMap *part, int parts);

/* dir/heads.csv, and for each of the parts dir/heads-NAME.gp, which draws it: a row of panels a layer, a
 * panel a head, white 0 to dark blue 1. Tokens stand beside the outer panels where there is room for
 * them, else their numbers. False, with the reason in *err: the disk's errors. */
bool heads_write(const char *dir, const char *title, const HeadMap *part, int parts, Error *err);
void heads_size(const HeadMap *part, int *width, int *height); /* of its picture, in pixels */

/* --- what a head does as a rule -------------------------------------------------------------------- */

/* What is measured in each row: six weights, 0 to 1, and two entropies, in bits. */
typedef enum {
    HEAD_SAME, /* the weight on the step itself */
    HEAD_PREVIOUS,
    HEAD_NEXT,
    HEAD_FIRST,
    HEAD_LAST,
    HEAD_LARGEST, /* the largest weight, wherever it is */
    HEAD_ENTROPY, /* of the row; "bits" in the table */
    HEAD_EVEN,    /* what it would be of looking evenly at all there is to see */
    HEAD_HABITS
} HeadHabit;

/* Sums over rows, all 0 at the start. A row counts where such a step is, unless it sees a single one:
 * it has no choice. */
typedef struct {
    double sum[HEAD_HABITS], rows[HEAD_HABITS];
} HeadHabits;

void heads_watch(const HeadMap *part, HeadHabits *habits); /* adds to habits (layers,heads) */
double heads_mean(const HeadHabits *h, HeadHabit habit);   /* NAN of no row */

/* The table's first line; its lines of a part: 80 columns wide at most. "-": there is no such step. */
void heads_print_title(FILE *f);
void heads_print(FILE *f, const HeadMap *part, const HeadHabits *habits);

/* Adds an object {"part", "layer", "head", "same", ..} for each head to the array; null: no such step. */
void heads_to_json(json_t *array, const HeadMap *part, const HeadHabits *habits);

#endif
