/* If words and positions are few, the first layer multiplies their tables by the weights instead of the
 * embedded rows (op_embed_linear): loss and gradients are the same, for every kind of positions. */
#include "models/model.h"
#include "transformer/transformer.h"
#include "suite.h"

enum { B = 16, T = 6, S = 7, V = 11 };

typedef struct {
    Params ps;
    Transformer m;
    Model model;
    int s[S * B], s_len[B], x[T * B], y[T * B];
    Batch batch;
} Net;

static void net_make(Net *n, NormPlace norm, Positions positions)
{
    TransformerConfig c = transformer_defaults();
    c.layers = 2, c.channels = 16, c.heads = 4, c.ffn = 24, c.longest = 32;
    c.norm = norm, c.positions = positions;
    n->ps = params_init(5);
    n->m = transformer_init(&n->ps, &c, &(Task){.source_vocab = V, .vocab = V, .outputs = V});
    n->model = transformer_model(&n->m);
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < S * B; i++) n->s[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) n->x[i] = rng_below(&rng, V), n->y[i] = rng_below(&rng, V);
    for (int b = 0; b < B; b++) n->s_len[b] = S - b % 3;
    n->batch = (Batch){.layout = BATCH_MAJOR,
                       .T = T,
                       .B = B,
                       .S = S,
                       .x = n->x,
                       .y = n->y,
                       .s = n->s,
                       .s_len = n->s_len};
}

/* Returns the loss and leaves the gradients in n->ps; *products is the number of op_embed_linear. With
 * `rows` all gradients are kept, also those of the embedded rows, so the rows are multiplied instead. */
static double learn(Net *n, bool rows, int *products)
{
    Tape tp = {.keep_grads = rows};
    params_zero_grad(&n->ps);
    Tensor *loss = model_loss(&tp, &n->model, &n->batch, NULL, NULL).mean;
    tape_backward(&tp, loss);
    *products = 0;
    for (int i = 0; i < tp.n; i++) *products += strcmp(tp.node[i]->name, "embed_linear") == 0;
    const double value = (double)loss->data[0];
    tape_free(&tp);
    return value;
}

static void compare(NormPlace norm, Positions positions, int want)
{
    Net n;
    int products;
    net_make(&n, norm, positions);
    const double loss = learn(&n, true, &products);
    ck_assert_int_eq(products, 0);
    real *grad = xmalloc(n.ps.len * sizeof *grad);
    memcpy(grad, n.ps.grad, n.ps.len * sizeof *grad);
    ck_assert_double_eq_tol(learn(&n, false, &products), loss, 1e-5);
    ck_assert_int_eq(products, want);
    for (size_t i = 0; i < n.ps.len; i++)
        ck_assert_msg(fabs((double)(n.ps.grad[i] - grad[i])) < 1e-5,
                      "norm %d, %s: gradient %zu is %.9g, not %.9g", norm,
                      positions_names[positions], i, (double)n.ps.grad[i], (double)grad[i]);
    free(grad);
    params_free(&n.ps);
}

/* q, k and v of the first layer of encoder and decoder; with pre-norm they do not read the embeddings. */
START_TEST(words_and_places)
{
    static const Positions positions[] = {SINUSOID, LEARNED, ROTARY, ALIBI, NO_POSITIONS};
    for (int i = 0; i < LEN(positions); i++) compare(POST_NORM, positions[i], 6);
    compare(PRE_NORM, LEARNED, 0);
    compare(NO_NORM, LEARNED, 6);
}
END_TEST

SUITE("transformer_words", TESTS(words_and_places), NO_ABORTS)
