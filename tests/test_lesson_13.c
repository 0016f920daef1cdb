/* Lesson 13: the examples that the page calculates by hand. Greedy decoding and a beam, a score that
 * counts the length, the state after the last true step of a padded batch; and an output is completely
 * right with the true words as input exactly if it is right with the model's own words. */
#include "by_hand.h"
#include "nn/cell.h"
#include "decoding/decode.h"
#include "seq2seq_help.h"

/* --- decoding ----------------------------------------------------------------------------------- */

enum { A = FIRST_PIECE, B, VOCAB };

/* A decoder whose next word depends only on the last word; p[BOS] is for the first. */
typedef struct {
    real p[VOCAB][VOCAB]; /* [last word][next word] */
    int calls;
} Chain;

static void chain_step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Chain *c = self;
    (void)parent;
    c->calls++;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < VOCAB; k++)
            logits[i * VOCAB + k] = (real)log((double)c->p[token[i]][k]);
}

static Decoder decoder_of(Chain *c)
{
    return (Decoder){
        .self = c, .vocab = VOCAB, .bos = BOS, .eos = EOS, .pad = PAD, .step = chain_step};
}

/* A has .6, then A .3, B .3 or EOS .4; B has .4, then A .1 or EOS .9. Greedy decoding finds .6 * .4 = .24,
 * a beam of two .4 * .9 = .36. */
START_TEST(greedy_loses)
{
    Chain c = {.p = {[BOS] = {[A] = 0.6f, [B] = 0.4f},
                     [A] = {[A] = 0.3f, [B] = 0.3f, [EOS] = 0.4f},
                     [B] = {[A] = 0.1f, [EOS] = 0.9f}}};
    const Decoder d = decoder_of(&c);
    int out[8];
    double log_p;
    ck_assert_int_eq(decode_greedy(&d, 8, out, &log_p), 1);
    ck_assert_int_eq(out[0], A);
    ck_assert_double_eq_tol(exp(log_p), 0.24, 1e-6);
    Hypothesis h = decode_beam(&d, (Beam){2, 0}, 8);
    ck_assert(h.finished && h.len == 1 && h.token[0] == B);
    ck_assert_double_eq_tol(exp(h.log_probability), 0.36, 1e-6);
    hypothesis_free(&h);
}
END_TEST

/* EOS at once has .42; A B has .58 * .7 * .95 = .3857. Divided by the length penalty: log .42 / (6/6) =
 * -.868, log .3857 / (8/6) = -.715. */
START_TEST(the_length_counts)
{
    Chain c = {.p = {[BOS] = {[A] = 0.58f, [EOS] = 0.42f},
                     [A] = {[A] = 0.3f, [B] = 0.7f},
                     [B] = {[A] = 0.05f, [EOS] = 0.95f}}};
    const Decoder d = decoder_of(&c);
    Hypothesis h = decode_beam(&d, (Beam){2, 0}, 8);
    ck_assert_int_eq(h.len, 0);
    ck_assert_double_eq_tol(h.score, -0.8675, 1e-4);
    hypothesis_free(&h);
    h = decode_beam(&d, (Beam){2, 1}, 8);
    ck_assert(h.len == 2 && h.token[0] == A && h.token[1] == B);
    ck_assert_double_eq_tol(h.score, -0.7145, 1e-4);
    hypothesis_free(&h);
}
END_TEST

/* Without EOS greedy decoding continues to the limit. */
START_TEST(no_end)
{
    Chain c = {.p = {[BOS] = {[A] = 1}, [A] = {[B] = 1}, [B] = {[A] = 1}}};
    const Decoder d = decoder_of(&c);
    int out[9];
    ck_assert_int_eq(decode_greedy(&d, 9, out, NULL), 9);
    ck_assert_int_eq(c.calls, 9);
    ck_assert(out[0] == A && out[7] == B && out[8] == A);
}
END_TEST

/* --- the last true step --------------------------------------------------------------------------- */

/* One unit, U = 0.5, as in lesson 09: the first source gives 0.6, 0.6, 0.8; the second ends after 0.6. If
 * the network read its padding (z = 0), the state would become tanh(0.3) = 0.2913, then 0.1446. */
START_TEST(last_true_step)
{
    const real ln2 = (real)0.69314718056, ln3 = (real)1.09861228867;
    const int len[] = {3, 1};
    Tape tp = {0};
    const Cell cell = {.kind = CELL_RNN, .H = 1, .u = GIVEN(&tp, SHAPE(1, 1), 0.5f)};
    Tensor *z = GIVEN(&tp, SHAPE(3, 2, 1), ln2, ln2, ln2 - 0.3f, 0, ln3 - 0.3f, 0);
    CellState s = cell_zeros(&tp, &cell, 2), wrong = s;
    cell_run(&tp, &cell, sequence_of(z), &s, len);
    CK(s.h->data, 0.8f, 0.6f);
    cell_run(&tp, &cell, sequence_of(z), &wrong, NULL);
    CK(wrong.h->data, 0.8f, (real)0.14463485);
    BACKWARD(&tp, s.h, 0, 1);
    CK(z->grad, 0, 0.64f, 0, 0, 0, 0); /* no gradient from the padding */
    tape_free(&tp);
}
END_TEST

/* --- reading and writing --------------------------------------------------------------------------- */

static const Seq2seqConfig plain = {
    .cell = CELL_GRU, .attention = NO_ATTENTION, .layers = 1, .channels = 5, .hidden = 12};

static int likeliest(const real *logits, int n)
{
    int best = EOS; /* PAD and BOS are never produced */
    for (int i = EOS; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

typedef struct {
    const Network *n;
    const Memory *memory;
    DecoderState state;
    Tape *tp;
} Writer;

static void writer_step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Writer *w = self;
    (void)parent;
    ck_assert_int_eq(n, 1);
    const Tensor *z = seq2seq_step(w->tp, &w->n->net, w->memory, token, &w->state);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
}

/* With its own greedy output as input the network predicts that output and EOS. With another word at i it
 * predicts all words before i and misses the one at i. */
START_TEST(forced_or_free)
{
    enum { WORDS = 9, STEPS = 6 };
    Tape tp = {.frozen = true};
    Network *n = network_new(&plain, WORDS, WORDS);
    int ended = 0;
    for (int k = 0; k < 60; k++) {
        const Numbered p = numbered(k, WORDS, WORDS);
        const Memory memory = seq2seq_encode(&tp, &n->net, p.source, &p.S, p.S, 1, NULL);
        Writer w = {n, &memory, seq2seq_start(&tp, &n->net, &memory), &tp};
        const Decoder d = {
            .self = &w, .vocab = WORDS, .bos = BOS, .eos = EOS, .pad = PAD, .step = writer_step};
        int own[STEPS + 1];
        const int len = decode_greedy(&d, STEPS, own, NULL);
        own[len] = EOS;
        for (int i = 0; i < len; i++) {
            int x[STEPS + 1] = {BOS}, wrong_at = -1;
            memcpy(x + 1, own, (size_t)len * sizeof *x);
            x[1 + i] = own[i] == WORDS - 1 ? UNK : own[i] + 1;
            const Batch batch = {
                .T = len, .B = 1, .x = x, .S = p.S, .s = (int *)p.source, .s_len = (int *)&p.S};
            real *z = logits_of(n, &batch);
            for (int t = len - 1; t >= 0; t--)
                if (likeliest(z + (size_t)t * WORDS, WORDS) != x[t + 1]) wrong_at = t;
            ck_assert_int_eq(wrong_at, i);
            free(z);
        }
        ended += len < STEPS;
        tape_reset(&tp);
    }
    ck_assert_int_gt(ended, 0);
    tape_free(&tp), network_free(n);
}
END_TEST

/* Reading a source backwards equals reading the reversed source forwards. */
START_TEST(reversed_source)
{
    Seq2seqConfig turned = plain;
    turned.reverse = true;
    Network *there = network_new(&plain, 9, 9), *back = network_new(&turned, 9, 9);
    int abc[] = {4, 5, 6}, cba[] = {6, 5, 4}, x[] = {BOS, 7}, len[] = {3};
    const Batch one = {.T = 2, .B = 1, .x = x, .S = 3, .s = cba, .s_len = len};
    const Batch other = {.T = 2, .B = 1, .x = x, .S = 3, .s = abc, .s_len = len};
    real *a = logits_of(there, &one), *b = logits_of(back, &other), *c = logits_of(there, &other);
    ck_assert_mem_eq(a, b, 2 * 9 * sizeof *a);
    ck_assert(memcmp(a, c, 2 * 9 * sizeof *a) != 0); /* the order matters */
    free(a), free(b), free(c);
    network_free(there), network_free(back);
}
END_TEST

SUITE("lesson_13",
      TESTS(greedy_loses, the_length_counts, no_end, last_true_step, forced_or_free,
            reversed_source),
      NO_ABORTS)
