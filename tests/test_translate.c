/* What is said of translations, also of those of a model that is broken. */
#include "suite.h"
#include "translate.h"

static void read_nothing(void *self, const int *source, int S)
{
    (void)self;
    ck_assert(source && S >= 1);
}

/* The same logit for all, or no number. */
static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    const Translator *t = self;
    ck_assert(parent && token);
    for (int i = 0; i < n * t->decoder.vocab; i++) logits[i] = t->longest ? 0 : (real)NAN;
}

/* The JSON of a few pairs, translated by a model that is broken or only ignorant; json_decref it. */
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

/* JSON has no infinity: it is null, and the other numbers are there. */
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

/* Always the first letter, and never EOS. */
static void step_on_and_on(void *self, int n, const int *parent, const int *token, real *logits)
{
    const Translator *t = self;
    ck_assert(parent && token);
    for (int i = 0; i < n * t->decoder.vocab; i++)
        logits[i] = i % t->decoder.vocab == UNK + 1 ? 100 : 0; /* "a", the most frequent */
}

/* Every fifth source of one word has for its target the 22 words at which an output is cut off: it has
 * them all, but was not at its end. (Such pairs are left out of training, since others are held out.) */
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
        ck_assert(json_real_value(json_object_get(e.extra, "bleu")) > 50); /* word by word right */
        ck_assert(json_real_value(json_object_get(e.extra, "exact")) == 0);
        json_decref(e.extra);
        data_close(&e.data);
    }
    remove(path);
}
END_TEST

SUITE("translate", TESTS(a_number_that_is_none, cut_off_is_not_right), NO_ABORTS)
