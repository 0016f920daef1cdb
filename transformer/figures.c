#include "transformer/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/file.h"
#include "system/plot.h"
#include "transformer/maps.h"

enum {
    TABLE_SEQUENCES = 64,   /* sequences in the table of heads, at most */
    PLACED_SEQUENCES = 512, /* sequences among which the longest is found */
    DRAWN_STEPS = 128,      /* steps of a drawn sequence, at most */
    DRAWN_PLACES = 128      /* positions of the sinusoid table, which has no end */
};

/* --- a summary of each head -------------------------------------------------------------------- */

/* The summary over the first held-out sequences; habits (parts,layers,heads). */
typedef struct {
    int sequences;
    HeadHabits *habits;
    TransformerMaps last; /* which has the parts' names and sizes */
} Watched;

/* A TransformerMaps cannot be returned: see maps.h. */
static void watched_open(Watched *w, const Evaluator *e, const Transformer *m)
{
    const int there = pairs_items(&e->data.pairs, SPLIT_TEST), asked = e->config->examples;
    const int heads = m->config.layers * m->config.heads;
    w->habits = xcalloc((size_t)LEN(w->last.part) * heads, sizeof *w->habits);
    w->sequences = asked < TABLE_SEQUENCES ? asked : TABLE_SEQUENCES;
    if (there && there < w->sequences) w->sequences = there;
    for (int i = 0; i < w->sequences; i++) {
        if (i) transformer_maps_close(&w->last);
        transformer_maps_open(&w->last, &e->data, m, i, INT32_MAX);
        for (int k = 0; k < w->last.parts; k++)
            heads_watch(&w->last.part[k], w->habits + (size_t)k * heads);
    }
}

static void watched_close(Watched *w)
{
    transformer_maps_close(&w->last);
    free(w->habits);
}

static const HeadHabits *habits_of(const Watched *w, int k)
{
    return w->habits + (size_t)k * w->last.part[0].layers * w->last.part[0].heads;
}

void transformer_figures_table_to_json(Evaluator *e, const Transformer *m)
{
    Watched w;
    watched_open(&w, e, m);
    json_t *table = json_array();
    for (int k = 0; k < w.last.parts; k++) heads_to_json(table, &w.last.part[k], habits_of(&w, k));
    if (!e->extra) e->extra = json_object();
    json_object_set_new(e->extra, "head_table", table);
    watched_close(&w);
}

void transformer_figures_print_table(Evaluator *e, const Transformer *m)
{
    Watched w;
    watched_open(&w, e, m);
    printf("\nattention weights of each head, the mean over %d held-out sequences: on the step\n"
           "itself, on the previous step, .., largest weight; entropy, and its maximum (even)\n\n",
           w.sequences);
    heads_print_title(stdout);
    for (int k = 0; k < w.last.parts; k++) heads_print(stdout, &w.last.part[k], habits_of(&w, k));
    evaluator_flush(e);
    watched_close(&w);
}

/* --- drawing heads -------------------------------------------------------------------------------------- */

static void draw_part(Evaluator *e, const HeadMap *part)
{
    int width, height;
    char *name = xformat("heads-%s", part->name);
    heads_size(part, &width, &height);
    evaluator_draw(e, name, width, height);
    free(name);
}

static void draw_heads(Evaluator *e, const Transformer *m)
{
    Error err;
    TransformerMaps r;
    transformer_maps_open(&r, &e->data, m, 0, DRAWN_STEPS);
    const int T = r.batch.T, S = r.batch.S, longest = T > S ? T : S;
    if (longest > DRAWN_STEPS)
        error_set(&err,
                  "heads are not drawn: the first held-out pair has %d tokens on one side, more "
                  "than %d",
                  longest, DRAWN_STEPS);
    const bool ok = longest <= DRAWN_STEPS &&
                    heads_write(e->dir, "What does each head attend to?", r.part, r.parts, &err);
    for (int k = 0; k < r.parts && ok; k++) draw_part(e, &r.part[k]);
    if (!ok) evaluator_warn(e, err.text);
    transformer_maps_close(&r);
}

/* --- drawing positions ---------------------------------------------------------------------------------- */

/* The tables added to the embeddings: one for all, or one for the source and one for the target. */
typedef struct {
    int tables, longest, C;
    const char *name[2], *title[2];
    const real *value[2]; /* (longest,C) */
    int seen[2];          /* steps of the longest held-out sequence */
} Places;

static void add_table(Places *p, const char *name, const char *title, const real *value, int seen)
{
    const int k = p->tables++;
    p->name[k] = name, p->title[k] = title, p->value[k] = value, p->seen[k] = seen;
}

static Places places_of(Tape *tp, const Data *d, const Transformer *m)
{
    const int C = m->config.channels;
    const bool learned = m->config.positions == LEARNED;
    Places p = {.longest = learned ? m->config.longest : DRAWN_PLACES, .C = C};
    Batch b = batch_new();
    task_heldout(&d->task, SPLIT_TEST, 0, 0, PLACED_SEQUENCES, &b);
    if (learned && m->has_encoder)
        add_table(&p, "source", "source, learned", m->source_position->data, b.S);
    if (learned) add_table(&p, "target", "target, learned", m->target_position->data, b.T);
    if (m->config.positions == SINUSOID) {
        real *value = tape_save(tp, (size_t)p.longest * C * sizeof *value);
        for (int i = 0; i < p.longest; i++) positions_sinusoid(i, C, value + (size_t)i * C);
        add_table(&p, "sinusoid", "sines in even channels, cosines in odd ones", value,
                  b.T > b.S ? b.T : b.S);
    }
    batch_free(&b);
    return p;
}

static void print_places(FILE *f, const void *arg)
{
    const Places *p = arg;
    fputs("table,position,channel,value\n", f);
    for (int k = 0; k < p->tables; k++)
        for (int i = 0; i < p->longest * p->C; i++)
            fprintf(f, "%s,%d,%d,%.6f\n", p->name[k], i / p->C, i % p->C, (double)p->value[k][i]);
}

static double largest(const Places *p)
{
    double most = 0;
    for (int k = 0; k < p->tables; k++)
        for (int i = 0; i < p->longest * p->C; i++) most = fmax(most, fabs((double)p->value[k][i]));
    return most;
}

/* Prints a title, an image, and a line after the last step of the longest held-out sequence. */
static void print_panel(FILE *f, const Places *p, int k)
{
    const int rows = p->longest * p->C;
    fprintf(f, "set title '%s'\n", p->title[k]);
    fprintf(f,
            "set label 1 'held-out sequences end here' at graph 0.98,first %g right offset 0,-0.8 "
            "boxed front font ',10'\n",
            p->seen[k] - .5);
    fprintf(f,
            "plot 'positions.csv' using 3:2:4 every ::%d::%d with image, %g with lines linewidth 2 "
            "dashtype 2 linecolor rgb '#000000'\n",
            1 + k * rows, (k + 1) * rows, p->seen[k] - .5);
}

static void print_places_script(FILE *f, const void *arg)
{
    const Places *p = arg;
    const double most = largest(p);
    fprintf(
        f,
        "set datafile separator comma\nset palette defined (0 '#0072b2', 0.5 '#ffffff', 1 "
        "'#d55e00')\nset cbrange [%g:%g]\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n"
        "set key off\nset tics out nomirror\nset style textbox opaque noborder margins 0.5,0.3\n"
        "set xlabel 'channel'\nset ylabel 'position'\nset cblabel 'value added'\n"
        "set multiplot layout 1,%d title 'What does a position add to the embedding?' font ',16'\n",
        -most, most, p->C - 1, p->longest - 1, p->tables);
    for (int k = 0; k < p->tables; k++) print_panel(f, p, k);
    fputs("unset multiplot\n", f);
}

static void draw_positions(Evaluator *e, const Transformer *m)
{
    Tape tp = {.frozen = true};
    const Places p = places_of(&tp, &e->data, m);
    if (p.tables && evaluator_write(e, "positions.csv", print_places, &p) &&
        evaluator_write(e, "positions.gp", print_places_script, &p))
        evaluator_draw(e, "positions", 1000, 600);
    tape_free(&tp);
}

void transformer_figures_draw(Evaluator *e, const Transformer *m)
{
    const char *kind = e->config->plot;
    if (strcmp(kind, "none") == 0 || strcmp(kind, "dumb") == 0) return; /* ASCII is too coarse */
    draw_heads(e, m);
    draw_positions(e, m);
}
