/* A text file, read and cut into a training and a validation part (text.h says how). */
#ifndef TEXT_SPLIT_H
#define TEXT_SPLIT_H

#include "base/base.h"

typedef struct {
    char *data;
    size_t len;
} Bytes;

/* The text of one part, as tokens will be made of it: of lines "\nemma\nolivia\n". */
typedef struct {
    Bytes text;
    size_t *origin; /* lines: where each began in the file */
    int lines;
    size_t offset; /* running text: where it began */
} TextPart;

/* part[0] is for training; part_free both, unless there was an error. */
bool parts_read(const char *path, const char *valid, bool by_line, double heldout, TextPart part[2],
                Error *err);
void part_free(TextPart *p);

/* Where in the file byte `at` of the part stood; -1 stays -1. */
int64_t part_origin(const TextPart *p, int64_t at);

#endif
