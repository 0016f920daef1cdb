/* Decoding step by step with every kind of encoder-decoder network, against the same network with the
 * whole output as input. */
#include "seq2seq_help.h"

#include "seq2seq_attention/decoder.h"
#include "nn/optim.h"
#include "data/pairs.h"

#include "seq2seq_decoding.h"

/* --- steps ---------------------------------------------------------------------------------------- */

/* An earlier source does not change the results of the next one. */
START_TEST(a_step_at_a_time)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        Decoding *d = decoding_new(&c, V_SOURCE, V);
        for (int k = 0; k < SOURCES; k++) {
            const Numbered p = numbered(k, V_SOURCE, V);
            real *want = forced(d, p.source, p.S, p.target, p.T), got[V];
            read_source(d, p.source, p.S);
            for (int t = 0; t <= p.T; t++) {
                const int parent = 0, token = t ? p.target[t - 1] : BOS;
                d->translator.decoder.step(d->translator.self, 1, &parent, &token, got);
                ck_logits(words_of(&c), got, want + t * V);
            }
            free(want);
        }
        decoding_free(d);
    }
}
END_TEST

/* Hypotheses are reordered, dropped and duplicated, and their number changes: each continues from its own
 * history. */
static void check_hypotheses(const Seq2seqConfig *c)
{
    enum { STEPS = 6, MOST = 5 };
    static const struct {
        int n, parent[MOST];
    } step[STEPS] = {{1, {0}},    {3, {0, 0, 0}},   {3, {2, 0, 1}}, {5, {1, 1, 0, 2, 2}},
                     {2, {4, 3}}, {4, {1, 0, 0, 1}}};
    Decoding *d = decoding_new(c, V_SOURCE, V);
    const Numbered p = numbered(0, V_SOURCE, V);
    int history[MOST][STEPS] = {{0}}, before[MOST][STEPS];
    Rng rng = rng_make(8, RNG_TEST, 0);
    read_source(d, p.source, p.S);
    for (int t = 0; t < STEPS; t++) {
        real got[MOST * V];
        int token[MOST];
        memcpy(before, history, sizeof before);
        for (int i = 0; i < step[t].n; i++) {
            token[i] = t == 0 ? BOS : UNK + rng_below(&rng, V - UNK);
            memcpy(history[i], before[step[t].parent[i]], sizeof *history);
            if (t > 0) history[i][t - 1] = token[i];
        }
        d->translator.decoder.step(d->translator.self, step[t].n, step[t].parent, token, got);
        for (int i = 0; i < step[t].n; i++) {
            real *want = forced(d, p.source, p.S, history[i], t);
            ck_logits(words_of(c), got + i * V, want + t * V);
            free(want);
        }
    }
    decoding_free(d);
}

START_TEST(hypotheses_keep_their_histories)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_hypotheses(&c);
}
END_TEST

/* --- whole outputs -------------------------------------------------------------------------------- */

START_TEST(greedy_knows_its_probability)
{
    Seq2seqConfig c;
    int finished = 0, cut = 0;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        Decoding *d = decoding_new(&c, V_SOURCE, V);
        d->n->net.head.b->data[EOS] = (real)0.3; /* then some outputs end */
        for (int k = 0; k < SOURCES; k++) {
            const Numbered p = numbered(k, V_SOURCE, V);
            int out[LIMIT];
            double log_p;
            read_source(d, p.source, p.S);
            const int len = decode_greedy(&d->translator.decoder, LIMIT, out, &log_p);
            const double want = forced_log_p(d, p.source, p.S, out, len, len < LIMIT);
            ck_assert_msg(fabs(log_p - want) < 1e-4, "%s: %g, not %g", words_of(&c), log_p, want);
            finished += len < LIMIT, cut += len == LIMIT;
        }
        decoding_free(d);
    }
    ck_assert_int_gt(finished, 20); /* both cases occurred */
    ck_assert_int_gt(cut, 20);
}
END_TEST

START_TEST(a_beam_of_one_is_greedy)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        Decoding *d = decoding_new(&c, V_SOURCE, V);
        for (int k = 0; k < SOURCES; k++) {
            const Numbered p = numbered(k, V_SOURCE, V);
            int out[LIMIT];
            double log_p;
            read_source(d, p.source, p.S);
            const int len = decode_greedy(&d->translator.decoder, LIMIT, out, &log_p);
            read_source(d, p.source, p.S);
            Hypothesis h = decode_beam(&d->translator.decoder, (Beam){.width = 1}, LIMIT);
            ck_assert_int_eq(h.len, len);
            ck_assert_mem_eq(h.token, out, (size_t)len * sizeof *out);
            ck_assert(h.log_probability == log_p);
            hypothesis_free(&h);
        }
        decoding_free(d);
    }
}
END_TEST

/* --- every possible output ------------------------------------------------------------------------ */

enum { FEW = 7, SHORT = 3, WIDE = 64 }; /* vocabulary; steps; more than the number of prefixes */

typedef struct {
    int token[SHORT], len;
    double log_p;
} Best;

static void try_all(const Decoding *d, const Numbered *p, int *token, int len, Best *best)
{
    const bool cut = len == SHORT;
    const double log_p = forced_log_p(d, p->source, p->S, token, len, !cut);
    if (log_p > best->log_p) {
        *best = (Best){.len = len, .log_p = log_p};
        memcpy(best->token, token, (size_t)len * sizeof *token);
    }
    for (int next = FIRST_PIECE; next < FEW && !cut; next++) {
        token[len] = next;
        try_all(d, p, token, len + 1, best);
    }
}

START_TEST(a_wide_beam_finds_the_best)
{
    Seq2seqConfig c;
    int longer = 0;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        Decoding *d = decoding_new(&c, V_SOURCE, FEW);
        const Numbered p = numbered(i, V_SOURCE, FEW);
        Tensor *head = d->n->net.head.w; /* sharper, or the shortest output would be best */
        for (int k = 0; k < head->len; k++) head->data[k] *= 24;
        Best best = {.log_p = -INFINITY};
        int token[SHORT];
        try_all(d, &p, token, 0, &best);
        read_source(d, p.source, p.S);
        Hypothesis h = decode_beam(&d->translator.decoder, (Beam){.width = WIDE}, SHORT);
        ck_assert_msg(h.len == best.len &&
                          memcmp(h.token, best.token, (size_t)h.len * sizeof *token) == 0,
                      "%s", words_of(&c));
        ck_assert_double_eq_tol(h.log_probability, best.log_p, 1e-4);
        longer += h.len > 1;
        hypothesis_free(&h);
        decoding_free(d);
    }
    ck_assert_int_gt(longer, 20);
}
END_TEST

/* --- a trained network ---------------------------------------------------------------------------- */

enum { LENGTH = 8, HELD_OUT = 500 };

/* Far from perfect: the most likely output often begins with another token than the most likely one. */
static void train(Network *n, const Task *task, int steps)
{
    Optim o = optim_init(OPTIM_ADAMW, &n->ps, 0.9, 0.99, 0);
    Batch batch = batch_new();
    Tape tp = {0};
    for (int step = 1; step <= steps; step++) {
        Rng rng = rng_make(1, RNG_BATCH, (uint32_t)step);
        task_batch(task, SPLIT_TRAIN, 0, &rng, 32, &batch);
        tape_backward(&tp, model_loss(&tp, &n->model, &batch, NULL, NULL).mean);
        params_clip(&n->ps, 1);
        optim_step(&o, &n->ps, 0.01);
        tape_reset(&tp);
    }
    tape_free(&tp), batch_free(&batch), optim_free(&o);
}

static void compare_beam(const Decoding *d, const Task *task)
{
    Batch batch = batch_new();
    int no_worse = 0, better = 0;
    double greedy_sum = 0, beam_sum = 0;
    for (int i = 0; i < HELD_OUT; i++) {
        int out[3 * LENGTH];
        double greedy;
        task_heldout(task, SPLIT_TEST, 0, i, 1, &batch);
        read_source(d, batch.s, batch.S);
        decode_greedy(&d->translator.decoder, LEN(out), out, &greedy);
        read_source(d, batch.s, batch.S);
        Hypothesis h = decode_beam(&d->translator.decoder, (Beam){.width = 4}, LEN(out));
        no_worse += h.log_probability >= greedy - 1e-4; /* up to the rounding of other products */
        better += h.log_probability > greedy + 1e-4;
        greedy_sum += greedy, beam_sum += h.log_probability;
        hypothesis_free(&h);
    }
    ck_assert_int_ge(no_worse, HELD_OUT * 99 / 100);
    ck_assert_int_ge(better, HELD_OUT / 10); /* otherwise nothing was tested */
    ck_assert_double_gt(beam_sum, greedy_sum);
    batch_free(&batch);
}

START_TEST(a_beam_finds_likelier_outputs)
{
    static const struct {
        AttentionKind attention;
        int steps;
    } row[] = {{NO_ATTENTION, 900}, {DOT, 200}};
    for (int i = 0; i < LEN(row); i++) {
        PairsConfig data = pairs_defaults();
        data.task = "reverse", data.seq_len = LENGTH;
        Pairs pairs;
        Task task;
        Error err;
        ck_assert_msg(pairs_open(&pairs, &task, &data, NULL, NULL, &err), "%s", err.text);
        Seq2seqConfig c = seq2seq_defaults();
        c.attention = row[i].attention, c.channels = 16, c.hidden = 32;
        Decoding *d = decoding_new(&c, task.source_vocab, task.vocab);
        seq2seq_decoder_free(&d->decoder);
        train(d->n, &task, row[i].steps);
        d->decoder = seq2seq_decoder_init(&d->n->net);
        compare_beam(d, &task);
        decoding_free(d);
        pairs_close(&pairs), task_close(&task);
    }
}
END_TEST

SUITE("seq2seq_decoder",
      TESTS(a_step_at_a_time, hypotheses_keep_their_histories, greedy_knows_its_probability,
            a_beam_of_one_is_greedy, a_wide_beam_finds_the_best, a_beam_finds_likelier_outputs),
      NO_ABORTS)
