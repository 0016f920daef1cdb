/* The machine: its name, and the rates of its matrix products, with which all other rates are compared. */
#ifndef MACHINE_H
#define MACHINE_H

#include "math/blas.h"
#include "measure.h"

#include <math.h>
#include <string.h>

static inline void print_machine(int cores)
{
    char line[256], *model = NULL;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && !model && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0) model = strchr(line, ':');
    if (f) fclose(f);
    if (model) model[strcspn(model, "\n")] = 0;
    printf("%s, %d core%s; %s\n", model ? model + 2 : "unknown processor", cores,
           cores > 1 ? "s" : "", blas_name());
}

/* Returns the GFLOP/s of a product of contiguous matrices, the best within `seconds`. */
static inline double gemm_rate(GemmForm form, int M, int N, int K, double seconds)
{
    const size_t MK = (size_t)M * K, KN = (size_t)K * N, len = MK + KN + (size_t)M * N;
    real *a = xaligned(len * sizeof *a);
    for (size_t i = 0; i < len; i++) a[i] = (real)(i % 7) - 3;
    gemm(form, M, N, K, a, a + MK, 0, a + MK + KN); /* compiles the kernel, which can take 50 ms */
    const double flop = 2.0 * M * N * K, end = clock_seconds() + seconds;
    const int often = 1 + (int)(1e7 / flop); /* makes the cost of reading the clock negligible */
    double best = INFINITY;
    for (double now = clock_seconds(), before; (before = now) < end;) {
        for (int i = 0; i < often; i++) gemm(form, M, N, K, a, a + MK, 0, a + MK + KN);
        now = clock_seconds();
        best = fmin(best, (now - before) / often);
    }
    free(a);
    return flop / best * 1e-9;
}

enum { PRODUCTS = 4, FORMS = 3 };
static const int product[PRODUCTS][3] = {
    {512, 512, 512}, {2048, 512, 128}, {2048, 128, 128}, {16, 128, 128}};

static inline void measure_products(const Job *job, void *result)
{
    double *rate = result;
    for (int i = 0; i < PRODUCTS; i++)
        for (GemmForm form = NN; form <= TN; form++)
            *rate++ = gemm_rate(form, product[i][0], product[i][1], product[i][2], job->seconds);
}

static inline void print_products(int n, const int *threads)
{
    puts("\nMatrix products, GFLOP/s:\n"
         "      M x   N x   K  threads        NN        NT        TN");
    for (int i = 0; i < n; i++) {
        double rate[PRODUCTS][FORMS];
        const Job job = {.threads = threads[i], .seconds = 0.05};
        in_child(measure_products, &job, rate, sizeof rate);
        for (int k = 0; k < PRODUCTS; k++)
            printf("  %5d x %3d x %3d %8d %9.1f %9.1f %9.1f\n", product[k][0], product[k][1],
                   product[k][2], threads[i], rate[k][NN], rate[k][NT], rate[k][TN]);
    }
}

#endif
