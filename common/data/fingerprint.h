/* A hash that shows whether two runs have the same data. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include "data/data.h"

typedef struct {
    char text[17]; /* 16 hexadecimal digits */
} Fingerprint;

/* Returns the hash of all ids of all splits; the path of the file does not matter. A generated task
 * has the hash of its name. */
Fingerprint data_fingerprint(const Data *d);

#endif
