/* Prints the report and draws the figures of an eval program for pairs, besides the loss. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/translate_output.h"
#include "system/plot.h"
#include "system/utf8.h"

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

/* Returns false if no output has four tokens: BLEU is then 0 by definition. */
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

/* Draws quality against source length for pairs of a table. For drawn pairs by_length.png shows it. */
static void draw_by_source(Evaluator *e, const Translation *q)
{
    if (evaluator_write(e, "by_source.csv", print_sources, q) &&
        evaluator_write(e, "by_source.gp", print_sources_script, e))
        evaluator_draw(e, "by_source", 900, 600);
}

/* --- alignments ----------------------------------------------------------------------------------------- */

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
    char *title = xformat("%s on %s: attention weights, a row for each output token", e->model,
                          slash ? slash + 1 : data);
    if (alignment_write(e->dir, "alignment", title, a, n, &err))
        evaluator_draw(e, "alignment", 900, n > 2 ? 900 : 450);
    else
        evaluator_warn(e, err.text);
    free(title);
    for (int i = 0; i < n; i++) look_free(&looks[i]);
}

/* --- samples ------------------------------------------------------------------------------------------- */

/* Prints a line of the report. utf8_show keeps text from controlling the terminal. */
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
        const bool right = output_is_right(e, &o, &x);
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
    if (t->align && strcmp(kind, "dumb") != 0)
        draw_alignments(e, t, c); /* print_samples prints it as text */
}
