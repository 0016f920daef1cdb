/* What people read on a terminal: messages on stderr, and texts of others in tables and titles.
 *
 * A path or a line of a file may hold control characters, and a terminal obeys them: it moves the cursor, changes its
 * title, hides what came before. So they are written as escapes. */
#ifndef SAY_H
#define SAY_H

#include "base/base.h"

/* Prints a message to stderr. Control characters and bytes that are no UTF-8 are escaped in all of it, except for the
 * newlines, or the carriage return, with which fmt begins or ends. A message of SAY_LONGEST bytes or more is cut. */
enum { SAY_LONGEST = 16384 };
void say(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Returns the text with each C0 and C1 control character, DEL and each byte that is no UTF-8 as an escape: \n, \t, or
 * \x1b by its bytes. The caller frees it. */
char *say_escaped(const char *text);

/* The same into `room` > 0 bytes: what does not fit is left out, never a part of a character. */
void say_escape(char *to, size_t room, const char *text);

#endif
