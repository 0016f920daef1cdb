/* Attention as alignment: which source token each output token looked at (Bahdanau et al. 2015,
 * figure 3), as numbers, as a picture and as text. */
#ifndef ALIGNMENT_H
#define ALIGNMENT_H

#include <stdio.h>

#include "base/base.h"
#include "base/real.h"

typedef struct {
    int T, S;                  /* both >= 1 */
    const char *const *target; /* (T) UTF-8, the output's tokens; nothing here is owned */
    const char *const *source; /* (S) */
    const real *weight;        /* (T,S), each row sums to 1 */
} Alignment;

enum { ALIGNMENT_PANELS = 4, ALIGNMENT_COLUMNS = 80 };

/* In all three forms tokens are shown as label.h has it. */

/* The n >= 1 alignments as dir/name.csv (sentence,target_index,target,source_index,source,weight;
 * indices from 0, tokens quoted as in RFC 4180) and dir/name.gp, which draws the first
 * ALIGNMENT_PANELS of them as heat maps, white to dark blue: source tokens along the x axis, output
 * tokens along the y axis, the first on top. `name` is a file name without a slash. Sizes for
 * plot_draw: 900 by 450 for up to two, 900 by 900 for more. Errors: the disk's. */
bool alignment_write(const char *dir, const char *name, const char *title, const Alignment *a,
                     int n, Error *err);

/* The same as text, at most 80 columns wide: a row for each output token, in it a shade for each
 * source token, one of " .:-=+*#%@" by tenths of the weight ('?': no number). Source tokens of one
 * or two columns stand above their shades; if any is wider they are numbered, and listed below. What
 * is wider than the page goes on in a further block. */
void alignment_print(FILE *f, const Alignment *a);

#endif
