#include "base/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { LONGEST = 5 }; /* bytes that a character may need: "\x1b", 0 */

/* Writes the first character of the text, escaped if need be, with a 0. Returns its bytes in the text. */
static size_t escape_one(const char *text, char to[LONGEST])
{
    const utf8proc_uint8_t *byte = (const utf8proc_uint8_t *)text;
    utf8proc_int32_t code;
    const utf8proc_ssize_t n = utf8proc_iterate(byte, (utf8proc_ssize_t)strnlen(text, 4), &code);
    if (n >= 1 && code >= ' ' && (code < 0x7F || code >= 0xA0)) {
        memcpy(to, text, (size_t)n);
        to[n] = 0;
        return (size_t)n;
    }
    if (*text == '\n' || *text == '\t')
        snprintf(to, LONGEST, "\\%c", *text == '\n' ? 'n' : 't');
    else
        snprintf(to, LONGEST, "\\x%02x",
                 *byte); /* of a C1 character the first byte; the second is no UTF-8 alone */
    return 1;
}

void say_escape(char *to, size_t room, const char *text)
{
    char one[LONGEST];
    size_t n = 0;
    for (size_t i = 0; text[i];) {
        i += escape_one(text + i, one);
        const size_t len = strlen(one);
        if (n + len >= room) break;
        memcpy(to + n, one, len);
        n += len;
    }
    to[n] = 0;
}

char *say_escaped(const char *text)
{
    const size_t room = (LONGEST - 1) * strlen(text) + 1;
    char *to = xmalloc(room);
    say_escape(to, room, text);
    return to;
}

/* Returns how many bytes at the end of the string are newlines. */
static size_t newlines_at_end(const char *s)
{
    size_t n = 0;
    for (size_t len = strlen(s); n < len && s[len - n - 1] == '\n'; n++) continue;
    return n;
}

/* Nothing here asks for memory, because a lack of memory is one of the things to say. */
void say(const char *fmt, ...)
{
    char text[SAY_LONGEST], middle[(LONGEST - 1) * SAY_LONGEST];
    va_list ap;
    va_start(ap, fmt);
    const int len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len < 0) return;
    const bool cut = len >= SAY_LONGEST;
    const size_t begin = strspn(fmt, "\r\n"), all = cut ? SAY_LONGEST - 1 : (size_t)len;
    const size_t end = begin < all ? newlines_at_end(fmt) : 0;
    if (!cut) text[all - end] = 0;
    say_escape(middle, sizeof middle, text + begin);
    fprintf(stderr, "%.*s%s%.*s", (int)begin, fmt, middle, (int)end, fmt + strlen(fmt) - end);
}
