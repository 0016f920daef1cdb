/* Decoding with encoder-decoder networks of every kind, a step at a time, against the same networks
 * fed the whole output at once. */
#include "seq2seq_help.h"

#include "seq2seq_attention/decoder.h"
#include "nn/optim.h"
#include "data/pairs.h"

enum { V_SOURCE = 9, V = 8, SOURCES = 4, LIMIT = 9 };

/* A network, and what decodes with it; must not move. */
typedef struct {
    Network *n;
    Seq2seqDecoder decoder;
    Translator translator;
} Decoding;

static Decoding *decoding_new(const Seq2seqConfig *c, int source_vocab, int vocab)
{
    Decoding *d = xmalloc(sizeof *d);
    d->n = network_new(c, source_vocab, vocab);
    d->decoder = seq2seq_decoder_init(&d->n->net);
    d->translator = seq2seq_decoder_translator(&d->decoder);
    return d;
}

static void decoding_free(Decoding *d)
{
    seq2seq_decoder_free(&d->decoder);
    network_free(d->n);
    free(d);
}

static void read_source(const Decoding *d, const int *source, int S)
{
    d->translator.read(d->translator.self, source, S);
}

/* --- the whole output at once --------------------------------------------------------------------- */

static Batch batch_of_one(const int *source, int S, const int *output, int T)
{
    Batch b = batch_of(S, T + 1, 1);
    pair_put(source, S, output, T, &b, 0);
    return b;
}

/* Logits (T+1,V) of what comes after each beginning of an output, from none of it to all. */
static real *forced(const Decoding *d, const int *source, int S, const int *output, int T)
{
    Batch b = batch_of_one(source, S, output, T);
    real *logits = logits_of(d->n, &b);
    batch_free(&b);
    return logits;
}

/* log p of an output as the loss of training counts it; not finished: without its EOS. */
static double forced_log_p(const Decoding *d, const int *source, int S, const int *output, int T,
                           bool finished)
{
    Batch b = batch_of_one(source, S, output, T);
    Tape tp = {.frozen = true};
    if (!finished) b.y[T] = -1;
    const double loss = (double)model_loss(&tp, &d->n->model, &b, NULL, NULL).mean->data[0];
    tape_free(&tp), batch_free(&b);
    return -loss * (T + finished);
}

static void ck_logits(const char *what, const real *got, const real *want)
{
    for (int k = 0; k < V; k++)
        ck_assert_msg(fabs((double)(got[k] - want[k])) < 1e-5, "%s: logit %d is %g, not %g", what,
                      k, (double)got[k], (double)want[k]);
}

/* --- steps ---------------------------------------------------------------------------------------- */

/* The source before this one leaves nothing behind. */
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

/* Hypotheses that change places, are dropped, go on twice, and become more or fewer: each goes on
 * from its own history. */
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
        d->n->net.head.b->data[EOS] = (real)0.3; /* so that some outputs end */
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
    ck_assert_int_gt(finished, 20); /* both were put to the test */
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

/* --- every output there is ------------------------------------------------------------------------ */

enum { FEW = 6, SHORT = 3, WIDE = 64 }; /* words in all; steps; more than there are beginnings */

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
    for (int next = UNK; next < FEW && !cut; next++) {
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
        Tensor *head =
            d->n->net.head.w; /* surer than it is, or the shortest output would be best */
        for (int k = 0; k < head->len; k++) head->data[k] *= 8;
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

/* --- where attention looks ------------------------------------------------------------------------ */

/* The weights (T,S) of the steps of an output, from the model itself. */
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

/* Of a source that is read from its end the weights stand in the order of the source. */
static void check_alignment(const Seq2seqConfig *c)
{
    Decoding *d = decoding_new(c, V_SOURCE, V);
    Seq2seqConfig plain = *c;
    plain.reverse = false;
    Network *n = network_new(&plain, V_SOURCE, V); /* the same weights */
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

/* x (H) times w (H,H), or x itself. */
static void times(const real *x, const Tensor *w, int H, double *y)
{
    for (int j = 0; j < H; j++) {
        y[j] = w ? 0 : (double)x[j];
        for (int k = 0; k < H && w; k++) y[j] += (double)x[k] * (double)w->data[k * H + j];
    }
}

/* The score of the decoder's state s and the encoder's output h: s h, s (h W), or v tanh(s W + h U). */
static double score_of(const AttentionLayer *a, const real *s, const real *h, int H)
{
    double query[MOST_HIDDEN], key[MOST_HIDDEN], e = 0;
    times(s, a->query, H, query), times(h, a->key, H, key);
    for (int j = 0; j < H; j++)
        e += a->score ? (double)a->score->data[j] * tanh(query[j] + key[j]) : query[j] * key[j];
    return e;
}

/* Attention by its definition: the softmax of the scores, of the last layer's state before the step
 * (additive) or after it (Luong's). */
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
            ck_assert_msg(fabs((double)s.weights[i] - e[i] / sum) < 1e-6, "%s: step %d looks at %d",
                          words_of(c), t, i);
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

/* --- a trained network ---------------------------------------------------------------------------- */

enum { LENGTH = 8, HELD_OUT = 500 };

/* Far from perfect, so that the likeliest token is often not the beginning of the likeliest output. */
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
        no_worse += h.log_probability >= greedy - 1e-4; /* as many hypotheses, other products */
        better += h.log_probability > greedy + 1e-4;
        greedy_sum += greedy, beam_sum += h.log_probability;
        hypothesis_free(&h);
    }
    ck_assert_int_ge(no_worse, HELD_OUT * 99 / 100);
    ck_assert_int_ge(better, HELD_OUT / 10); /* or there was nothing to find */
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
            a_beam_of_one_is_greedy, a_wide_beam_finds_the_best, alignment_is_that_of_the_model,
            attention_by_definition, a_beam_finds_likelier_outputs),
      NO_ABORTS)
