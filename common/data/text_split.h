/* Reads a text file and splits it into a training and a validation part (text.h says how). */
#ifndef TEXT_SPLIT_H
#define TEXT_SPLIT_H

#include "data/input.h"

typedef struct {
    char *data;
    size_t len;
} Bytes;

/* The text of one part, ready for the tokenizer; lines are "\nemma\nolivia\n". */
typedef struct {
    Bytes text;
    size_t *origin; /* lines: the byte offset of each line in the file */
    int lines;
    size_t offset;      /* running text: the byte offset of the part in the file */
    size_t file;        /* the bytes of the file that it is a part of */
    InputFaults faults; /* part[0]: of the text; part[1]: of the validation file */
    int files, others;  /* part[0]: of a directory (input.h) */
} TextPart;

/* Reads the text into part[0] (training) and part[1] (validation). The caller frees both with
 * part_free, unless there was an error. */
bool parts_read(const char *path, const char *valid, bool by_line, double heldout, TextPart part[2],
                Error *err);
void part_free(TextPart *p);

/* Returns the byte offset in the file of byte `at` of the part; -1 stays -1. */
int64_t part_origin(const TextPart *p, int64_t at);

#endif
