/* The attention weights of every head in every layer: as numbers, as a grid of heat maps, and as a table that
 * summarises each head. */
#ifndef HEADS_H
#define HEADS_H

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"
#include "base/real.h"

/* The weights of one kind of attention (encoder, decoder or cross) in all layers, for one sequence
 * without padding. All pointers are borrowed. */
typedef struct {
    const char *name;                    /* "encoder"; also part of the picture's file name */
    const char *about;                   /* queries and keys in words, below the picture's title */
    const char *query_label, *key_label; /* labels of the rows (queries) and the columns (keys) */
    bool causal;                         /* row t attends to columns 0 .. t only */
    int layers, heads, T, S;             /* all >= 1; causal: T = S */
    const char *const *row;              /* (T) tokens, UTF-8 */
    const char *const *column;           /* (S) */
    const real *const *weight;           /* (layers) of (heads,T,S), each row sums to 1 */
} HeadMap;

/* Prints CSV: part,layer,head,row,column,row_token,column_token,weight. Layers and heads count from 1,
 * rows and columns from 0. */
void heads_print_csv(FILE *f, const HeadMap *part, int parts);

/* Writes dir/heads.csv, and for each part the script dir/heads-NAME.gp: a row of panels for each layer,
 * a panel for each head, from white (0) to dark blue (1). The outer panels show the tokens, or their
 * numbers if the room is short. Fails if a file cannot be written. */
bool heads_write(const char *dir, const char *title, const HeadMap *part, int parts, Error *err);
void heads_size(const HeadMap *part, int *width, int *height); /* size of its picture in pixels */

/* --- a summary of each head -------------------------------------------------------------------------- */

/* The measurements of each row: six weights, 0 to 1, and two entropies, in bits. */
typedef enum {
    HEAD_SAME, /* the weight on the step itself */
    HEAD_PREVIOUS,
    HEAD_NEXT,
    HEAD_FIRST,
    HEAD_LAST,
    HEAD_LARGEST, /* the largest weight of the row */
    HEAD_ENTROPY, /* of the row; "bits" in the table */
    HEAD_EVEN,    /* entropy of uniform weights over the same keys */
    HEAD_HABITS
} HeadHabit;

/* Sums over rows; all 0 at the start. A row counts if the step in question exists. A row with a single
 * key does not count, because its weight is always 1. */
typedef struct {
    double sum[HEAD_HABITS], rows[HEAD_HABITS];
} HeadHabits;

void heads_watch(const HeadMap *part, HeadHabits *habits); /* adds to habits (layers,heads) */
double heads_mean(const HeadHabits *h, HeadHabit habit);   /* NAN if no row counts */

/* Print the table's title, and its lines for one part, in 80 columns. "-": no row counts. */
void heads_print_title(FILE *f);
void heads_print(FILE *f, const HeadMap *part, const HeadHabits *habits);

/* Appends an object {"part", "layer", "head", "same", ..} for each head to the array; null: no row counts. */
void heads_to_json(json_t *array, const HeadMap *part, const HeadHabits *habits);

#endif
