/* Visible labels of tokens for figures and tables. A space becomes U+00B7, a newline U+21B5, any other
 * control character and each invalid byte U+FFFD. Columns are those of a terminal (utf8_width): 2 for a
 * Hangul syllable. */
#ifndef LABEL_H
#define LABEL_H

#include <stdio.h>

#include "base/base.h"

enum { LABEL_COLUMNS = 16 }; /* the usual limit */

/* Returns the label, which the caller frees. One of more than `columns` >= 1 is cut and ends with an
 * ellipsis. */
char *label_of(const char *token, int columns);

/* Returns the width of the widest of n labels, each cut to LABEL_COLUMNS. */
int label_widest(const char *const *token, int n);

/* Prints the uncut label as a CSV field in quotes (RFC 4180). */
void label_field(FILE *f, const char *token);

#endif
