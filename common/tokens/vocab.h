/* Character and byte vocabularies: text to ids and back. */
#ifndef VOCAB_H
#define VOCAB_H

#include <jansson.h>

#include "base/base.h"

typedef enum { UNIT_CHAR, UNIT_BYTE } Unit;

/* UNIT_CHAR: id 0 is reserved for what is not in the table, for bytes that are no UTF-8, and for
 * U+FFFD and U+0000, which are no characters of a text. */
enum { VOCAB_UNKNOWN = 0 };

typedef struct {
    Unit unit;
    int size;  /* ids are 0 .. size-1; UNIT_BYTE: 256, id = byte */
    int *code; /* UNIT_CHAR: code point of each id, ascending from id 1; code[0] = U+FFFD */
} Vocab;

Vocab vocab_bytes(void);
Vocab vocab_chars(const char *text, size_t len); /* the distinct characters of the text */
Vocab vocab_copy(const Vocab *v);
void vocab_free(Vocab *v);

int vocab_id(const Vocab *v, int code); /* of a code point or byte; VOCAB_UNKNOWN if none */

/* Encodes text into *n new ids (free() them). Invalid bytes and characters outside the table become
 * VOCAB_UNKNOWN; *unknown counts them and *first_unknown is the byte offset of the first, -1 if
 * there is none (both may be NULL). Bytes never are unknown. */
int *vocab_encode(const Vocab *v, const char *text, size_t len, int *n, int64_t *unknown,
                  int64_t *first_unknown);
int vocab_decode(const Vocab *v, int id, char out[4]); /* the bytes of one id; returns how many */

/* {"unit":"char","symbols":"\n !..."}, without id 0; or {"unit":"byte"}. Reading it back, symbols
 * that no table of ours can hold (not ascending, unknown) are an error. */
json_t *vocab_to_json(const Vocab *v);
bool vocab_from_json(Vocab *v, const json_t *j, Error *err);

#endif
