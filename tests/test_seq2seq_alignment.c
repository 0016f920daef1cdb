/* The attention weights that a decoder returns equal those of the model and of the definition. */
#include "seq2seq_decoding.h"

/* --- attention weights ---------------------------------------------------------------------------- */

/* Writes the attention weights (T,S) of the steps of an output, from the model. */
static void look_at_once(const Seq2seq *m, const Numbered *p, real *weight)
{
    Tape tp = {.frozen = true};
    const Memory memory = seq2seq_encode(&tp, m, p->source, &p->S, p->S, 1, NULL);
    DecoderState s = seq2seq_start(&tp, m, &memory);
    for (int t = 0; t < p->T; t++) {
        seq2seq_step(&tp, m, &memory, t ? &p->target[t - 1] : &(int){BOS}, &s);
        memcpy(weight + t * p->S, s.weights, (size_t)p->S * sizeof *weight);
    }
    tape_free(&tp);
}

static Numbered turned_round(Numbered p)
{
    const Numbered q = p;
    for (int i = 0; i < q.S; i++) p.source[i] = q.source[q.S - 1 - i];
    return p;
}

/* If a source is read backwards, its weights are still in the order of the source. */
static void check_alignment(const Seq2seqConfig *c)
{
    Decoding *d = decoding_new(c, V_SOURCE, V);
    Seq2seqConfig plain = *c;
    plain.reverse = false;
    Network *n = network_new(&plain, V_SOURCE, V); /* the same parameters */
    for (int k = 0; k < SOURCES; k++) {
        const Numbered p = numbered(k, V_SOURCE, V), fed = c->reverse ? turned_round(p) : p;
        real got[LONGEST_TARGET * LONGEST_SOURCE], want[LONGEST_TARGET * LONGEST_SOURCE];
        d->translator.align(d->translator.self, p.source, p.S, p.target, p.T, got);
        look_at_once(&n->net, &fed, want);
        for (int t = 0; t < p.T; t++) {
            double sum = 0;
            for (int i = 0; i < p.S; i++) {
                const int there = c->reverse ? p.S - 1 - i : i;
                ck_assert_double_eq_tol((double)got[t * p.S + i], (double)want[t * p.S + there],
                                        1e-6);
                sum += (double)got[t * p.S + i];
            }
            ck_assert_double_eq_tol(sum, 1, 1e-5);
        }
    }
    network_free(n), decoding_free(d);
}

START_TEST(alignment_is_that_of_the_model)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        if (i % 5) {
            check_alignment(&c);
        } else {
            Decoding *d = decoding_new(&c, V_SOURCE, V);
            ck_assert(d->translator.align == NULL);
            decoding_free(d);
        }
    }
}
END_TEST

enum { MOST_HIDDEN = 16 };

/* Writes x (H) times w (H,H), or x itself if w is NULL. */
static void times(const real *x, const Tensor *w, int H, double *y)
{
    for (int j = 0; j < H; j++) {
        y[j] = w ? 0 : (double)x[j];
        for (int k = 0; k < H && w; k++) y[j] += (double)x[k] * (double)w->data[k * H + j];
    }
}

/* Returns the score of the decoder's state s and the encoder's output h: s h, s (h W), or v tanh(s W + h U). */
static double score_of(const AttentionLayer *a, const real *s, const real *h, int H)
{
    double query[MOST_HIDDEN], key[MOST_HIDDEN], e = 0;
    times(s, a->query, H, query), times(h, a->key, H, key);
    for (int j = 0; j < H; j++)
        e += a->score ? (double)a->score->data[j] * tanh(query[j] + key[j]) : query[j] * key[j];
    return e;
}

/* Attention by its definition: the softmax of the scores. The query is the last layer's state before the
 * step (additive) or after it (Luong's forms). */
static void check_definition(const Seq2seqConfig *c, const Numbered *p)
{
    Network *n = network_new(c, V_SOURCE, V);
    const AttentionLayer *a = &n->net.attention;
    const int H = c->hidden;
    Tape tp = {.frozen = true};
    const Memory memory = seq2seq_encode(&tp, &n->net, p->source, &p->S, p->S, 1, NULL);
    DecoderState s = seq2seq_start(&tp, &n->net, &memory);
    for (int t = 0; t < p->T; t++) {
        const real *before = s.cell[1].h->data;
        double e[LONGEST_SOURCE], sum = 0;
        seq2seq_step(&tp, &n->net, &memory, t ? &p->target[t - 1] : &(int){BOS}, &s);
        const real *state = a->kind == ADDITIVE ? before : s.cell[1].h->data;
        for (int i = 0; i < p->S; i++)
            sum += e[i] = exp(score_of(a, state, memory.state->data + (size_t)i * H, H));
        for (int i = 0; i < p->S; i++)
            ck_assert_msg(fabs((double)s.weights[i] - e[i] / sum) < 1e-6,
                          "%s: step %d, weight of %d", words_of(c), t, i);
    }
    tape_free(&tp), network_free(n);
}

START_TEST(attention_by_definition)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        for (int k = 0; k < SOURCES && kind_of_network(i, &c) && i % 5; k++) {
            const Numbered p = numbered(k, V_SOURCE, V);
            check_definition(&c, &p);
        }
}
END_TEST

SUITE("seq2seq_alignment", TESTS(alignment_is_that_of_the_model, attention_by_definition),
      NO_ABORTS)
