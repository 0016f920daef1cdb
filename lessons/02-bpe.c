/* Lesson 02: subwords. Learns byte-pair encoding from a text, shows its merges and a sentence in vocabularies of growing
 * size, and measures what each vocabulary costs and gives: tokens per byte, and bits per byte of a counting model.
 * Byte-pair encoding itself is in common/tokens: bpe_learn.c and bpe_encode.c. See lessons/02-bpe.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "lessons/merge_tree.h"

#include "measure/ngram_level.h"
#include "system/args.h"
#include "system/file.h"
#include "system/plot.h"
#include "tokens/bpe.h"

static const Usage usage = {
    .program = "lessons/02-bpe",
    .about = "Learns byte-pair encoding from FILE (default: the prose of lessons/), and measures "
             "vocabularies of growing size.",
    .operands = "[FILE]",
    .examples = "  ./lessons/02-bpe --overwrite\n"
                "  ./lessons/02-bpe README.md --largest 1024 --overwrite\n"
                "  ./lessons/02-bpe --double-spaces --overwrite\n",
};

typedef struct {
    const char *text, *out, *plot;
    bool overwrite, double_spaces;
    int largest;
} Config;

enum { SMALLEST = 256, SHOWN = 10, MOST_SIZES = 16 };

#define WORD     " unreadable"
#define SENTENCE "The model reads unreadable words, letter by letter."

/* --- a vocabulary is the beginning of a larger one ---------------------------------------------- */

/* Makes a tokenizer of the first n merges of t. */
static Tokenizer first_merges(const Tokenizer *t, int n)
{
    Tokenizer first = bpe_new();
    for (int i = 0; i < n; i++)
        bpe_add_merge(&first, t->bpe->merge[i].left, t->bpe->merge[i].right);
    return first;
}

/* Returns how often merge i is applied when it is learned: the occurrences of its token in the text that is
 * encoded with the merges up to it. */
static int64_t count_of(const Tokenizer *t, int i, const char *text, size_t len)
{
    Tokenizer first = first_merges(t, i + 1);
    const Encoding e = tokenizer_encode(&first, text, len);
    int64_t count = 0;
    for (int k = 0; k < e.n; k++) count += e.ids[k] == t->bpe->merge[i].id;
    free(e.ids);
    tokenizer_free(&first);
    return count;
}

/* --- tokens, looked at -------------------------------------------------------------------------- */

/* Prints a token's spelling with ␣ for the space and ⏎ for the newline. */
static void print_token(const Tokenizer *t, int id)
{
    const char *spelling = t->symbols.string[id];
    char *text = xmalloc(strlen(spelling) + 1);
    const size_t n = bytes_read(spelling, strlen(spelling), text, NULL);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == ' ' || text[i] == '\n')
            printf("%s", text[i] == ' ' ? "␣" : "⏎");
        else
            putchar(text[i]);
    }
    free(text);
}

static void show_sentence(const Tokenizer *t, const char *sentence)
{
    const Encoding e = tokenizer_encode(t, sentence, strlen(sentence));
    printf("V = %5d: %3d tokens  ", t->size, e.n);
    for (int i = 0; i < e.n; i++) {
        if (i) putchar('|');
        print_token(t, e.ids[i]);
    }
    putchar('\n');
    free(e.ids);
}

static void show_merges(const Tokenizer *t, const char *text, size_t len)
{
    printf("the first merges\n\n%5s %8s   %s\n", "rank", "count", "merge");
    for (int i = 0; i < SHOWN && i < t->bpe->n_merges; i++) {
        const Merge *m = &t->bpe->merge[i];
        printf("%5d %8lld   ", i, (long long)count_of(t, i, text, len));
        print_token(t, m->left);
        printf(" + ");
        print_token(t, m->right);
        printf(" = ");
        print_token(t, m->id);
        putchar('\n');
    }
}

/* --- what a vocabulary costs -------------------------------------------------------------------- */

typedef struct {
    int size;
    double bytes_per_token, bits_per_token, bits_per_byte;
    int context; /* tokens that the best counting model looks at, and the one that it predicts */
    double rare; /* the share of the vocabulary that occurs fewer than 10 times in training */
} Level;

static double rare_share(const Text *t)
{
    enum { FEW = 10 };
    int *count = xcalloc((size_t)t->tokens.size, sizeof *count), rare = 0;
    for (int i = 0; i < t->n[SPLIT_TRAIN]; i++) count[t->ids[SPLIT_TRAIN][i]]++;
    for (int id = BYTE_VALUES; id < t->tokens.size; id++) rare += count[id] < FEW;
    free(count);
    return t->tokens.size > BYTE_VALUES ? (double)rare / (t->tokens.size - BYTE_VALUES) : NAN;
}

/* Trains counting models on the text with a vocabulary of this size, and scores its end. */
static bool measure(const char *path, int size, Level *level, Error *err)
{
    Data d;
    DataConfig c = data_defaults();
    c.text = path, c.unit = "bpe", c.vocab_size = size;
    if (!data_open(&d, &c, NULL, err)) return false;
    const NgramLevel best = ngram_level(&d);
    const double bits = best.loss / log(2);
    *level = (Level){.size = d.text.tokens.size,
                     .bytes_per_token = d.text.bytes_per_token,
                     .bits_per_token = bits,
                     .bits_per_byte = bits / d.text.bytes_per_token, /* eq 2.3 */
                     .context = best.n,
                     .rare = rare_share(&d.text)};
    data_close(&d);
    return true;
}

static bool measure_all(const Config *c, Level *level, int *n, Error *err)
{
    printf("\n%10s %12s %12s %12s %8s %8s\n", "vocabulary", "bytes/token", "bits/token",
           "bits/byte", "model", "rare");
    for (int size = SMALLEST; size <= c->largest && *n < MOST_SIZES; size *= 2) {
        Level *l = &level[*n];
        if (!measure(c->text, size, l, err)) return false;
        printf("%10d %12.3f %12.3f %12.3f   %d-gram", l->size, l->bytes_per_token,
               l->bits_per_token, l->bits_per_byte, l->context);
        if (!isnan(l->rare)) printf(" %6.1f %%", 100 * l->rare);
        putchar('\n');
        ++*n;
        if (l->size < size) break; /* no pair is left that occurs twice */
    }
    int best = 0;
    for (int i = 1; i < *n; i++)
        if (level[i].bits_per_byte < level[best].bits_per_byte) best = i;
    printf("\nlowest bits/byte: %.3f with a vocabulary of %d\n", level[best].bits_per_byte,
           level[best].size);
    return true;
}

/* --- the picture -------------------------------------------------------------------------------- */

static const char SCRIPT[] =
    "set datafile separator comma\nunset key\nset logscale x 2\n" PLOT_GRID
    "set multiplot layout 1,2 title 'Larger vocabulary: shorter sequences, not always a better "
    "model'\n"
    "set xlabel 'vocabulary (tokens)'\nset title 'bytes per token'\nset yrange [0:*]\n"
    "plot 'bpe.csv' using 1:2 every ::1 with linespoints linewidth 2 pointtype 7 linecolor rgb "
    "'#0072b2'\n"
    "set title 'bits per byte of the best counting model'\nset yrange [*:*]\n"
    "plot 'bpe.csv' using 1:4 every ::1 with linespoints linewidth 2 pointtype 7 linecolor rgb "
    "'#e69f00'\nunset multiplot\n";

static bool draw(const Config *c, const Level *level, int n, Error *err)
{
    char *csv = xstrdup("vocabulary,bytes_per_token,bits_per_token,bits_per_byte,n,rare\n");
    for (int i = 0; i < n; i++) {
        const Level *l = &level[i];
        char *more = xformat("%s%d,%.6f,%.6f,%.6f,%d,%.6f\n", csv, l->size, l->bytes_per_token,
                             l->bits_per_token, l->bits_per_byte, l->context, l->rare);
        free(csv);
        csv = more;
    }
    char *table = xformat("%s/bpe.csv", c->out), *script = xformat("%s/bpe.gp", c->out);
    char *picture = xformat("%s/bpe.%s", c->out, c->plot);
    const bool ok =
        file_write(table, csv, strlen(csv), err) && file_write(script, SCRIPT, strlen(SCRIPT), err);
    if (ok) plot_draw(script, picture, c->plot, 1000, 420);
    free(csv), free(table), free(script), free(picture);
    return ok;
}

/* --- the program -------------------------------------------------------------------------------- */

/* Returns the text with each space doubled. The caller frees it. */
static char *double_spaces(const char *text)
{
    char *doubled = xmalloc(2 * strlen(text) + 1), *end = doubled;
    for (; *text; text++) {
        *end++ = *text;
        if (*text == ' ') *end++ = ' ';
    }
    *end = 0;
    return doubled;
}

/* Draws the tree of a word in tree.png. */
static bool draw_tree(const Config *c, const Tokenizer *t, Error *err)
{
    char *text = merge_tree(t, WORD);
    char *script = xformat("%s/tree.gp", c->out), *picture = xformat("%s/tree.%s", c->out, c->plot);
    const bool ok = file_write(script, text, strlen(text), err);
    if (ok) plot_draw(script, picture, c->plot, 800, 380);
    free(text), free(script), free(picture);
    return ok;
}

static void show_text(const Config *c, const Data *d)
{
    const Tokenizer *t = &d->text.tokens;
    char *text = tokenizer_decode(t, d->text.ids[SPLIT_TRAIN], d->text.n[SPLIT_TRAIN], NULL);
    char *sentence = c->double_spaces ? double_spaces(SENTENCE) : xstrdup(SENTENCE);
    if (!c->double_spaces) show_merges(t, text, strlen(text));
    printf("\na sentence in vocabularies of V tokens\n\n");
    for (int size = SMALLEST; size <= t->size; size *= 2) {
        Tokenizer first = first_merges(t, size - SMALLEST);
        show_sentence(&first, sentence);
        tokenizer_free(&first);
    }
    free(text), free(sentence);
}

static bool run(const Config *c, Error *err)
{
    Level level[MOST_SIZES] = {0};
    int n = 0;
    Data d;
    DataConfig data = data_defaults();
    data.text = c->text, data.unit = "bpe", data.vocab_size = c->largest;
    if (!c->overwrite && !dir_is_empty(c->out))
        return error_set(err, "%s holds a run already: give --overwrite or another --out", c->out);
    if (!dir_make(c->out, err) || !data_open(&d, &data, NULL, err)) return false;
    show_text(c, &d);
    const bool drawn = draw_tree(c, &d.text.tokens, err);
    data_close(&d);
    if (!drawn || c->double_spaces) return drawn;
    return measure_all(c, level, &n, err) && draw(c, level, n, err);
}

int main(int argc, char **argv)
{
    Config c = {.out = "runs/l02", .plot = "png", .largest = 8192};
    Option option[] = {
        OPTION("largest", &c.largest, SMALLEST, 1 << 20, "tokens of the largest vocabulary"),
        OPTION_FLAG("double-spaces", &c.double_spaces,
                    "only cut the sentence, with each space doubled"),
        OPTION_STRING("out", &c.out, "directory for bpe.csv and bpe.png"),
        OPTION_FLAG("overwrite", &c.overwrite, "replace what is in --out"),
        OPTION_CHOICE("plot", &c.plot, "png|svg|dumb|none", "the picture"),
    };
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    Error err;
    const int files = argc - operand;
    if (files) c.text = argv[operand];
    const bool ok =
        files <= 1 ? run(&c, &err) : error_set(&err, "one FILE at a time, not %d", files);
    if (!ok) say("%s: error: %s\n", usage.program, err.text);
    return ok ? EXIT_OK : files > 1 ? EXIT_USAGE : EXIT_FAILED;
}
