/* What surrounds main in every program that parses options: three open standard streams, write errors instead of a
 * signal, and an exit status that says when standard output could not be written.
 *
 * It happens by itself, before main and at exit, so that no program forgets it. */
#ifndef START_H
#define START_H

#include <stdbool.h>

/* Sets the name for the message about standard output; args_parse does. It must stay where it is. */
void start_named(const char *program);

/* Flushes standard output. Returns false, after a message, if what was printed could not be written. At exit a program that
 * has not asked is asked. */
bool start_flush(void);

#endif
