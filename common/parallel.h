/* Threads. The only file that names OpenMP's runtime; other files write
 *
 *     #pragma omp parallel for num_threads(parallel_threads(flops)) schedule(static)
 *
 * over chunks whose size depends on the shapes alone. Each chunk's arithmetic is the same whoever
 * runs it and no float is reduced across threads, so results are the same to the last bit for any
 * number of threads. */
#ifndef PARALLEL_H
#define PARALLEL_H

/* The first thing in main. OpenMP's threads spin for milliseconds when they have nothing to do, and
 * two programs on the same cores so slow each other down manyfold; how long they spin is read from
 * the environment when the program is loaded. Unless the user has chosen (OMP_WAIT_POLICY or
 * GOMP_SPINCOUNT) this sets it to some microseconds and starts the program again. */
void parallel_start(char **argv);

void parallel_init(int threads); /* 0: OMP_NUM_THREADS, else the cores this process may use */
int parallel_max(void);          /* threads in use */

/* How many threads work of that size deserves: one where waking the others costs more than it
 * saves, so that two threads are never slower than one. */
int parallel_threads(double flops);

#endif
