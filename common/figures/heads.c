/* The table and the JSON hold the same numbers under the same names. */
#include "figures/heads.h"

#include <math.h>

#include "system/label.h"

static const char *const habit_name[HEAD_HABITS] = {"same", "previous", "next", "first",
                                                    "last", "largest",  "bits", "even"};

/* --- measuring ------------------------------------------------------------------------------------- */

static void count(HeadHabits *h, HeadHabit habit, double x)
{
    h->sum[habit] += x;
    h->rows[habit]++;
}

static void count_step(HeadHabits *h, HeadHabit habit, const real *p, int keys, int step)
{
    if (step >= 0 && step < keys) count(h, habit, (double)p[step]);
}

/* Measures row t, which attends to `keys` keys. In a causal part the last key is the step itself. */
static void watch_row(HeadHabits *h, const real *p, int t, int keys, bool causal)
{
    double bits = 0, largest = 0;
    for (int s = 0; s < keys; s++) {
        const double x = (double)p[s];
        if (x > 0) bits -= x * log2(x);
        if (x > largest) largest = x;
    }
    count_step(h, HEAD_SAME, p, keys, t);
    count_step(h, HEAD_PREVIOUS, p, keys, t - 1);
    count_step(h, HEAD_NEXT, p, keys, t + 1);
    count_step(h, HEAD_FIRST, p, keys, 0);
    if (!causal) count_step(h, HEAD_LAST, p, keys, keys - 1);
    count(h, HEAD_LARGEST, largest);
    count(h, HEAD_ENTROPY, bits);
    count(h, HEAD_EVEN, log2(keys));
}

void heads_watch(const HeadMap *m, HeadHabits *habits)
{
    for (int i = 0; i < m->layers * m->heads; i++)
        for (int t = 0; t < m->T; t++) {
            const int keys = m->causal ? t + 1 : m->S;
            const size_t row = (size_t)(i % m->heads) * m->T + t;
            if (keys > 1)
                watch_row(&habits[i], m->weight[i / m->heads] + row * m->S, t, keys, m->causal);
        }
}

double heads_mean(const HeadHabits *h, HeadHabit habit)
{
    return h->rows[habit] > 0 ? h->sum[habit] / h->rows[habit] : NAN;
}

/* --- the table and JSON
 * ------------------------------------------------------------------------------------ */

void heads_print_title(FILE *f)
{
    fprintf(f, "  %-8s %5s %4s", "part", "layer", "head");
    for (int k = 0; k < HEAD_HABITS; k++)
        fprintf(f, " %*s", k == HEAD_PREVIOUS ? 8 : 6, habit_name[k]);
    fputc('\n', f);
}

void heads_print(FILE *f, const HeadMap *m, const HeadHabits *habits)
{
    for (int i = 0; i < m->layers * m->heads; i++) {
        fprintf(f, "  %-8s %5d %4d", m->name, 1 + i / m->heads, 1 + i % m->heads);
        for (int k = 0; k < HEAD_HABITS; k++) {
            const double mean = heads_mean(&habits[i], k);
            const int width = k == HEAD_PREVIOUS ? 8 : k == HEAD_LARGEST ? 7 : 6;
            if (isnan(mean))
                fprintf(f, " %*s", width, "-");
            else
                fprintf(f, " %*.2f", width, mean);
        }
        fputc('\n', f);
    }
}

void heads_to_json(json_t *array, const HeadMap *m, const HeadHabits *habits)
{
    for (int i = 0; i < m->layers * m->heads; i++) {
        json_t *o = json_pack("{s:s, s:i, s:i}", "part", m->name, "layer", 1 + i / m->heads, "head",
                              1 + i % m->heads);
        for (int k = 0; k < HEAD_HABITS; k++) {
            const double mean = heads_mean(&habits[i], k);
            json_object_set_new(o, habit_name[k], isnan(mean) ? json_null() : json_real(mean));
        }
        json_array_append_new(array, o);
    }
}

/* --- all weights as CSV
 * ------------------------------------------------------------------------------------ */

static void print_head(FILE *f, const HeadMap *m, int layer, int head)
{
    for (int t = 0; t < m->T; t++)
        for (int s = 0; s < m->S; s++) {
            fprintf(f, "%s,%d,%d,%d,%d,", m->name, layer + 1, head + 1, t, s);
            label_field(f, m->row[t]);
            fputc(',', f);
            label_field(f, m->column[s]);
            fprintf(f, ",%.6f\n", (double)m->weight[layer][((size_t)head * m->T + t) * m->S + s]);
        }
}

void heads_print_csv(FILE *f, const HeadMap *part, int parts)
{
    fputs("part,layer,head,row,column,row_token,column_token,weight\n", f);
    for (int k = 0; k < parts; k++)
        for (int i = 0; i < part[k].layers * part[k].heads; i++)
            print_head(f, &part[k], i / part[k].heads, i % part[k].heads);
}
