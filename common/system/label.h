/* Tokens as one can see them: labels of figures and tables. A space is shown as U+00B7, a newline as
 * U+21B5, any other control character and each byte that is no valid UTF-8 as U+FFFD. Columns are those
 * of a terminal (utf8_width): 2 for a Hangul syllable. */
#ifndef LABEL_H
#define LABEL_H

#include <stdio.h>

#include "base/base.h"

enum { LABEL_COLUMNS = 16 }; /* longer ones are cut where room is short */

/* A token of more than so many columns (>= 1) is cut, and ends with an ellipsis. free() it. */
char *label_of(const char *token, int columns);

/* Columns of the widest of n labels, each cut to LABEL_COLUMNS. */
int label_widest(const char *const *token, int n);

/* A field of CSV, in quotes (RFC 4180): the token shown as above, but not cut. */
void label_field(FILE *f, const char *token);

#endif
