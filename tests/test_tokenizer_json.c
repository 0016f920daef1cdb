/* A tokenizer written to JSON and read back; JSON of older runs. */
#include "tokenizer_help.h"

START_TEST(json_gives_the_same_ids)
{
    Rng rng = rng_make(7, RNG_TEST, 0);
    for (int k = 0; k < 200; k++) {
        char *text = random_text(&rng, 50, true), *other = random_text(&rng, 50, false);
        Tokenizer t = learn(units[k % UNITS], (TokenLayout)(k / UNITS % LAYOUTS), text), back;
        json_t *j = tokenizer_to_json(&t);
        char *dumped = json_dumps(j, 0);
        json_t *loaded = json_loads(dumped, JSON_REJECT_DUPLICATES, NULL);
        Error err;
        ck_assert_msg(tokenizer_from_json(&back, loaded, &err), "%s: %s", dumped, err.text);
        Tokenizer copy = tokenizer_copy(&back);
        tokenizer_free(&back);
        ck_assert(copy.kind == t.kind && copy.layout == t.layout && copy.size == t.size &&
                  copy.composed == t.composed);
        const Encoding a = tokenizer_encode(&t, other, strlen(other));
        const Encoding b = tokenizer_encode(&copy, other, strlen(other));
        ck_assert(a.n == b.n && a.unknown == b.unknown && a.first_unknown == b.first_unknown);
        ck_assert_mem_eq(a.ids, b.ids, (size_t)a.n * sizeof *a.ids);
        json_decref(j), json_decref(loaded);
        free(dumped), free(text), free(other), free(a.ids), free(b.ids);
        tokenizer_free(&t), tokenizer_free(&copy);
    }
}
END_TEST

/* JSON that older runs wrote, without layouts and normal forms, is read with its old meaning. */
START_TEST(json_of_older_runs)
{
    static const struct {
        const char *json;
        TokenLayout layout;
        bool composed;
        int size;
    } old[] = {{"{\"unit\":\"byte\"}", TOKENS_STREAM, true, 256},
               {"{\"unit\":\"char\",\"symbols\":\"ae\\u0301\"}", TOKENS_STREAM, false, 4},
               {"{\"unit\":\"char\",\"symbols\":[\"b\",\"a\"]}", TOKENS_FRAMED, true, 6},
               {"{\"unit\":\"word\",\"symbols\":[\"b\",\"a\"]}", TOKENS_FRAMED, true, 6}};
    for (int i = 0; i < LEN(old); i++) {
        json_t *j = json_loads(old[i].json, 0, NULL);
        Tokenizer t;
        Error err;
        ck_assert_msg(tokenizer_from_json(&t, j, &err), "%s", err.text);
        ck_assert(t.layout == old[i].layout && t.composed == old[i].composed);
        ck_assert_int_eq(t.size, old[i].size);
        if (i == 1) { /* the accent remains a separate character */
            const Encoding e = tokenizer_encode(&t, "e\u0301", 3);
            ck_assert(e.n == 2 && e.unknown == 0);
            free(e.ids);
        }
        tokenizer_free(&t);
        json_decref(j);
    }
}
END_TEST

SUITE("tokenizer_json", TESTS(json_gives_the_same_ids, json_of_older_runs), NO_ABORTS)
