#include "measure/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"
#include "tokens/codes.h"

/* --- edit distance ---------------------------------------------------------------------------------- */

/* NFC makes at most 3 code points of one (UAX 15), which has 2 bytes or more then. */
enum { BEYOND_UNICODE = 0x110000, MOST_COMPOSED = 2 };

/* Returns the length of the valid UTF-8 that a string begins with. */
static size_t valid_length(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        int code;
        const int step = utf8_decode(s + i, len - i, &code);
        if (code < 0) return i;
        i += (size_t)step;
    }
    return len;
}

/* Returns the n code points of a string in NFC, which the caller frees. Invalid bytes become numbers beyond
 * Unicode. */
static int *code_points(const char *s, int *n)
{
    const size_t len = strlen(s);
    int *code = xmalloc((MOST_COMPOSED * len + 1) * sizeof *code);
    *n = 0;
    for (size_t i = 0, valid; i < len; i += valid) {
        valid = valid_length(s + i, len - i);
        Codes c = codes_of(s + i, valid, true);
        if (c.n) memcpy(code + *n, c.code, (size_t)c.n * sizeof *code);
        *n += c.n;
        codes_free(&c);
        if (i + valid < len) code[(*n)++] = BEYOND_UNICODE + (unsigned char)s[i + valid++];
    }
    return code;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* Computes the distance row by row: d[j] is the distance of a's first i code points from b's first j. */
static int distance(const int *a, int n, const int *b, int m)
{
    int *d = xmalloc(((size_t)m + 1) * sizeof *d);
    for (int j = 0; j <= m; j++) d[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = d[0]; /* d[j-1] of the row above */
        d[0] = i;
        for (int j = 1; j <= m; j++) {
            const int above = d[j], substituted = diagonal + (a[i - 1] != b[j - 1]);
            d[j] = min(substituted, 1 + min(above, d[j - 1]));
            diagonal = above;
        }
    }
    const int result = d[m];
    free(d);
    return result;
}

int edit_distance(const char *a, const char *b)
{
    int n, m, *x = code_points(a, &n), *y = code_points(b, &m);
    const int d = distance(x, n, y, m);
    free(x), free(y);
    return d;
}

void char_errors_add(CharErrors *e, const char *hypothesis, const char *reference)
{
    int n, m, *x = code_points(hypothesis, &n), *y = code_points(reference, &m);
    e->edits += distance(x, n, y, m);
    e->length += m;
    free(x), free(y);
}

double char_error_rate(const CharErrors *e)
{
    return e->length > 0 ? (double)e->edits / (double)e->length : NAN;
}

/* --- BLEU: counts --------------------------------------------------------------------------------- */

typedef struct {
    const char *start;
    int len;
    int place; /* among all tokens of all texts */
} Token;

/* The tokens of the hypothesis (text 0) and of its references as ids; equal tokens have equal ids. */
typedef struct {
    int texts;
    char **line;
    int *first; /* (texts + 1) where each text's tokens begin in id */
    int *id;
} Texts;

static int by_bytes(const void *a, const void *b)
{
    const Token *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return memcmp(x->start, y->start, (size_t)x->len);
}

static int add_tokens(const char *line, Token *token, int n)
{
    while (*line) {
        const int len = (int)strcspn(line, " ");
        token[n] = (Token){line, len, n};
        n++;
        line += len + (line[len] == ' ');
    }
    return n;
}

static Texts texts_new(BleuTokenizer tokenizer, const char *hypothesis,
                       const char *const *reference, int n)
{
    Texts t = {.texts = n + 1, .line = xmalloc(((size_t)n + 1) * sizeof *t.line)};
    t.first = xcalloc((size_t)n + 2, sizeof *t.first);
    size_t most = 0;
    for (int i = 0; i <= n; i++) {
        t.line[i] = bleu_tokenize(tokenizer, i == 0 ? hypothesis : reference[i - 1]);
        most += strlen(t.line[i]);
    }
    Token *token = xmalloc((most + 1) * sizeof *token);
    for (int i = 0; i <= n; i++) t.first[i + 1] = add_tokens(t.line[i], token, t.first[i]);

    const int tokens = t.first[n + 1];
    t.id = xmalloc(((size_t)tokens + 1) * sizeof *t.id);
    qsort(token, (size_t)tokens, sizeof *token, by_bytes);
    for (int i = 0, id = 0; i < tokens; i++) {
        if (i > 0 && by_bytes(&token[i - 1], &token[i]) != 0) id++;
        t.id[token[i].place] = id;
    }
    free(token);
    return t;
}

static void texts_free(Texts *t)
{
    for (int i = 0; i < t->texts; i++) free(t->line[i]);
    free(t->line), free(t->first), free(t->id);
}

typedef struct {
    const int *id; /* n of them */
    int n, text;
} Gram;

static int by_ids(const void *a, const void *b)
{
    const Gram *x = a, *y = b;
    for (int i = 0; i < x->n; i++)
        if (x->id[i] != y->id[i]) return x->id[i] < y->id[i] ? -1 : 1;
    return 0;
}

static int by_ids_and_text(const void *a, const void *b)
{
    const int order = by_ids(a, b);
    return order ? order : ((const Gram *)a)->text - ((const Gram *)b)->text;
}

/* Lists the n-grams of all texts; returns their number. */
static int list_grams(const Texts *t, int n, Gram *gram)
{
    int count = 0;
    for (int text = 0; text < t->texts; text++)
        for (int i = t->first[text]; i + n <= t->first[text + 1]; i++)
            gram[count++] = (Gram){t->id + i, n, text};
    return count;
}

/* Returns the number of matching n-grams of the hypothesis, each counted at most as often as in the
 * reference that has it most often. Sorting puts equal n-grams together: the hypothesis's first, then
 * each reference's. */
static int matches(const Texts *t, int n)
{
    Gram *gram = xmalloc(((size_t)t->first[t->texts] + 1) * sizeof *gram);
    const int count = list_grams(t, n, gram);
    int sum = 0;
    qsort(gram, (size_t)count, sizeof *gram, by_ids_and_text);
    for (int i = 0; i < count;) {
        int produced = 0, most = 0;
        const Gram *first = &gram[i];
        while (i < count && by_ids(first, &gram[i]) == 0) {
            const int text = gram[i].text, from = i;
            while (i < count && gram[i].text == text && by_ids(first, &gram[i]) == 0) i++;
            if (text == 0) produced = i - from;
            if (text > 0 && i - from > most) most = i - from;
        }
        sum += min(produced, most);
    }
    free(gram);
    return sum;
}

static int text_length(const Texts *t, int text)
{
    return t->first[text + 1] - t->first[text];
}

static int closest_length(const Texts *t)
{
    const int c = text_length(t, 0);
    int best = text_length(t, 1);
    for (int i = 2; i < t->texts; i++) {
        const int r = text_length(t, i), nearer = abs(r - c) - abs(best - c);
        if (nearer < 0 || (nearer == 0 && r < best)) best = r;
    }
    return best;
}

void bleu_add_any(Bleu *b, const char *hypothesis, const char *const *reference, int n)
{
    CHECK(n >= 1, "bleu_add_any: %d references", n);
    Texts t = texts_new(b->tokenizer, hypothesis, reference, n);
    const int c = text_length(&t, 0);
    for (int k = 0; k < BLEU_ORDER; k++) {
        b->match[k] += matches(&t, k + 1);
        b->total[k] += c > k ? c - k : 0;
    }
    b->hypothesis_length += c;
    b->reference_length += closest_length(&t);
    b->references = b->references == 0 || b->references == n ? n : -1;
    texts_free(&t);
}

void bleu_add(Bleu *b, const char *hypothesis, const char *reference)
{
    bleu_add_any(b, hypothesis, &reference, 1);
}

/* --- BLEU: the score ------------------------------------------------------------------------------ */

double bleu_brevity(const Bleu *b)
{
    if (b->hypothesis_length >= b->reference_length) return 1;
    if (b->hypothesis_length == 0) return 0;
    return exp(1 - (double)b->reference_length / (double)b->hypothesis_length);
}

double bleu_score(const Bleu *b)
{
    double sum = 0, share = 1;
    if (b->match[0] == 0) return 0; /* not even a word: nothing to smooth */
    for (int k = 0; k < BLEU_ORDER; k++) {
        double match = (double)b->match[k];
        if (b->total[k] == 0) return 0; /* every hypothesis is shorter than k + 1 tokens */
        if (match == 0 && b->smoothing == SMOOTH_NONE) return 0;
        if (match == 0) match = share /= 2;
        sum += log(100 * match / (double)b->total[k]);
    }
    return bleu_brevity(b) * exp(sum / BLEU_ORDER);
}

char *bleu_signature(const Bleu *b)
{
    static const char *const tokenizer[] = {"13a", "char", "none"};
    static const char *const smoothing[] = {"exp", "none"};
    char *references = b->references < 0 ? xstrdup("var") : xformat("%d", b->references);
    char *signature = xformat("nrefs:%s|case:mixed|eff:no|tok:%s|smooth:%s", references,
                              tokenizer[b->tokenizer], smoothing[b->smoothing]);
    free(references);
    return signature;
}
