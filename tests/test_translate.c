/* The report about translations, also for a model that is broken. */
#include <unistd.h>

#include "suite.h"
#include "programs/translate.h"

static void read_nothing(void *self, const int *source, int S)
{
    (void)self;
    ck_assert(source && S >= 1);
}

/* The same logit for all tokens: 0, or NaN. */
static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    const Translator *t = self;
    ck_assert(parent && token);
    for (int i = 0; i < n * t->decoder.vocab; i++) logits[i] = t->longest ? 0 : (real)NAN;
}

/* Returns the JSON for a few pairs, translated by a model that is broken or uniform; json_decref it. */
static json_t *json_of(bool broken, int beam)
{
    EvalConfig c = eval_defaults();
    Error err;
    c.examples = 3;
    Evaluator e = {.config = &c, .run = data_defaults()};
    e.run.of_pairs = true;
    e.run.pairs.task = "reverse";
    ck_assert_msg(data_open(&e.data, &e.run, NULL, &err), "%s", err.text);
    Translator t = {.read = read_nothing, .longest = broken ? 0 : 100};
    t.decoder = (Decoder){.self = &t, .vocab = e.data.task.outputs, .step = step};
    t.decoder.bos = BOS, t.decoder.eos = EOS, t.decoder.pad = PAD;
    TranslateConfig how = translate_defaults();
    how.beam = beam;
    translate_heldout(&e, &t, &how);
    data_close(&e.data);
    return e.extra;
}

/* JSON has no infinity: the value is null, and the other numbers are there. */
START_TEST(a_number_that_is_none)
{
    for (int beam = 1; beam <= 3; beam += 2)
        for (int broken = 0; broken < 2; broken++) {
            json_t *o = json_of(broken, beam);
            ck_assert_ptr_nonnull(o);
            ck_assert_int_eq(json_integer_value(json_object_get(o, "decoded")), 3);
            ck_assert_int_eq(json_integer_value(json_object_get(o, "beam")), beam);
            ck_assert(json_is_real(json_object_get(o, "exact")));
            ck_assert(json_is_real(json_object_get(o, "cer")));
            ck_assert(json_is_real(json_object_get(o, "bleu")));
            const json_t *log_p = json_object_get(o, "log_probability");
            ck_assert(broken ? json_is_null(log_p) : json_real_value(log_p) < 0);
            json_decref(o);
        }
}
END_TEST

/* Always predicts the first letter, never EOS. */
static void step_on_and_on(void *self, int n, const int *parent, const int *token, real *logits)
{
    const Translator *t = self;
    ck_assert(parent && token);
    for (int i = 0; i < n * t->decoder.vocab; i++)
        logits[i] = i % t->decoder.vocab == UNK + 1 ? 100 : 0; /* "a", the most frequent token */
}

/* Every fifth source is one word whose target has 22 words, the length at which an output is cut off: the
 * output has all the words but no EOS, so it is not right. (Such pairs are left out of training, because
 * others with that source are held out.) */
START_TEST(cut_off_is_not_right)
{
    char path[] = "/tmp/lmzoo-translate-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    for (int i = 0; i < 300; i++) {
        fprintf(f, "w%d\t", i);
        for (int k = 0; k < 22; k++) fputs(k ? " a" : "a", f);
        if (i % 5) fprintf(f, " b%d c%d", i / 20, i % 20);
        fputc('\n', f);
    }
    ck_assert_int_eq(fclose(f), 0);
    for (int beam = 1; beam <= 2; beam++) {
        EvalConfig c = eval_defaults();
        Error err;
        c.examples = 1000;
        Evaluator e = {.config = &c, .run = data_defaults()};
        e.run.of_pairs = true;
        e.run.pairs.file = path;
        ck_assert_msg(data_open(&e.data, &e.run, NULL, &err), "%s", err.text);
        Translator t = {.read = read_nothing};
        t.decoder = (Decoder){.self = &t, .vocab = e.data.task.outputs, .step = step_on_and_on};
        t.decoder.bos = BOS, t.decoder.eos = EOS, t.decoder.pad = PAD;
        TranslateConfig how = translate_defaults();
        how.beam = beam;
        const Translation q = translate_heldout(&e, &t, &how);
        ck_assert_int_gt(q.all.n, 0);
        ck_assert(json_real_value(json_object_get(e.extra, "bleu")) > 50); /* all words are right */
        ck_assert(json_real_value(json_object_get(e.extra, "exact")) == 0);
        json_decref(e.extra);
        data_close(&e.data);
    }
    remove(path);
}
END_TEST

/* --- a model that knows the answers ----------------------------------------------------------------- */

enum { LINES = 900, LONGEST = 16 };

/* Writes the held-out targets one after the other, without their last `dropped` tokens; if `endless`, the
 * same token for ever. */
typedef struct {
    Translator t;
    const Pairs *pairs;
    bool endless;
    int dropped, next, at, S, steps; /* steps: of the last source */
} Teacher;

static void teacher_read(void *self, const int *source, int S)
{
    Teacher *k = self;
    ck_assert_ptr_nonnull(source);
    k->S = S, k->at = k->steps = 0, k->next++;
}

static void teacher_step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Teacher *k = self;
    ck_assert(n == 1 && *parent == 0 && *token >= 0);
    const Pair *pair = pairs_item(k->pairs, SPLIT_TEST, k->next - 1);
    const int len = pair->n_target - k->dropped;
    for (int i = 0; i < k->t.decoder.vocab; i++) logits[i] = -1000;
    logits[k->endless ? FIRST_PIECE : k->at < len ? pair->target[k->at] : EOS] = 0;
    k->at++, k->steps++;
}

/* Writes pairs of 1 to 16 words; the target has one word for each source word, separated by two spaces. */
static void write_pairs(char *path)
{
    const int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    ck_assert_ptr_nonnull(f);
    for (int line = 0, x = 1; line < LINES; line++)
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i <= line % LONGEST; i++) {
                x = (x * 75 + 74) % 65537;
                fprintf(f, "%s%s%d", i == 0 ? "" : side ? "  " : " ", side ? "너비" : "w", x % 7);
            }
            fputc(side ? '\n' : '\t', f);
        }
    ck_assert_int_eq(fclose(f), 0);
}

typedef struct {
    EvalConfig config;
    Evaluator e;
    Teacher k;
    char path[32];
} Lesson;

static void lesson_open(Lesson *l, const char *task)
{
    Error err;
    *l = (Lesson){.config = eval_defaults(), .path = "/tmp/lmzoo-XXXXXX"};
    l->e = (Evaluator){.config = &l->config, .run = data_defaults()};
    l->e.run.of_pairs = true;
    l->e.run.pairs.task = task;
    if (!task) write_pairs(l->path), l->e.run.pairs.file = l->path;
    ck_assert_msg(data_open(&l->e.data, &l->e.run, NULL, &err), "%s", err.text);
    l->k.pairs = &l->e.data.pairs;
    l->k.t = (Translator){.self = &l->k, .read = teacher_read};
    l->k.t.decoder =
        (Decoder){.self = &l->k, .vocab = l->e.data.task.outputs, .step = teacher_step};
    l->k.t.decoder.bos = BOS, l->k.t.decoder.eos = EOS, l->k.t.decoder.pad = PAD;
}

static Translation lesson_translate(Lesson *l)
{
    const TranslateConfig how = translate_defaults();
    json_decref(l->e.extra);
    l->k.next = 0;
    return translate_heldout(&l->e, &l->k.t, &how);
}

static void lesson_close(Lesson *l)
{
    if (l->e.run.pairs.file) unlink(l->path);
    json_decref(l->e.extra);
    data_close(&l->e.data);
}

static int code_points(const char *s)
{
    int n = 0;
    for (; *s; s++) n += (*s & 0xC0) != 0x80;
    return n;
}

/* An output is right if its tokens are right; spaces do not matter. Rows of the table have equal widths, and
 * the last length of a row belongs to it. */
START_TEST(right_answers)
{
    Lesson l;
    lesson_open(&l, NULL);
    l.config.examples = 50;
    const Translation q = lesson_translate(&l);
    int n[QUALITY_ROWS] = {0};
    ck_assert_int_eq(l.e.data.task.length, LONGEST);
    ck_assert_int_eq(q.width, LONGEST / QUALITY_ROWS);
    ck_assert(q.all.n == 50 && q.all.right == 50 && q.all.bleu.tokenizer == BLEU_NONE);
    for (int i = 0; i < 50; i++)
        n[(pairs_item(l.k.pairs, SPLIT_TEST, i)->n_source - 1) / q.width]++;
    for (int i = 0; i < QUALITY_ROWS; i++)
        ck_assert(q.row[i].n == n[i] && q.row[i].bleu.tokenizer == BLEU_NONE);
    lesson_close(&l);
    lesson_open(&l, "dates");
    l.config.examples = 5;
    ck_assert_int_eq(lesson_translate(&l).all.bleu.tokenizer, BLEU_CHAR);
    lesson_close(&l);
}
END_TEST

/* With words as tokens, one space between two words counts as a character. Each output lacks its last word. */
START_TEST(character_errors)
{
    Lesson l;
    lesson_open(&l, NULL);
    l.config.examples = 50, l.k.dropped = 1;
    const Translation q = lesson_translate(&l);
    int missing = 0, all = 0;
    for (int i = 0; i < 50; i++) {
        const char *tokens = pairs_item(l.k.pairs, SPLIT_TEST, i)->target_tokens;
        const char *space = strrchr(tokens, ' ');
        missing += code_points(space ? space : tokens);
        all += code_points(tokens);
    }
    ck_assert_int_eq(q.all.right, 0);
    ck_assert_double_eq_tol(char_error_rate(&q.all.characters), (double)missing / all, 1e-12);
    lesson_close(&l);
}
END_TEST

/* A model that never predicts EOS is stopped at twice the source length plus 20, or at the end of its
 * positions, of which BOS takes the first. Its log p is the mean of one pair, for any number of pairs. */
START_TEST(outputs_without_end)
{
    static const struct {
        int longest, want; /* -1: 2 S + 20 */
    } c[] = {{0, -1}, {1000, -1}, {10, 9}, {2, 1}};
    Lesson l;
    lesson_open(&l, NULL);
    l.config.examples = 1, l.k.endless = true;
    for (int i = 0; i < LEN(c); i++) {
        l.k.t.longest = c[i].longest;
        lesson_translate(&l);
        ck_assert_int_eq(l.k.steps, c[i].want < 0 ? 2 * l.k.S + 20 : c[i].want);
    }
    lesson_close(&l);
    for (int beam = 1; beam <= 3; beam += 2) {
        json_t *o = json_of(false, beam);
        const double log_p = json_real_value(json_object_get(o, "log_probability"));
        ck_assert_double_eq_tol(log_p, -log(24),
                                1e-6); /* EOS first: one of 20 letters and 4 special tokens */
        json_decref(o);
    }
}
END_TEST

SUITE("translate",
      TESTS(a_number_that_is_none, cut_off_is_not_right, right_answers, character_errors,
            outputs_without_end),
      NO_ABORTS)
