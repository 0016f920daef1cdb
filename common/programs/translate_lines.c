/* --interactive: translates the lines of standard input. They are read as the lines of a file of pairs are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "data/pairs_items.h"
#include "programs/translate_output.h"

/* A line and its ids. */
typedef struct {
    char *text;          /* the source; owned */
    int *id, S;          /* owned */
    char *unknown;       /* its unknown tokens, or NULL; owned */
    const char *missing; /* why it has no translation, or NULL */
} Source;

static void warn_line(const Evaluator *e, const InputLine *line, const char *what)
{
    char *message = xformat("line %lld %s", (long long)line->number, what);
    evaluator_warn(e, message);
    free(message);
}

/* Cuts a line into columns and takes the source: with --swap the second column, if there is one. */
static Source source_of(const Evaluator *e, const Translator *t, const InputLine *line)
{
    PairLine cut;
    Source s = {.missing = line->too_long ? "has more than 1048576 bytes; shorten it"
                                          : pair_line_cut(line->text, line->len, &cut)};
    const int column = !s.missing && e->run.pairs.swap && cut.columns > 1;
    s.text = s.missing || cut.columns == 0
                 ? xstrdup("")
                 : xformat("%.*s", (int)cut.len[column], cut.text[column]);
    const Utf8Faults faults = utf8_faults(s.text, strlen(s.text));
    if (faults.invalid && e->data.pairs.source.unk >= 0)
        warn_line(e, line, "is not UTF-8; convert it");
    s.id = pairs_encode_source(&e->data.pairs, s.text, &s.S, &s.unknown);
    const int most = t->longest && t->longest < PAIR_LONGEST ? t->longest : PAIR_LONGEST;
    if (s.S > most) {
        say("%s: warning: a line of %d tokens is too long: the model takes %d; shorten it\n",
            e->usage->program, s.S, most);
        s.missing = "is too long";
    } else if (s.missing) {
        warn_line(e, line, s.missing);
    }
    return s;
}

static void source_free(Source *s)
{
    free(s->text), free(s->id), free(s->unknown);
}

static void set_text(json_t *o, const char *key, const char *text)
{
    size_t len;
    char *valid = utf8_valid(text, strlen(text), &len);
    json_object_set_new(o, key, json_stringn(valid, len));
    free(valid);
}

/* o: NULL if the line has no translation. */
static void print_json(const Source *s, const Output *o)
{
    json_t *object = json_object();
    set_text(object, "source", s->text);
    if (o) {
        set_text(object, "output", o->text);
        json_object_set_new(object, "finished", json_boolean(o->finished));
        evaluator_set_number(object, "log_probability", o->log_probability);
    } else {
        json_object_set_new(object, "output", json_null());
    }
    if (s->unknown) set_text(object, "unknown", s->unknown);
    if (s->missing) set_text(object, "missing", s->missing);
    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}

static void print_translation(Evaluator *e, const Translator *t, const TranslateConfig *c,
                              const InputLine *line, const Source *s)
{
    Output o = decode(e, t, c, s->id, s->S);
    if (e->config->json)
        print_json(s, &o);
    else
        output_print(&o, stdout);
    if (!o.finished) {
        char *what = xformat("(cut off): the output does not end within %d tokens", o.len);
        warn_line(e, line, what);
        free(what);
    }
    if (c->alignment && t->align && !e->config->json) {
        Look l = look(e, t, s->id, s->S, &o);
        alignment_print(stdout, &l.a);
        look_free(&l);
    }
    output_free(&o);
}

static void translate_line(Evaluator *e, const Translator *t, const TranslateConfig *c,
                           const InputLine *line)
{
    Source s = source_of(e, t, line);
    if (s.unknown && !s.missing) {
        say("%s: warning: not in the vocabulary: ", e->usage->program);
        utf8_show(s.unknown, stderr);
        fputc('\n', stderr);
    }
    if (s.S > 0 && !s.missing)
        print_translation(e, t, c, line, &s);
    else if (e->config->json)
        print_json(&s, NULL);
    else
        putchar('\n'); /* one output line for each input line */
    source_free(&s);
}

void translate_lines(Evaluator *e, const Translator *t, const TranslateConfig *c)
{
    InputLine line = {0};
    while (input_line(stdin, PAIR_LINE_MOST, &line)) {
        translate_line(e, t, c, &line);
        if (!evaluator_flush(e)) break;
    }
    if (ferror(stdin)) {
        char *message = xformat("standard input: cannot be read: %s", strerror(errno));
        evaluator_fail(e, EXIT_FAILED, message);
        free(message);
    }
    free(line.text);
}
