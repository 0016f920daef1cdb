/* Threads. Only this file and parallel.c name OpenMP's runtime; other files write
 *
 *     PARALLEL_FOR(flops, i, n, step, work(i));
 *     #pragma omp parallel for num_threads(parallel_threads(flops)) schedule(static)
 *
 * (the second if the body is more than a call). The size of the chunks depends on the shapes only.
 * A chunk's arithmetic does not depend on the thread that runs it, and no float is reduced across
 * threads. So results are the same to the last bit for any number of threads. */
#ifndef PARALLEL_H
#define PARALLEL_H

#include <stdint.h>

/* Limits how long idle threads spin; must be the first call in main. OpenMP's threads spin for
 * milliseconds when they have nothing to do, so two programs on the same cores slow each other down
 * several times. OpenMP reads the time from the environment when the program is loaded. Unless the
 * user has set OMP_WAIT_POLICY or GOMP_SPINCOUNT, this sets it to some microseconds (fewer if other
 * programs are running) and starts the program again. */
void parallel_start(char **argv);

/* Sets the number of threads. 0 means OMP_NUM_THREADS, or else the number of cores that this
 * process may use. From then on subnormal numbers count as 0, if the processor supports it. */
void parallel_init(int threads);
int parallel_max(void); /* threads in use */

/* Returns how many threads pay for so much work: one if waking the others costs more than it saves,
 * so that two threads are never slower than one. Also one while another program occupies a core
 * that this program waits for (see parallel_end), unless the user has set OMP_DYNAMIC=false. */
int parallel_threads(double flops);

/* PARALLEL_FOR calls these before its region, on each thread that has finished its part, and after
 * the region with the number of turns that the threads shared. They measure how long the region
 * waited for its slowest thread. */
void parallel_begin(void);
void parallel_part_done(void);
void parallel_end(int turns, int threads);

/* Runs for (int i = 0; i < n; i += step) { ... } on parallel_threads(flops) threads. With one
 * thread, or a single turn, it is a plain loop: a parallel region of one thread still takes 0.4 us,
 * more than many small ops. */
#define PARALLEL_FOR(flops, i, n, step, ...)                                                       \
    do {                                                                                           \
        const int threads_ = (n) > (step) ? parallel_threads(flops) : 1;                           \
        if (threads_ == 1) {                                                                       \
            for (int64_t at_ = 0; at_ < (n); at_ += (step)) {                                      \
                const int i = (int)at_;                                                            \
                __VA_ARGS__;                                                                       \
            }                                                                                      \
        } else {                                                                                   \
            parallel_begin();                                                                      \
            _Pragma("omp parallel num_threads(threads_)")                                          \
            {                                                                                      \
                _Pragma("omp for schedule(static) nowait") for (int64_t at_ = 0; at_ < (n);        \
                                                                at_ += (step))                     \
                {                                                                                  \
                    const int i = (int)at_; /* at_ does not overflow near INT_MAX */               \
                    __VA_ARGS__;                                                                   \
                }                                                                                  \
                parallel_part_done();                                                              \
            }                                                                                      \
            parallel_end(((n)-1) / (step) + 1, threads_);                                          \
        }                                                                                          \
    } while (0)

/* Runs for (int r = 0; r < rows; r++) { ... } like PARALLEL_FOR, over rows of n values. A thread
 * takes about 4,096 values at a time. */
#define PARALLEL_ROWS(flops, r, rows, n, ...)                                                      \
    do {                                                                                           \
        const int rows_ = (rows), share_ = (n) < 4096 ? 4096 / (n) : 1;                            \
        PARALLEL_FOR(flops, first_, rows_, share_, {                                               \
            const int end_ = rows_ - first_ < share_ ? rows_ : first_ + share_;                    \
            for (int r = first_; r < end_; r++) {                                                  \
                __VA_ARGS__;                                                                       \
            }                                                                                      \
        });                                                                                        \
    } while (0)

#endif
