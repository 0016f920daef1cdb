/* Lesson 20: how large is each layer's gradient, before anything has been learned?
 *
 * Makes a deep stack of Transformer layers with the norm after the sum, before the sublayer, not at all, and
 * without residuals; lets each guess which random word follows; and writes down the norm of every layer's
 * gradient, that of the feed-forward layer's second matrix (as Xiong et al. 2020, Figure 3). Nothing is
 * trained. See lessons/20-transformer.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/say.h"
#include "system/args.h"
#include "models/model.h"
#include "nn/optim.h"
#include "math/parallel.h"
#include "transformer/transformer.h"

static const Usage usage = {
    .program = "lessons/20-transformer",
    .about = "Prints the norm of every layer's gradient at the start of training.",
    .operands = "",
    .examples = "  ./lessons/20-transformer --layers 12\n",
};

typedef struct {
    int layers, channels, steps, batch;
    uint64_t seed;
    const char *out;
} Config;

enum { WORDS = 32 };

static const struct {
    const char *name;
    NormPlace norm;
    bool residual;
} kinds[] = {{"post-norm", POST_NORM, true},
             {"pre-norm", PRE_NORM, true},
             {"no norm", NO_NORM, true},
             {"no residual", PRE_NORM, false}};

static TransformerConfig stack_of(const Config *c, int kind)
{
    TransformerConfig s = transformer_defaults();
    s.layers = c->layers, s.channels = c->channels, s.ffn = 4 * c->channels;
    s.norm = kinds[kind].norm, s.residual = kinds[kind].residual;
    return s;
}

static double gradient_of(const Linear *l)
{
    double sum = 0;
    for (int i = 0; i < l->w->len; i++) sum += (double)l->w->grad[i] * (double)l->w->grad[i];
    return sqrt(sum);
}

/* norm[i] becomes |dL/dW_2| of layer i, for random words that are to be followed by others. */
static void measure(const Config *c, int kind, double *norm)
{
    const TransformerConfig size = stack_of(c, kind);
    const Task task = {.vocab = WORDS, .outputs = WORDS};
    const int n = c->steps * c->batch;
    Params ps = params_init(c->seed);
    const Transformer m = transformer_init(&ps, &size, &task);
    const Model model = transformer_model(&m);
    Tape tp = {0};
    Rng rng = rng_make(c->seed, RNG_BATCH, 0);
    int *x = xmalloc(2 * (size_t)n * sizeof *x), *y = x + n;
    for (int i = 0; i < 2 * n; i++) x[i] = rng_below(&rng, WORDS);
    const Batch batch = {.layout = model.layout, .T = c->steps, .B = c->batch, .x = x, .y = y};
    tape_backward(&tp, model_loss(&tp, &model, &batch, NULL, NULL).mean);
    for (int i = 0; i < c->layers; i++) norm[i] = gradient_of(&m.decoder[i].down);
    free(x);
    tape_free(&tp);
    params_free(&ps);
}

static bool write_table(const Config *c, double (*norm)[TRANSFORMER_MAX_LAYERS], Error *err)
{
    FILE *f = fopen(c->out, "w");
    if (!f) return error_set(err, "%s: cannot be written; give another --out", c->out);
    fprintf(f, "layer");
    for (int k = 0; k < LEN(kinds); k++) fprintf(f, ",%s", kinds[k].name);
    for (int i = 0; i < c->layers; i++) {
        fprintf(f, "\n%d", i + 1);
        for (int k = 0; k < LEN(kinds); k++) fprintf(f, ",%g", norm[k][i]);
    }
    fprintf(f, "\n");
    const bool ok = !ferror(f);
    return (fclose(f) == 0 && ok) || error_set(err, "%s: cannot be written", c->out);
}

int main(int argc, char **argv)
{
    parallel_init(1); /* the BLAS too: what is printed depends on no number of cores */
    Config c = {.layers = 12, .channels = 64, .steps = 20, .batch = 16, .seed = 1337};
    c.out = "runs/l20-gradients.csv";
    Option option[] = {
        OPTION("layers", &c.layers, 2, TRANSFORMER_MAX_LAYERS, "layers of the stack"),
        OPTION("channels", &c.channels, 4, 1024, "size of states; a multiple of 4"),
        OPTION("seq-len", &c.steps, 1, 1024, "steps of a sequence"),
        OPTION("batch", &c.batch, 1, 1024, "sequences"),
        OPTION("seed", &c.seed, 0, 0x1p64, "of weights and words"),
        OPTION_STRING("out", &c.out, "the table, a CSV file"),
    };
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    const int heads = transformer_defaults().heads;
    if (c.channels % heads) {
        say("%s: error: --channels %d: must be a multiple of %d, the number of heads\n",
            usage.program, c.channels, heads);
        return EXIT_USAGE;
    }

    double norm[LEN(kinds)][TRANSFORMER_MAX_LAYERS];
    for (int k = 0; k < LEN(kinds); k++) {
        measure(&c, k, norm[k]);
        printf("%s, last layer %.4g, first layer %.4g\n", kinds[k].name, norm[k][c.layers - 1],
               norm[k][0]);
    }
    Error err;
    if (write_table(&c, norm, &err)) return EXIT_OK;
    say("%s: error: %s\n", usage.program, err.text);
    return EXIT_FAILED;
}
