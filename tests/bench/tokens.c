/* Measures byte-level BPE on one thread: learning a vocabulary from a text, and encoding the text, repeated to a
 * given size, with a tokenizer that is read or was just learned.
 *
 *     build/opt/tests/bench/tokens TEXT [TOKENIZER] [MEGABYTES] [VOCABULARY]
 *
 * Prints one line of JSON; rates are medians of several rounds. tests/bench/tokens.sh sets other libraries beside it. */
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "system/file.h"
#include "tokens/bpe_files.h"

enum { LEARNINGS = 3, ENCODINGS = 5, MOST = 1 << 30 };

static Tokenizer learn(const char *text, size_t len, int size, double *seconds)
{
    const double begin = clock_seconds();
    const Tokenizer t = tokenizer_learn(token_kind("bpe"), TOKENS_STREAM, text, len, 1, size);
    *seconds = clock_seconds() - begin;
    return t;
}

/* Encodes as a new program does: with an empty cache. */
static int encode(const Tokenizer *t, const char *text, size_t len, double *seconds)
{
    Tokenizer fresh = tokenizer_copy(t);
    const double begin = clock_seconds();
    const Encoding e = tokenizer_encode(&fresh, text, len);
    *seconds = clock_seconds() - begin;
    free(e.ids);
    tokenizer_free(&fresh);
    return e.n;
}

static int fail(const char *message)
{
    fprintf(stderr, "tokens: error: %s\n", message);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    Error err;
    char *text;
    size_t len;
    double learning[LEARNINGS], encoding[ENCODINGS];
    if (argc < 2 || argc > 5)
        return fail("usage: tokens TEXT [TOKENIZER] [MEGABYTES] [VOCABULARY]");
    const double megabytes = argc > 3 ? strtod(argv[3], NULL) : 100;
    const int vocabulary = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 10000;
    if (!file_read(argv[1], MOST, &text, &len, &err)) return fail(err.text);
    if (len == 0 || megabytes <= 0 || megabytes > 2000) return fail("nothing to encode");

    Tokenizer t = {0};
    for (int i = 0; i < LEARNINGS; i++) {
        tokenizer_free(&t);
        t = learn(text, len, vocabulary, &learning[i]);
    }
    const int learned = t.size;
    if (argc > 2 && *argv[2]) {
        tokenizer_free(&t);
        if (!bpe_read(&t, argv[2], &err)) return fail(err.text);
    }
    const size_t times = (size_t)(megabytes * 1e6 / (double)len) + 1, all = times * len;
    char *repeated = xmalloc(all + 1);
    for (size_t i = 0; i < times; i++) memcpy(repeated + i * len, text, len);
    repeated[all] = 0;
    int ids = 0;
    for (int i = 0; i < ENCODINGS; i++) ids = encode(&t, repeated, all, &encoding[i]);
    printf("{\"learn_seconds_median\": %.3f, \"vocabulary\": %d, \"encode_mb_per_second_median\": "
           "%.1f, "
           "\"megabytes\": %.1f, \"ids\": %d}\n",
           median(learning, LEARNINGS), learned, (double)all / 1e6 / median(encoding, ENCODINGS),
           (double)all / 1e6, ids);
    tokenizer_free(&t);
    free(text), free(repeated);
    return EXIT_OK;
}
