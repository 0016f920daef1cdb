/* Ctrl-C and SIGTERM as a question that long loops ask: the first signal asks for an orderly end, a second
 * one ends the program at once. Any room may ask; only programs catch. */
#ifndef STOP_H
#define STOP_H

/* Catches SIGINT and SIGTERM from now on. Call it from the main thread. Not for a
 * program that waits for standard input: the read goes on after the signal. */
void stop_catch(void);

/* Returns the number of the signal that came after stop_catch, or 0. A loop whose turns take a second
 * together asks once a turn, leaves, and says to its caller that it is not done. */
int stop_requested(void);

#endif
