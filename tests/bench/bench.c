/* Measures the speed for `make bench`: matrix products alone, then every model at named sizes, then the time
 * from a program's start to its first update.
 *
 * The thread counts run in turns over several rounds, so a machine that becomes slow or busy does not favour
 * one of them. The best and the median are printed.
 *
 * A new model is one line in the table of rows. */
#include "models/model.h"
#include "lstm_gru/gated.h"
#include "rnn/rnn.h"
#include "seq2seq_attention/decoder.h"
#include "transformer/cache.h"
#include "system/args.h"
#include "busy.h"
#include "machine.h"
#include "rows.h"
#include "measure.h"
#include "trainee.h"

#include <string.h>
#include <sys/resource.h>

enum { ROUNDS = 5, WARM_UPS = 2, MIN_STEPS = 3, MAX_STEPS = 1 << 14, STARTS = 10, BESIDE = 3 };

/* --- training ----------------------------------------------------------------------------------- */

typedef struct {
    double best, median; /* seconds of an update */
    double flop;         /* of an update */
    double gemm;         /* GFLOP/s of the product (T*B,H) (H,H) */
    double megabytes;    /* peak memory of the process */
    double parameters;
} Training;

static void measure_training(const Job *job, void *result)
{
    const Row *r = job->row;
    Training *m = result;
    Trainee t = trainee_new(r);
    double *took = xcalloc(MAX_STEPS, sizeof *took);
    int n = 0;
    for (int i = 0; i < WARM_UPS; i++) update(&t);
    for (double now = clock_seconds(), end = now + job->seconds;
         n < MIN_STEPS || (now < end && n < MAX_STEPS); n++) {
        update(&t);
        took[n] = clock_seconds() - now;
        now += took[n];
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    m->median = median(took, n);
    m->best = took[0];
    m->flop = flop_of_update(&t.ps, r);
    m->gemm = gemm_rate(NN, r->T * r->B, r->H, r->H, job->seconds / 4);
    m->megabytes = (double)used.ru_maxrss / 1024;
    m->parameters = (double)t.ps.count;
    free(took);
    trainee_free(&t);
}

/* Runs the encoder, then decodes T tokens one by one; EOS is unlikely, so there are always T. */
static void measure_decoding(const Job *job, void *result)
{
    const Row *r = job->row;
    Training *m = result;
    Trainee t = trainee_new(r);
    Seq2seqDecoder decoder = {0};
    TransformerCache cache = {0};
    Translator translator;
    if (r->heads) {
        cache = transformer_cache_init(t.model.self);
        translator = transformer_cache_translator(&cache);
    } else {
        decoder = seq2seq_decoder_init(t.model.self);
        translator = seq2seq_decoder_translator(&decoder);
    }
    params_find(&t.ps, "head.b")->data[translator.decoder.eos] = -1e9f;
    double *took = xcalloc(MAX_STEPS, sizeof *took);
    int *source = xcalloc((size_t)r->S, sizeof *source), *out = xcalloc((size_t)r->T, sizeof *out);
    for (int i = 0; i < r->S; i++) source[i] = t.batch.s[i];
    int n = 0;
    for (double now = clock_seconds(), end = now + job->seconds;
         n < MIN_STEPS || (now < end && n < MAX_STEPS); n++) {
        translator.read(translator.self, source, r->S);
        decode_greedy(&translator.decoder, r->T, out, NULL);
        took[n] = clock_seconds() - now;
        now += took[n];
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    *m = (Training){.median = median(took, n), .parameters = (double)t.ps.count};
    m->best = took[0];
    m->megabytes = (double)used.ru_maxrss / 1024;
    m->gemm = NAN;
    free(took), free(source), free(out);
    seq2seq_decoder_free(&decoder);
    transformer_cache_free(&cache);
    trainee_free(&t);
}

/* Runs the n <= 2 thread counts in turns over several rounds; keeps the best and the median of the medians. */
static void measure_row(const Row *r, int n, const int *threads, double seconds, Training *total)
{
    double medians[2][ROUNDS];
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < n; i++) {
            Training now;
            in_child(r->decodes ? measure_decoding : measure_training,
                     &(Job){r, threads[i], seconds / ROUNDS}, &now, sizeof now);
            medians[i][round] = now.median;
            if (round) {
                now.best = fmin(now.best, total[i].best);
                now.gemm = fmax(now.gemm, total[i].gemm);
                now.megabytes = fmax(now.megabytes, total[i].megabytes);
            }
            total[i] = now;
        }
    for (int i = 0; i < n; i++) total[i].median = median(medians[i], ROUNDS);
}

static void print_training_header(void)
{
    printf("\nTraining: forward, backward, clip, AdamW; best and median of %d rounds. sgemm: of\n"
           "(T*B,H) (H,H) in the same run. FLOP: of the products that are computed.\n\n"
           "  model    size  threads   tokens/s     median  GFLOP/s    sgemm  share  peak MB\n",
           ROUNDS);
}

static void print_training(const Row *r, int threads, const Training *t, const Training *first)
{
    const double tokens = r->T * r->B, rate = t->flop / t->best * 1e-9;
    if (r->decodes) {
        printf("  %-8s %-5s %7d %10.0f %10.0f   greedy, T and S %d\n", r->model, r->size, threads,
               tokens / t->best, tokens / t->median, r->T);
        return;
    }
    printf("  %-8s %-5s %7d %10.0f %10.0f %8.1f %8.1f %5.0f%% %8.0f", r->model, r->size, threads,
           tokens / t->best, tokens / t->median, rate, t->gemm, 100 * rate / t->gemm, t->megabytes);
    if (t != first)
        printf("  x %.2f\n", first->best / t->best);
    else
        printf("  B %d, T %d, C %d, H %d, V %d\n", r->B, r->T, r->C, r->H, r->V); /* S is T */
}

static void print_json(const Row *r, int threads, const Training *t)
{
    const double tokens = r->T * r->B, rate = t->flop / t->best * 1e-9;
    printf("{\"model\":\"%s\",\"size\":\"%s\",\"threads\":%d,\"tokens_per_second\":%.0f,"
           "\"tokens_per_second_median\":%.0f,\"peak_mb\":%.1f,\"parameters\":%.0f",
           r->model, r->size, threads, tokens / t->best, tokens / t->median, t->megabytes,
           t->parameters);
    if (!r->decodes) printf(",\"gflops\":%.2f,\"sgemm_gflops\":%.2f", rate, t->gemm);
    puts("}");
}

/* --- beside a busy program ------------------------------------------------------------------------ */

/* Returns the updates per second over the whole time, so useless trials of the thread choice count too. */
static void measure_mean(const Job *job, void *result)
{
    Trainee t = trainee_new(job->row);
    for (double end = clock_seconds() + 0.4 * job->seconds; clock_seconds() < end;) update(&t);
    int n = 0;
    const double start = clock_seconds();
    double now = start;
    for (; n < MIN_STEPS || now < start + job->seconds; n++, now = clock_seconds()) update(&t);
    *(double *)result = n / (now - start);
    trainee_free(&t);
}

/* Runs one thread and two in turns; writes a ratio for each turn, sorted. */
static void ratios_beside(const Row *r, double seconds, double *ratio)
{
    for (int round = 0; round < BESIDE; round++) {
        double rate[2];
        for (int i = 0; i < 2; i++)
            in_child(measure_mean, &(Job){r, i + 1, seconds}, &rate[i], sizeof rate[i]);
        ratio[round] = rate[1] / rate[0];
    }
    median(ratio, BESIDE);
}

static void print_beside(const Row *r, double seconds)
{
    double ratio[BESIDE];
    ratios_beside(r, seconds, ratio);
    printf("  %-8s %-5s %22.2f   (%.2f .. %.2f)\n", r->model, r->size, ratio[BESIDE / 2], ratio[0],
           ratio[BESIDE - 1]);
}

static void print_beside_header(void)
{
    printf("\nBeside a busy program: a loop without end keeps one core busy. Updates/s of two "
           "threads\n"
           "over those of one, both beside that loop: median and range of %d turns.\n\n"
           "  model    size   two threads over one\n",
           BESIDE);
}

/* --- the start of a program ----------------------------------------------------------------------- */

/* Does what a training program does until the end of its first update. */
static int first_step(const Row *r)
{
    parallel_init(0);
    blas_warm_up();
    Trainee t = trainee_new(r);
    update(&t);
    const bool told = write(STDOUT_FILENO, "", 1) == 1;
    trainee_free(&t);
    blas_warm_up_end();
    if (!told) return EXIT_FAILED;
    return EXIT_OK;
}

static void print_starts(const Row *r)
{
    double took[STARTS];
    long most = 0;
    for (int i = 0; i < STARTS; i++) {
        struct rusage used;
        int status, fd[2];
        char byte;
        CHECK(pipe(fd) == 0, "bench: no pipe");
        fflush(stdout);
        const double before = clock_seconds();
        const pid_t pid = fork();
        CHECK(pid >= 0, "bench: cannot start a second process");
        if (pid == 0) {
            dup2(fd[1], STDOUT_FILENO);
            unsetenv("GOMP_SPINCOUNT"); /* as for a user: see parallel_start */
            execl("/proc/self/exe", "bench", "--first-step", (char *)NULL);
            _exit(EXIT_FAILED);
        }
        CHECK(read(fd[0], &byte, 1) == 1, "bench: the program ended before its first update");
        took[i] = clock_seconds() - before;
        CHECK(wait4(pid, &status, 0, &used) == pid && status == 0, "bench: status %d", status);
        close(fd[0]), close(fd[1]);
        most = used.ru_maxrss > most ? used.ru_maxrss : most;
    }
    const double middle = median(took, STARTS);
    printf("\nA program's start, from fork to the end of the first update of %s %s, %d times:\n"
           "  best %.1f ms, median %.1f ms, peak memory %.0f MB\n",
           r->model, r->size, STARTS, took[0] * 1e3, middle * 1e3, (double)most / 1024);
}

/* --- all of it ------------------------------------------------------------------------------------ */

static bool is_chosen(const Row *r, const char *model, const char *size)
{
    return (strcmp(model, "all") == 0 || strcmp(model, r->model) == 0) &&
           (strcmp(size, "all") == 0 || strcmp(size, r->size) == 0);
}

static bool is_any_chosen(const char *model, const char *size)
{
    int found = 0;
    for (int i = 0; i < LEN(rows); i++) found += is_chosen(&rows[i], model, size);
    return found > 0;
}

static void print_all_beside(const char *model, const char *size, double seconds)
{
    print_beside_header();
    const pid_t busy = busy_start();
    for (const Row *r = rows; r < rows + LEN(rows); r++)
        if (r->beside && is_chosen(r, model, size)) print_beside(r, seconds);
    busy_end(busy);
}

int main(int argc, char **argv)
{
    parallel_start(argv);
    if (argc == 2 && strcmp(argv[1], "--first-step") == 0) return first_step(&rows[0]);

    const char *model = "all", *size = "all";
    int only = 0, operand;
    double seconds = 1;
    bool json = false, beside = false;
    Option opt[] = {
        OPTION_STRING("model", &model, "measure only this model"),
        OPTION_STRING("size", &size, "measure only this size"),
        OPTION("threads", &only, 0, 256, "on this many threads; 0: on one, then on all"),
        OPTION("seconds", &seconds, 0.01, 3600, "for each model, size and number of threads"),
        OPTION_FLAG("beside", &beside, "only the rows beside a busy program, in a minute"),
        OPTION_FLAG("json", &json, "only the models, each as a line of JSON"),
    };
    const Usage usage = {.program = "tests/bench/bench",
                         .about = "Measures speed and memory.",
                         .operands = "",
                         .examples = "bench --model rnn --size class --threads 1"};
    const int status = args_parse(argc, argv, opt, LEN(opt), &usage, &operand);
    if (status >= 0) return status;

    if (!is_any_chosen(model, size)) {
        fprintf(stderr, "bench: error: there is no model %s of size %s\n", model, size);
        return EXIT_USAGE;
    }

    parallel_init(0);
    if (beside) {
        print_all_beside(model, size, seconds);
        return EXIT_OK;
    }
    const int threads[2] = {only ? only : 1, parallel_max()}, n = only || threads[1] == 1 ? 1 : 2;
    if (!json) {
        print_machine(threads[1]);
        print_products(n, threads);
        print_training_header();
    }
    for (const Row *r = rows; r < rows + LEN(rows); r++) {
        if (!is_chosen(r, model, size)) continue;
        Training t[2];
        measure_row(r, n, threads, seconds, t);
        for (int i = 0; i < n; i++)
            json ? print_json(r, threads[i], &t[i]) : print_training(r, threads[i], &t[i], t);
    }
    if (json) return EXIT_OK;
    print_all_beside(model, size, seconds);
    print_starts(&rows[0]);
    return EXIT_OK;
}
