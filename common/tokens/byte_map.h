/* GPT-2's printable spelling of bytes (Radford et al. 2019, encoder.py): each byte has a character
 * of its own, so that any string of bytes can be written in a text file without spaces.
 *
 *     bytes 33-126, 161-172, 174-255    the code point of the same number: "a" is a
 *     the 68 other bytes, in order      U+0100, U+0101, ...: the space is U+0120, the newline U+010A
 *
 * " the" is written as U+0120 "the". No spelling contains a space, a line end or a 0 byte. */
#ifndef BYTE_MAP_H
#define BYTE_MAP_H

#include "base/base.h"

enum { BYTE_VALUES = 256, BYTE_SPELLED = 2 }; /* a byte's character is at most 2 bytes of UTF-8 */

int byte_to_code(unsigned char byte); /* the code point that stands for a byte */
int byte_of_code(int code);           /* the byte that a code point stands for; -1 if none */

/* Returns the i-th byte in the order of the code points: 33, 34, ... GPT-2 numbers its bytes so. */
unsigned char byte_in_order(int i);

/* Writes the spelling of n bytes and a terminating 0 to `out`, which has room for BYTE_SPELLED * n
 * + 1 bytes. Returns its length. */
size_t bytes_spell(const char *bytes, size_t n, char *out);

/* Writes the bytes that a spelling of len bytes stands for to `out`, which has room for len bytes.
 * Characters that stand for no byte are copied. Returns the number of bytes; *strange is set to
 * true if a character was copied, unless it is NULL. */
size_t bytes_read(const char *spelling, size_t len, char *out, bool *strange);

#endif
