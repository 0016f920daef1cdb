/* Ctrl-C, SIGTERM and SIGHUP as a question that long loops ask: the first signal asks for an orderly end, a second
 * one ends the program at once. Any room may ask; only programs catch. Also a clock that stands still while
 * the program is stopped by Ctrl-Z. */
#ifndef STOP_H
#define STOP_H

/* Catches SIGINT, SIGTERM, SIGHUP (unless nohup ignores it) and SIGCONT from now on. Call it from the main thread. Not
 * for a program that waits for standard input: the read goes on after the signal. */
void stop_catch(void);

/* Blocks the signals that stop_catch catches in this thread, unless it is the main thread. A thread calls it before
 * it runs code in which a handler on its stack would destroy data, as oneDNN's kernels are. Cheap after the first call. */
void stop_blocks_here(void);

/* Returns the number of the signal that came after stop_catch, or 0. A loop whose turns take a second
 * together asks once a turn, leaves, and says to its caller that it is not done. */
int stop_requested(void);

/* Says which temporary file a second signal must remove before it ends the program; NULL: none. */
void stop_removes(const char *path);

/* Returns the seconds of a monotonic clock without the time in which the program was stopped (SIGSTOP, Ctrl-Z) after
 * stop_catch. Call it from the main thread, often: a stop is taken to last from one call to the next, less the processor
 * time that the thread used in between. */
double stop_clock(void);

#endif
