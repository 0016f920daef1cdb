#include "programs/translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/alignment.h"
#include "system/plot.h"
#include "system/utf8.h"

TranslateConfig translate_defaults(void)
{
    return (TranslateConfig){.beam = 1, .alpha = 0.6};
}

/* --- a held-out pair, of a table or drawn ----------------------------------------------------------- */

typedef struct {
    int S, *source;      /* ids */
    char *text, *target; /* for reading */
    char *tokens;        /* of the target, with spaces between them */
} Example;

static Example example_of_pair(const Pairs *pairs, int i)
{
    const Pair *p = pairs_item(pairs, SPLIT_TEST, i);
    Example x = {.S = p->n_source,
                 .source = xmalloc((size_t)p->n_source * sizeof(int)),
                 .text = xstrdup(p->source_text),
                 .target = xstrdup(p->target_text),
                 .tokens = xstrdup(p->target_tokens)};
    memcpy(x.source, p->source, (size_t)p->n_source * sizeof(int));
    return x;
}

static Example example_drawn(const Data *d, int i)
{
    Batch batch = batch_new();
    task_heldout(&d->task, SPLIT_TEST, 0, i, 1, &batch);
    const int S = batch.s_len[0];
    Example x = {.S = S, .source = xmalloc((size_t)S * sizeof(int))};
    memcpy(x.source, batch.s, (size_t)S * sizeof(int));
    x.text = tokenizer_decode(&d->pairs.source, batch.s, S, NULL);
    x.target = tokenizer_decode(&d->pairs.target, batch.y, batch.T, NULL);
    x.tokens = tokenizer_spaced(&d->pairs.target, batch.y, batch.T);
    batch_free(&batch);
    return x;
}

static Example example_get(const Data *d, int i)
{
    return d->pairs.is_table ? example_of_pair(&d->pairs, i) : example_drawn(d, i);
}

static void example_free(Example *x)
{
    free(x->source), free(x->text), free(x->target), free(x->tokens);
}

static int examples_of(const Evaluator *e)
{
    const int there = pairs_items(&e->data.pairs, SPLIT_TEST), asked = e->config->examples;
    return there && there < asked ? there : asked;
}

/* --- decoding ---------------------------------------------------------------------------------------- */

typedef struct {
    int *id, len;
    bool finished; /* by EOS; else cut off */
    double log_probability;
    char *text, *tokens;
} Output;

/* An output of more than twice the source's length and 20 is cut off there. */
static Output decode(const Evaluator *e, const Translator *t, const TranslateConfig *c,
                     const int *source, int S)
{
    const int wanted = 2 * S + 20;
    const int limit = t->longest && t->longest <= wanted ? t->longest - 1 : wanted;
    Output o = {0};
    t->read(t->self, source, S);
    if (c->beam == 1) {
        o.id = xmalloc((size_t)limit * sizeof *o.id);
        o.len = decode_greedy(&t->decoder, limit, o.id, &o.log_probability);
        o.finished = o.len < limit;
    } else {
        const Beam beam = {.width = c->beam, .alpha = c->alpha};
        const Hypothesis h = decode_beam(&t->decoder, beam, limit);
        o.id = h.token, o.len = h.len, o.log_probability = h.log_probability;
        o.finished = h.finished;
    }
    o.text = tokenizer_decode(&e->data.pairs.target, o.id, o.len, NULL);
    o.tokens = tokenizer_spaced(&e->data.pairs.target, o.id, o.len);
    return o;
}

static void output_free(Output *o)
{
    free(o->id), free(o->text), free(o->tokens);
}

static bool is_of_words(const Evaluator *e)
{
    return tokenizer_of_words(&e->data.pairs.target);
}

/* EOS counts: an output that would have gone on is not the target. */
static bool is_right(const Output *o, const Example *x)
{
    return o->finished && strcmp(o->tokens, x->tokens) == 0;
}

static void quality_add(Quality *q, const Evaluator *e, const Output *o, const Example *x)
{
    const bool words = is_of_words(e);
    q->n++;
    q->right += is_right(o, x);
    q->log_probability += o->log_probability;
    char_errors_add(&q->characters, words ? o->tokens : o->text, words ? x->tokens : x->target);
    bleu_add(&q->bleu, o->tokens, x->tokens);
}

static double exact_match(const Quality *q)
{
    return (double)q->right / q->n;
}

static json_t *quality_to_json(const Quality *q, int beam)
{
    json_t *o = json_object();
    evaluator_set_number(o, "exact", exact_match(q));
    evaluator_set_number(o, "cer", char_error_rate(&q->characters));
    evaluator_set_number(o, "bleu", bleu_score(&q->bleu));
    evaluator_set_number(o, "log_probability", q->log_probability / q->n);
    json_object_set_new(o, "beam", json_integer(beam));
    json_object_set_new(o, "decoded", json_integer(q->n));
    return o;
}

Translation translate_heldout(Evaluator *e, const Translator *t, const TranslateConfig *c)
{
    const int n = examples_of(e), longest = e->data.task.length;
    const BleuTokenizer tokens = is_of_words(e) ? BLEU_NONE : BLEU_CHAR;
    Translation q = {.all.bleu.tokenizer = tokens,
                     .width = (longest + QUALITY_ROWS - 1) / QUALITY_ROWS};
    for (int i = 0; i < QUALITY_ROWS; i++) q.row[i].bleu.tokenizer = tokens;
    for (int i = 0; i < n && !evaluator_stopped(e); i++) {
        Example x = example_get(&e->data, i);
        Output o = decode(e, t, c, x.source, x.S);
        const int row = (x.S - 1) / q.width;
        quality_add(&q.all, e, &o, &x);
        quality_add(&q.row[row < QUALITY_ROWS ? row : QUALITY_ROWS - 1], e, &o, &x);
        output_free(&o);
        example_free(&x);
    }
    e->extra = quality_to_json(&q.all, c->beam);
    return q;
}

/* --- the report ---------------------------------------------------------------------------------------- */

static void print_quality(const Evaluator *e, const TranslateConfig *c, const Quality *q)
{
    char *signature = bleu_signature(&q->bleu), how[64] = "greedily";
    if (c->beam > 1) snprintf(how, sizeof how, "with a beam of %d, alpha %g", c->beam, c->alpha);
    printf("\n%d held-out pairs decoded %s:\n", q->n, how);
    printf("  exact match        %8.4f\n", exact_match(q));
    printf("  character errors   %8.4f\n", char_error_rate(&q->characters));
    printf("  BLEU of %-10s %8.2f   (%s)\n", is_of_words(e) ? "words" : "characters",
           bleu_score(&q->bleu), signature);
    free(signature);
}

/* Where all outputs have fewer than four tokens BLEU is 0 by definition, and says nothing. */
static bool has_bleu(const Quality *q)
{
    return q->bleu.total[BLEU_ORDER - 1] > 0;
}

static void print_rows(const Translation *q)
{
    printf("\n  %-9s %7s %8s %8s %8s\n", "source", "pairs", "exact", "CER", "BLEU");
    for (int i = 0; i < QUALITY_ROWS; i++) {
        const Quality *r = &q->row[i];
        char bleu[16] = "-";
        if (!r->n) continue;
        if (has_bleu(r)) snprintf(bleu, sizeof bleu, "%.2f", bleu_score(&r->bleu));
        printf("  %3d - %3d %7d %8.4f %8.4f %8s\n", i * q->width + 1, (i + 1) * q->width, r->n,
               exact_match(r), char_error_rate(&r->characters), bleu);
    }
}

static void print_sources(FILE *f, const void *arg)
{
    const Translation *q = arg;
    fputs("source_length,pairs,exact,cer,bleu\n", f);
    for (int i = 0; i < QUALITY_ROWS; i++) {
        const Quality *r = &q->row[i];
        if (!r->n) continue;
        fprintf(f, "%d,%d,%.6f,%.6f,", (i + 1) * q->width, r->n, exact_match(r),
                char_error_rate(&r->characters));
        if (has_bleu(r)) fprintf(f, "%.4f", bleu_score(&r->bleu));
        fputc('\n', f);
    }
}

static void print_sources_script(FILE *f, const void *arg)
{
    const Evaluator *e = arg;
    fprintf(f,
            "set datafile separator comma\nset title '%s: quality by length of the source'\n"
            "set xlabel 'length of the source, at most (%s)'\nset ylabel 'share'\n"
            "set yrange [0:1.05]\n" PLOT_GRID PLOT_KEY_BELOW
            "plot 'by_source.csv' using 1:3 every ::1 with linespoints linewidth 2 pointtype 7 "
            "linecolor rgb '%s' title 'exact match', '' using 1:($5/100) every ::1 with "
            "linespoints linewidth 2 pointtype 5 linecolor rgb '%s' title 'BLEU / 100', '' using "
            "1:4 every ::1 with linespoints linewidth 2 pointtype 9 linecolor rgb '%s' title "
            "'character errors'\n",
            e->model, tokenizer_unit(&e->data.pairs.source), plot_color[5], plot_color[1],
            plot_color[7]);
}

/* Quality against the source's length, of a table (eval's by_length does it for drawn sequences). */
static void draw_by_source(Evaluator *e, const Translation *q)
{
    if (evaluator_write(e, "by_source.csv", print_sources, q) &&
        evaluator_write(e, "by_source.gp", print_sources_script, e))
        evaluator_draw(e, "by_source", 900, 600);
}

/* --- alignments ----------------------------------------------------------------------------------------- */

typedef struct {
    Alignment a;
    const char **target, **source;
    char (*byte)[2]; /* the names of tokens that are bytes */
    real *weight;
} Look;

/* Where attention looked while writing the output and its EOS. */
static Look look(const Evaluator *e, const Translator *t, const int *source, int S, const Output *o)
{
    const Pairs *p = &e->data.pairs;
    const int T = o->len + 1;
    Look l = {.target = xmalloc((size_t)T * sizeof *l.target),
              .source = xmalloc((size_t)S * sizeof *l.source),
              .byte = xmalloc((size_t)(T + S) * sizeof *l.byte),
              .weight = xmalloc((size_t)T * S * sizeof *l.weight)};
    int *id = xmalloc((size_t)T * sizeof *id);
    memcpy(id, o->id, (size_t)o->len * sizeof *id);
    id[o->len] = EOS;
    t->align(t->self, source, S, id, T, l.weight);
    for (int i = 0; i < T; i++) l.target[i] = tokenizer_name(&p->target, id[i], l.byte[i]);
    for (int i = 0; i < S; i++) l.source[i] = tokenizer_name(&p->source, source[i], l.byte[T + i]);
    l.a = (Alignment){.T = T, .S = S, .target = l.target, .source = l.source, .weight = l.weight};
    free(id);
    return l;
}

static void look_free(Look *l)
{
    free(l->target), free(l->source), free(l->byte), free(l->weight);
}

static void draw_alignments(Evaluator *e, const Translator *t, const TranslateConfig *c)
{
    const int n = examples_of(e) < ALIGNMENT_PANELS ? examples_of(e) : ALIGNMENT_PANELS;
    Look looks[ALIGNMENT_PANELS];
    Alignment a[ALIGNMENT_PANELS];
    for (int i = 0; i < n; i++) {
        Example x = example_get(&e->data, i);
        Output o = decode(e, t, c, x.source, x.S);
        looks[i] = look(e, t, x.source, x.S, &o);
        a[i] = looks[i].a;
        output_free(&o);
        example_free(&x);
    }
    Error err;
    const char *data = data_name(&e->run), *slash = strrchr(data, '/');
    char *title = xformat("%s on %s: where each output token, a row, looked in its source",
                          e->model, slash ? slash + 1 : data);
    if (alignment_write(e->dir, "alignment", title, a, n, &err))
        evaluator_draw(e, "alignment", 900, n > 2 ? 900 : 450);
    else
        evaluator_warn(e, err.text);
    free(title);
    for (int i = 0; i < n; i++) look_free(&looks[i]);
}

/* --- samples ------------------------------------------------------------------------------------------- */

/* text may come from a file or from standard input: it must not drive the terminal. */
static void print_text(const char *name, const char *text, const char *remark)
{
    printf("  %-7s ", name);
    utf8_show(text, stdout);
    puts(remark);
}

static void print_samples(Evaluator *e, const Translator *t, const TranslateConfig *c)
{
    const int n = examples_of(e) < e->config->samples ? examples_of(e) : e->config->samples;
    if (n) printf("\nheld-out pairs:\n");
    for (int i = 0; i < n && !evaluator_stopped(e); i++) {
        Example x = example_get(&e->data, i);
        Output o = decode(e, t, c, x.source, x.S);
        const bool right = is_right(&o, &x);
        print_text("source", x.text, "");
        print_text("output", o.text, right ? "   (right)" : o.finished ? "" : "   (cut off)");
        if (!right) print_text("right", x.target, "");
        putchar('\n');
        if (i == 0 && t->align) {
            Look l = look(e, t, x.source, x.S, &o);
            alignment_print(stdout, &l.a);
            putchar('\n');
            look_free(&l);
        }
        output_free(&o);
        example_free(&x);
    }
}

void translate_report(Evaluator *e, const Translator *t, const TranslateConfig *c,
                      const Translation *q)
{
    if (!e->config->json) {
        print_quality(e, c, &q->all);
        if (e->data.pairs.is_table) print_rows(q);
        print_samples(e, t, c);
        if (!evaluator_flush(e)) return;
    }
    if (evaluator_stopped(e)) return;
    const char *kind = e->config->plot;
    if (strcmp(kind, "none") == 0) return;
    if (e->data.pairs.is_table) draw_by_source(e, q);
    if (t->align && strcmp(kind, "dumb") != 0) draw_alignments(e, t, c); /* has its text version */
}

/* --- standard input ---------------------------------------------------------------------------------------- */

void translate_lines(Evaluator *e, const Translator *t, const TranslateConfig *c)
{
    char *line = NULL;
    size_t room = 0;
    for (ssize_t len; (len = getline(&line, &room, stdin)) >= 0;) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) line[--len] = 0;
        int S;
        char *unknown;
        int *source = pairs_encode_source(&e->data.pairs, line, &S, &unknown);
        if (unknown) {
            fprintf(stderr, "%s: warning: not in the vocabulary: ", e->usage->program);
            utf8_show(unknown, stderr);
            fputc('\n', stderr);
        }
        const bool too_long = t->longest && S > t->longest;
        if (too_long)
            fprintf(stderr, "%s: warning: %d tokens are too many, the model has places for %d\n",
                    e->usage->program, S, t->longest);
        if (S > 0 && !too_long) {
            Output o = decode(e, t, c, source, S);
            utf8_show(o.text, stdout);
            putchar('\n');
            if (c->alignment && t->align) {
                Look l = look(e, t, source, S, &o);
                alignment_print(stdout, &l.a);
                look_free(&l);
            }
            output_free(&o);
        } else {
            putchar('\n'); /* a line for a line */
        }
        free(source), free(unknown);
        if (!evaluator_flush(e)) break;
    }
    free(line);
}
