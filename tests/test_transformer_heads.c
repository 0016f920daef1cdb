/* The attention weights of every head, as a Transformer returns them: distributions with the right masks,
 * equal to those computed by hand in the first layer. */
#include "layout_help.h"
#include "transformer/cache.h"
#include "transformer/transformer.h"
#include "tokens/tokenizer.h"
#include "suite.h"

enum { B = 3, S = 7, T = 6, V = 11, C = 16, H = 4, L = 2 };

typedef struct {
    Params ps;
    Transformer m;
    int s[S * B], s_len[B], x[T * B]; /* time-major */
    Batch batch;                      /* batch-major */
    Tape tp;
    AttentionWeights weights;
} Net;

static Net *net_new(bool has_encoder, NormPlace norm)
{
    const Task task = {.source_vocab = has_encoder ? V : 0, .vocab = V, .outputs = V};
    TransformerConfig c = transformer_defaults();
    c.layers = L, c.channels = C, c.heads = H, c.ffn = 24, c.norm = norm,
    c.positions = NO_POSITIONS;
    Net *n = xcalloc(1, sizeof *n);
    n->ps = params_init(5);
    n->m = transformer_init(&n->ps, &c, &task);
    for (size_t i = 0; i < n->ps.count; i++)
        n->ps.value[i] *= 2; /* larger parameters make the weights differ */
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < S * B; i++) n->s[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) n->x[i] = rng_below(&rng, V);
    for (int b = 0; b < B; b++) n->s_len[b] = S - 2 * b;
    Batch batch = {.T = T, .B = B, .x = n->x};
    if (has_encoder) batch.S = S, batch.s = n->s, batch.s_len = n->s_len;
    n->batch = batch_major(&batch);
    n->tp = (Tape){.frozen = true};
    n->weights = transformer_attention_weights(&n->tp, &n->m, &n->batch);
    return n;
}

static void net_free(Net *n)
{
    batch_free(&n->batch);
    tape_free(&n->tp);
    params_free(&n->ps);
    free(n);
}

/* Checks that each row of (B,H,rows,columns) is a distribution over only the columns that it may see. */
static void ck_rows(const real *p, int rows, int columns, const int *len, bool causal)
{
    for (int i = 0; i < B * H * rows; i++, p += columns) {
        const int seen = causal ? i % rows + 1 : len[i / (H * rows)];
        double sum = 0;
        for (int s = 0; s < columns; s++) {
            ck_assert(s < seen ? p[s] > 0 : p[s] == 0);
            sum += (double)p[s];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-5);
    }
}

START_TEST(rows_are_distributions)
{
    for (int k = 0; k < 2; k++) {
        Net *n = net_new(true, k ? PRE_NORM : POST_NORM);
        for (int i = 0; i < L; i++) {
            ck_rows(n->weights.encoder[i], S, S, n->s_len, false);
            ck_rows(n->weights.decoder[i], T, T, n->s_len, true);
            ck_rows(n->weights.cross[i], T, S, n->s_len, false);
        }
        net_free(n);
    }
}
END_TEST

START_TEST(a_decoder_alone)
{
    Net *n = net_new(false, PRE_NORM);
    for (int i = 0; i < L; i++) {
        ck_assert(!n->weights.encoder[i] && !n->weights.cross[i]);
        ck_rows(n->weights.decoder[i], T, T, n->s_len, true);
    }
    net_free(n);
}
END_TEST

/* Returns q . k / sqrt(D) of head h in layer 0, whose input is the embeddings times sqrt(C). */
static double score(const MultiHead *a, const real *from, const real *to, int h)
{
    double e = 0;
    for (int d = h * C / H; d < (h + 1) * C / H; d++) {
        double q = (double)a->q.b->data[d], k = (double)a->k.b->data[d];
        for (int c = 0; c < C; c++) {
            q += sqrt(C) * (double)from[c] * (double)a->q.w->data[c * C + d];
            k += sqrt(C) * (double)to[c] * (double)a->k.w->data[c * C + d];
        }
        e += q * k;
    }
    return e / sqrt(C / H);
}

static void ck_first_layer(const MultiHead *a, const Tensor *embed, const int *ids, int steps,
                           const int *len, const real *p)
{
    for (int i = 0; i < B * H * steps; i++, p += steps) {
        const int b = i / (H * steps), h = i / steps % H, t = i % steps;
        const int seen = len ? len[b] : t + 1;
        double e[S], sum = 0;
        for (int s = 0; s < seen; s++) {
            e[s] = exp(
                score(a, embed->data + ids[t * B + b] * C, embed->data + ids[s * B + b] * C, h));
            sum += e[s];
        }
        for (int s = 0; s < seen; s++) ck_assert_double_eq_tol((double)p[s], e[s] / sum, 1e-4);
    }
}

/* Heads, steps and sequences are in the documented order. */
START_TEST(the_first_layer_by_hand)
{
    Net *n = net_new(true, POST_NORM);
    ck_first_layer(&n->m.encoder[0].self, n->m.source_embed, n->s, S, n->s_len,
                   n->weights.encoder[0]);
    ck_first_layer(&n->m.decoder[0].self, n->m.target_embed, n->x, T, NULL, n->weights.decoder[0]);
    net_free(n);
}
END_TEST

/* The alignment of a translation is the mean over the heads of the last layer. */
START_TEST(alignment_is_their_mean)
{
    Net *n = net_new(true, PRE_NORM);
    TransformerCache cache = transformer_cache_init(&n->m);
    const Translator t = transformer_cache_translator(&cache);
    int source[S], output[T], x[T];
    for (int i = 0; i < S; i++) source[i] = n->s[i * B];
    for (int i = 0; i < T; i++) output[i] = n->x[i * B], x[i] = i ? output[i - 1] : BOS;
    real weight[T * S];
    t.align(t.self, source, S, output, T, weight);
    int len = S;
    const Batch one = {.T = T, .B = 1, .x = x, .S = S, .s = source, .s_len = &len};
    const AttentionWeights weights = transformer_attention_weights(&n->tp, &n->m, &one);
    for (int i = 0; i < T * S; i++) {
        double mean = 0;
        for (int h = 0; h < H; h++) mean += (double)weights.cross[L - 1][h * T * S + i] / H;
        ck_assert_double_eq_tol((double)weight[i], mean, 1e-6);
    }
    transformer_cache_free(&cache);
    net_free(n);
}
END_TEST

START_TEST(a_batch_without_its_source)
{
    Net *n = net_new(true, PRE_NORM);
    n->batch.S = 0;
    transformer_attention_weights(&n->tp, &n->m, &n->batch);
}
END_TEST

SUITE("transformer_heads",
      TESTS(rows_are_distributions, a_decoder_alone, the_first_layer_by_hand,
            alignment_is_their_mean),
      ABORTS(a_batch_without_its_source))
