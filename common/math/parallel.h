/* Threads. The only file that names OpenMP's runtime; other files write
 *
 *     PARALLEL_FOR(flops, i, n, step, work(i));
 *     #pragma omp parallel for num_threads(parallel_threads(flops)) schedule(static)
 *
 * (the second where the body is no mere call) over chunks whose size depends on the shapes alone. Each
 * chunk's arithmetic is the same whoever runs it and no float is reduced across threads, so results are
 * the same to the last bit for any number of threads. */
#ifndef PARALLEL_H
#define PARALLEL_H

/* The first thing in main. OpenMP's threads spin for milliseconds when they have nothing to do, and
 * two programs on the same cores so slow each other down manyfold; how long they spin is read from
 * the environment when the program is loaded. Unless the user has chosen (OMP_WAIT_POLICY or
 * GOMP_SPINCOUNT) this sets it to some microseconds, fewer where other programs are running, and starts
 * the program again. */
void parallel_start(char **argv);

/* 0: OMP_NUM_THREADS, else the cores this process may use. Subnormal numbers are 0 from then on, where the
 * processor can do that. */
void parallel_init(int threads);
int parallel_max(void); /* threads in use */

/* How many threads work of that size deserves: one where waking the others costs more than it
 * saves, so that two threads are never slower than one. One as well while another program keeps a core
 * busy that this one waits for (see parallel_end), unless the user has set OMP_DYNAMIC=false. */
int parallel_threads(double flops);

/* What PARALLEL_FOR calls around its region: before it, on each thread that has done its part, and after it
 * with the number of turns that the threads had to share. They measure how long the region waited for its
 * latest thread. */
void parallel_begin(void);
void parallel_part_done(void);
void parallel_end(int turns, int threads);

/* for (int i = 0; i < n; i += step) { ... }, on as many threads as that many flops deserve. On one, or for
 * a single turn, it is a plain loop: a parallel region of one thread still takes 0.4 us, more than many a small op. */
#define PARALLEL_FOR(flops, i, n, step, ...)                                                       \
    do {                                                                                           \
        const int threads_ = (n) > (step) ? parallel_threads(flops) : 1;                           \
        if (threads_ == 1) {                                                                       \
            for (int i = 0; i < (n); i += (step)) {                                                \
                __VA_ARGS__;                                                                       \
            }                                                                                      \
        } else {                                                                                   \
            parallel_begin();                                                                      \
            _Pragma("omp parallel num_threads(threads_)")                                          \
            {                                                                                      \
                _Pragma("omp for schedule(static) nowait") for (int i = 0; i < (n); i += (step))   \
                {                                                                                  \
                    __VA_ARGS__;                                                                   \
                }                                                                                  \
                parallel_part_done();                                                              \
            }                                                                                      \
            parallel_end(((n)-1) / (step) + 1, threads_);                                          \
        }                                                                                          \
    } while (0)

/* for (int r = 0; r < rows; r++) { ... } in the same way, over rows of n values: a thread takes about 4,096
 * values at a time. */
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
