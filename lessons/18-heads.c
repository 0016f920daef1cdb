/* Lesson 18: why one attention has several heads. Eight slots hold a value each, and a query names two
 * of them: "a, then b". The two values are read, by a linear layer, from one look at the slots, by
 * multi-head attention (Vaswani et al. 2017, s3.2.2) of C = 64 channels.
 *
 *   slot s   K_s + V_value        query   A_a + B_b        K, V, A, B learned
 *
 * A head averages, and of an average nobody can tell which part came from where. The number of
 * parameters does not depend on the number of heads. See lessons/18-heads.md. */
#include <stdio.h>

#include "system/args.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "math/parallel.h"
#include "math/vecmath.h"

enum { SLOTS = 8, VALUES = 8, C = 64, B = 32, T = 8, ANSWERS = 2 };

typedef struct {
    Tensor *slot, *value, *first, *second; /* (SLOTS,C) (VALUES,C) (SLOTS,C) (SLOTS,C) */
    Linear q, k, v, out, read;             /* (C,C) four times, (C,ANSWERS*VALUES) */
} Lookup;

typedef struct {
    int slot[B * SLOTS], value[B * SLOTS], first[B * T], second[B * T];
    int answer[B * T * ANSWERS];
} Questions;

static Lookup lookup_init(Params *ps)
{
    Lookup r;
    r.slot = param(ps, SHAPE(SLOTS, C), 1, "slot");
    r.value = param(ps, SHAPE(VALUES, C), 1, "value");
    r.first = param(ps, SHAPE(SLOTS, C), 1, "first");
    r.second = param(ps, SHAPE(SLOTS, C), 1, "second");
    r.q = linear_init(ps, C, C, "q");
    r.k = linear_init(ps, C, C, "k");
    r.v = linear_init(ps, C, C, "v");
    r.out = linear_init(ps, C, C, "out");
    r.read = linear_init(ps, C, ANSWERS * VALUES, "read");
    return r;
}

static void ask(Questions *x, Rng *rng)
{
    for (int i = 0; i < B * SLOTS; i++) {
        x->slot[i] = i % SLOTS;
        x->value[i] = rng_below(rng, VALUES);
    }
    for (int i = 0; i < B * T; i++) {
        const int *value = x->value + i / T * SLOTS;
        x->first[i] = rng_below(rng, SLOTS);
        x->second[i] = (x->first[i] + 1 + rng_below(rng, SLOTS - 1)) % SLOTS; /* another one */
        x->answer[ANSWERS * i] = value[x->first[i]];
        x->answer[ANSWERS * i + 1] = value[x->second[i]];
    }
}

/* Logits (B,T*ANSWERS,VALUES). */
static Tensor *answers(Tape *tp, const Lookup *r, const Questions *x, int heads)
{
    Tensor *s = op_add(tp, op_embed(tp, r->slot, x->slot, SHAPE(B, SLOTS)),
                       op_embed(tp, r->value, x->value, SHAPE(B, SLOTS))); /* (B,SLOTS,C) */
    Tensor *a = op_add(tp, op_embed(tp, r->first, x->first, SHAPE(B, T)),
                       op_embed(tp, r->second, x->second, SHAPE(B, T))); /* (B,T,C) */
    Tensor *q = linear(tp, &r->q, a), *k = linear(tp, &r->k, s), *v = linear(tp, &r->v, s);
    Tensor *y = op_attention(tp, q, k, v, heads, NULL, NULL); /* eq 18.1 */
    Tensor *z = linear(tp, &r->read, linear(tp, &r->out, y)); /* eq 18.2 */
    return op_reshape(tp, z, SHAPE(B, T * ANSWERS, VALUES));
}

static void examine(const Lookup *r, int heads, size_t parameters)
{
    enum { BATCHES = 20 };
    Tape tp = {.frozen = true};
    int right[ANSWERS] = {0}, both = 0;
    for (int i = 0; i < BATCHES; i++) {
        Questions x;
        Rng rng = rng_make(0, RNG_TEST, (uint32_t)i);
        ask(&x, &rng);
        const Tensor *z = answers(&tp, r, &x, heads);
        for (int j = 0; j < B * T; j++) {
            const real *logits = z->data + (size_t)j * ANSWERS * VALUES;
            const bool one = argmax(logits, VALUES) == x.answer[ANSWERS * j];
            const bool two = argmax(logits + VALUES, VALUES) == x.answer[ANSWERS * j + 1];
            right[0] += one, right[1] += two, both += one && two;
        }
        tape_reset(&tp);
    }
    const double n = BATCHES * B * T;
    printf("heads %2d: both %.3f   first %.3f   second %.3f   (%zu parameters)\n", heads, both / n,
           right[0] / n, right[1] / n, parameters);
    tape_free(&tp);
}

static void train(int heads, int steps, double lr, uint64_t seed)
{
    Params ps = params_init(seed);
    const Lookup r = lookup_init(&ps);
    const Schedule schedule = {.lr = lr, .warmup = 20, .steps = steps};
    Optim optim = optim_init(OPTIM_ADAMW, &ps, 0.9, 0.98, 0);
    Tape tp = {0};
    for (int step = 1; step <= steps; step++) {
        Questions x;
        Rng rng = rng_make(seed, RNG_BATCH, (uint32_t)step);
        ask(&x, &rng);
        Tensor *loss = op_cross_entropy(&tp, answers(&tp, &r, &x, heads), x.answer);
        tape_backward(&tp, loss);
        params_clip(&ps, 1);
        optim_step(&optim, &ps, lr_at(&schedule, step));
        tape_reset(&tp);
    }
    examine(&r, heads, ps.count);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
}

int main(int argc, char **argv)
{
    int steps = 400;
    double lr = 3e-3;
    uint64_t seed = 1337;
    Option option[] = {OPTION("steps", &steps, 1, 1000000, "updates for each number of heads"),
                       OPTION("lr", &lr, 0, 1, "peak learning rate"),
                       OPTION("seed", &seed, 0, 0x1p64, "of weights and questions")};
    const Usage usage = {.program = "lessons/18-heads",
                         .about = "Asks two questions at once, of 1 to 64 heads.",
                         .operands = "",
                         .examples = "  ./lessons/18-heads\n"};
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    parallel_init(1); /* the work is too small to share */
    static const int heads[] = {1, 2, 4, 8, 64};
    for (int i = 0; i < LEN(heads); i++) train(heads[i], steps, lr, seed);
    return EXIT_OK;
}
