#include "tokens/byte_map.h"

#include <string.h>

#include "system/utf8.h"

/* The bytes without a printable character: 0-32, 127-160 and 173. */
enum { LOW = 33, MIDDLE = 127, MIDDLE_END = 161, SOFT_HYPHEN = 173, OTHERS = 256 };
enum { N_LOW = LOW, N_MIDDLE = MIDDLE_END - MIDDLE, N_OTHERS = N_LOW + N_MIDDLE + 1 };

int byte_to_code(unsigned char byte)
{
    if (byte < LOW) return OTHERS + byte;
    if (byte >= MIDDLE && byte < MIDDLE_END) return OTHERS + N_LOW + byte - MIDDLE;
    return byte == SOFT_HYPHEN ? OTHERS + N_LOW + N_MIDDLE : byte;
}

int byte_of_code(int code)
{
    const int other = code - OTHERS;
    if (code < 0 || other >= N_OTHERS) return -1;
    if (other < 0) return byte_to_code((unsigned char)code) == code ? code : -1;
    if (other < N_LOW) return other;
    return other < N_LOW + N_MIDDLE ? MIDDLE + other - N_LOW : SOFT_HYPHEN;
}

unsigned char byte_in_order(int i)
{
    CHECK(i >= 0 && i < BYTE_VALUES, "byte_in_order: %d", i);
    const int printable = BYTE_VALUES - N_OTHERS;
    if (i >= printable) return (unsigned char)byte_of_code(OTHERS + i - printable);
    int byte = LOW + i;
    if (byte >= MIDDLE) byte += N_MIDDLE;
    if (byte >= SOFT_HYPHEN) byte++;
    return (unsigned char)byte;
}

size_t bytes_spell(const char *bytes, size_t n, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)utf8_encode(byte_to_code((unsigned char)bytes[i]), out + len);
    out[len] = 0;
    return len;
}

size_t bytes_read(const char *spelling, size_t len, char *out, bool *strange)
{
    size_t n = 0;
    for (size_t at = 0, step; at < len; at += step) {
        int code;
        step = (size_t)utf8_decode(spelling + at, len - at, &code);
        const int byte = byte_of_code(code);
        if (byte >= 0) {
            out[n++] = (char)byte;
            continue;
        }
        if (strange) *strange = true;
        memmove(out + n, spelling + at, step);
        n += step;
    }
    return n;
}
