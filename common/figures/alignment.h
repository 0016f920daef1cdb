/* Attention weights as an alignment of output tokens with source tokens (Bahdanau et al. 2015, figure
 * 3), written as numbers, as a picture and as text. All three show tokens as label.h describes. */
#ifndef ALIGNMENT_H
#define ALIGNMENT_H

#include <stdio.h>

#include "base/base.h"
#include "base/real.h"

typedef struct {
    int T, S;                  /* both >= 1 */
    const char *const *target; /* (T) output tokens, UTF-8; all pointers here are borrowed */
    const char *const *source; /* (S) source tokens */
    const real *weight;        /* (T,S), each row sums to 1 */
} Alignment;

enum { ALIGNMENT_PANELS = 4, ALIGNMENT_COLUMNS = 80 };

/* Writes n >= 1 alignments as dir/name.csv (sentence,target_index,target,source_index,source,weight;
 * indices from 0, tokens quoted as in RFC 4180) and dir/name.gp, which draws the first
 * ALIGNMENT_PANELS of them as heat maps, white to dark blue: source tokens along the x axis, output
 * tokens along the y axis, the first on top. `name` is a file name without a slash. Sizes for
 * plot_draw: 900 by 450 for up to two, 900 by 900 for more. Fails if a file cannot be written. */
bool alignment_write(const char *dir, const char *name, const char *title, const Alignment *a,
                     int n, Error *err);

/* Prints one alignment as text, at most 80 columns wide. Each output token has a row with one shade per
 * source token, out of " .:-=+*#%@", by tenths of the weight ('?' for NaN). If all source tokens take at
 * most two columns, they stand above the shades; otherwise they are numbered and listed below. A wide
 * alignment continues in further blocks. */
void alignment_print(FILE *f, const Alignment *a);

#endif
