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

SUITE("translate", TESTS(a_number_that_is_none), NO_ABORTS)
