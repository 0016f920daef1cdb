/* Tokens as one can see them: labels of figures and tables. A space is shown as U+00B7, a newline as
 * U+21B5, and what is no character to print as U+FFFD. */
#ifndef LABEL_H
#define LABEL_H

#include <stdio.h>

#include "base.h"

enum { LABEL_COLUMNS = 16 }; /* longer ones are cut where room is short */

char *label_of(const char *token, int columns); /* cut with an ellipsis to so many; free() it */
int label_widest(const char *const *token,
                 int n);                      /* of n tokens cut to LABEL_COLUMNS, in columns */
void label_field(FILE *f, const char *token); /* whole, in quotes, as RFC 4180 has a field */

#endif
