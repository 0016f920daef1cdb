/* A number that tells whether two runs have the same data. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include "data/data.h"

typedef struct {
    char text[17]; /* 16 hexadecimal digits */
} Fingerprint;

/* Returns the hash of all ids of all splits, as the model reads them: the file's name and place do not
 * count. A task that is drawn without end has the hash of its name. */
Fingerprint data_fingerprint(const Data *d);

#endif
