#include "decoding/decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_decoder(const Decoder *d, int limit)
{
    CHECK(limit >= 1, "decode: limit %d", limit);
    CHECK(d->bos >= 0 && d->bos < d->vocab && d->eos >= 0 && d->eos < d->vocab &&
              d->pad < d->vocab && d->unk < d->vocab,
          "decode: BOS %d, EOS %d, PAD %d, UNK %d of %d tokens", d->bos, d->eos, d->pad, d->unk,
          d->vocab);
    CHECK(d->eos != d->bos && d->eos != d->pad && d->eos != d->unk,
          "decode: EOS %d is BOS, PAD or UNK too", d->eos);
}

static bool may_be_produced(const Decoder *d, int token)
{
    return token != d->bos && token != d->pad && token != d->unk;
}

/* Returns log sum exp(logits), without the logits that are NaN; in double, like every log p
 * here. */
static double log_sum(const real *logits, int V)
{
    double max = -INFINITY, sum = 0;
    for (int i = 0; i < V; i++) max = fmax(max, (double)logits[i]); /* fmax ignores NaN */
    if (!isfinite(max)) return max;
    for (int i = 0; i < V; i++)
        if (!isnan(logits[i])) sum += exp((double)logits[i] - max);
    return max + log(sum);
}

/* Returns log p of a hypothesis extended by one token. A NaN from a broken model counts as
 * probability 0, so that decoding still ends, with log p = -inf. */
static double extended(double log_p, real logit, double log_total)
{
    const double p = (double)logit - log_total;
    return log_p + (isnan(p) ? -INFINITY : p); /* eq 13.3 */
}

/* --- greedy --------------------------------------------------------------------------------------- */

int decode_greedy(const Decoder *d, int limit, int *out, double *log_probability)
{
    check_decoder(d, limit);
    real *logits = xmalloc((size_t)d->vocab * sizeof *logits);
    const int parent = 0;
    int token = d->bos, len = 0;
    double log_p = 0;
    while (len < limit && token != d->eos) {
        d->step(d->self, 1, &parent, &token, logits);
        const double total = log_sum(logits, d->vocab);
        double best = -INFINITY;
        int likeliest = -1;
        for (int i = 0; i < d->vocab; i++) {
            const double p = extended(log_p, logits[i], total);
            if (!may_be_produced(d, i) || (likeliest >= 0 && !(p > best))) continue;
            best = p;
            likeliest = i;
        }
        token = likeliest;
        log_p = best;
        if (token != d->eos) out[len++] = token;
    }
    free(logits);
    if (log_probability) *log_probability = log_p;
    return len;
}

/* --- beam search ---------------------------------------------------------------------------------- */

/* A hypothesis of the previous step, extended by one token. */
typedef struct {
    int parent, token;
    double log_p;
} Candidate;

typedef struct {
    const Decoder *d;
    Beam beam;
    int limit;
    int n;               /* unfinished hypotheses, the best first; at most K */
    int *prefix, *older; /* (K,limit) their tokens; their tokens at the previous step */
    double *log_p;       /* (K) */
    int *parent, *token; /* (K) the input of the model's next step */
    real *logits;        /* (K,V) */
    Candidate *kept;     /* (K) */
    Hypothesis best;     /* the best finished hypothesis */
    bool found;          /* best is set */
} Search;

static Search search_new(const Decoder *d, Beam beam, int limit)
{
    const size_t K = (size_t)beam.width;
    Search s = {.d = d, .beam = beam, .limit = limit, .n = 1};
    s.prefix = xmalloc(K * limit * sizeof *s.prefix);
    s.older = xmalloc(K * limit * sizeof *s.older);
    s.log_p = xcalloc(K, sizeof *s.log_p);
    s.parent = xcalloc(K, sizeof *s.parent);
    s.token = xcalloc(K, sizeof *s.token);
    s.logits = xmalloc(K * d->vocab * sizeof *s.logits);
    s.kept = xmalloc(K * sizeof *s.kept);
    s.best.token = xmalloc((size_t)limit * sizeof *s.best.token);
    s.token[0] = d->bos;
    return s;
}

/* Frees everything except s->best, which the caller gets. */
static void search_free(Search *s)
{
    free(s->prefix), free(s->older), free(s->log_p);
    free(s->parent), free(s->token), free(s->logits), free(s->kept);
}

/* Returns lp(Y) of Wu et al. 2016, eq 14. */
static double length_penalty(int length, double alpha)
{
    return pow((5 + length) / 6.0, alpha);
}

/* Keeps the K best candidates by insertion sort and returns their number. Candidates come in the
 * order (parent, token); of equal ones the first stays first. */
static int keep_best(const Search *s)
{
    const int V = s->d->vocab, K = s->beam.width;
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        const real *logits = s->logits + (size_t)i * V;
        const double total = log_sum(logits, V);
        for (int token = 0; token < V; token++) {
            const double p = extended(s->log_p[i], logits[token], total);
            if (!may_be_produced(s->d, token) || (n == K && p <= s->kept[n - 1].log_p)) continue;
            int at = n < K ? n++ : K - 1;
            for (; at > 0 && s->kept[at - 1].log_p < p; at--) s->kept[at] = s->kept[at - 1];
            s->kept[at] = (Candidate){i, token, p};
        }
    }
    return n;
}

/* Makes hypothesis i (row i of tokens (K,limit), len tokens) the best one if its score is the
 * highest so far. */
static void compete(Search *s, const int *tokens, int i, int len, double log_p, bool finished)
{
    const double score = log_p / length_penalty(len + finished, s->beam.alpha); /* eq 13.4 */
    if (s->found && !(score > s->best.score)) return;
    int *copy = s->best.token;
    memcpy(copy, tokens + (size_t)i * s->limit, (size_t)len * sizeof *copy);
    s->best = (Hypothesis){copy, len, finished, log_p, score};
    s->found = true;
}

/* Extends the hypotheses by the kept candidates: a candidate with EOS is finished and competes,
 * every other one becomes an unfinished hypothesis of len + 1 tokens. */
static void go_on(Search *s, int kept, int len)
{
    int *const before = s->prefix;
    s->prefix = s->older;
    s->older = before;
    s->n = 0;
    for (int k = 0; k < kept; k++) {
        const Candidate c = s->kept[k];
        if (c.token == s->d->eos) {
            compete(s, before, c.parent, len, c.log_p, true);
            continue;
        }
        int *to = s->prefix + (size_t)s->n * s->limit;
        memcpy(to, before + (size_t)c.parent * s->limit, (size_t)len * sizeof *to);
        to[len] = c.token;
        s->log_p[s->n] = c.log_p;
        s->parent[s->n] = c.parent;
        s->token[s->n++] = c.token;
    }
}

/* Returns true if an unfinished hypothesis can still win. Its score is bounded: the first
 * hypothesis has the highest log p, log p never grows with length, and lp is largest at the
 * limit. */
static bool can_win(const Search *s)
{
    const double bound = s->log_p[0] / length_penalty(s->limit, s->beam.alpha);
    return s->n > 0 && (!s->found || bound > s->best.score);
}

Hypothesis decode_beam(const Decoder *d, Beam beam, int limit)
{
    check_decoder(d, limit);
    CHECK(beam.width >= 1 && beam.alpha >= 0 && isfinite(beam.alpha),
          "decode_beam: width %d, alpha %g", beam.width, beam.alpha);
    Search s = search_new(d, beam, limit);
    int len = 0;
    for (; len < limit && can_win(&s); len++) {
        d->step(d->self, s.n, s.parent, s.token, s.logits);
        go_on(&s, keep_best(&s), len);
    }
    if (can_win(&s))
        for (int i = 0; i < s.n; i++) compete(&s, s.prefix, i, len, s.log_p[i], false);
    search_free(&s);
    return s.best;
}

void hypothesis_free(Hypothesis *h)
{
    free(h->token);
    *h = (Hypothesis){0};
}
