/* Vocabularies of pairs: learned, given, and in a config. */
#include "pairs_files_help.h"

#include "data/data.h"

/* Vocabularies have only words that occur twice in the training text, so UNK occurs in training
 * too. */
START_TEST(vocabulary_of_training_pairs)
{
    Lines l = sample(1000, 0);
    Opened *o = open_bytes(l.text, l.len, pairs_defaults());
    const Pairs *p = &o->pairs;
    ck_assert_int_eq(p->source.size, FIRST_PIECE + 2); /* "source" and "a"; each number is alone */
    ck_assert_str_eq(p->source.symbols.string[FIRST_PIECE], "a");
    ck_assert_double_eq_tol(p->unknown[0], 1 / 3., 1e-12);
    for (int i = 0; i < p->n[SPLIT_TEST]; i++) {
        const Pair *pair = pairs_item(p, SPLIT_TEST, i);
        ck_assert(pair->n_source == 3 && pair->source[1] == UNK);
        ck_assert_ptr_null(strstr(pair->target_tokens, "<unk>")); /* the reference has no UNK */
    }
    int n;
    char *unknown;
    free(pairs_encode_source(p, "source 5, a", &n, &unknown));
    ck_assert(n == 4);
    ck_assert_str_eq(unknown, "5 ,");
    free(unknown);
    close_pairs(o);

    PairsConfig c = pairs_defaults();
    c.unit = "char", c.vocab_limit = 5;
    o = open_bytes(l.text, l.len, c);
    ck_assert_int_eq(o->pairs.source.size, FIRST_PIECE + 5);
    close_pairs(o);
    free(l.text);
}
END_TEST

START_TEST(given_vocabularies)
{
    static const char *const words[] = {"b", "source"};
    Lines l = sample(300, 0);
    Tokenizer source = tokenizer_of(token_kind("word"), TOKENS_FRAMED, words, 2),
              target = tokenizer_of(token_kind("word"), TOKENS_FRAMED, words, 1);
    PairsConfig c = pairs_defaults();
    c.file = put_file(l.text, l.len);
    Pairs p;
    Task t;
    Error err;
    ck_assert(pairs_open(&p, &t, &c, &source, &target, &err));
    ck_assert(t.source_vocab == 6 && t.vocab == 5 && t.outputs == 5);
    ck_assert(p.pair[0][0].source[0] == 5 && p.pair[0][0].target[1] == 4);
    pairs_close(&p);
    c.unit = "char";
    ck_assert(!pairs_open(&p, &t, &c, &source, &target, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "unit is word, the data's char"));
    unlink(c.file);
    tokenizer_free(&source), tokenizer_free(&target);
    free(l.text);
}
END_TEST
START_TEST(vocabularies_in_a_config)
{
    DataConfig c = data_defaults();
    c.of_pairs = true;
    c.pairs.task = "numbers", c.pairs.items = 20;
    Data d, again;
    Error err;
    ck_assert_msg(data_open(&d, &c, NULL, &err), "%s", err.text);
    ck_assert_str_eq(data_name(&c), "numbers");
    ck_assert_str_eq(data_metric_name(&d), "token accuracy");
    json_t *config = json_object();
    vocabularies_to_json(&d, config);
    ck_assert(json_object_size(config) == 3);
    ck_assert_int_eq(json_integer_value(json_object_get(config, "longest_pair")), d.task.length);
    Vocabularies v;
    ck_assert_msg(vocabularies_from_json(&v, config, &err), "%s", err.text);
    c.pairs.items = 0; /* the training words change, the ids do not */
    ck_assert(data_open(&again, &c, &v, &err));
    ck_assert_int_eq(again.task.outputs, d.task.outputs);
    for (int id = 0; id < d.task.outputs; id++)
        ck_assert_str_eq(again.pairs.target.symbols.string[id], d.pairs.target.symbols.string[id]);
    vocabularies_free(&v);
    data_close(&again), data_close(&d);

    json_object_del(config, "source_vocab");
    ck_assert(!vocabularies_from_json(&v, config, &err));
    ck_assert_str_eq(err.text, "source_vocab is missing, but there is a target_vocab");
    json_object_set_new(config, "source_vocab", json_pack("{s:s}", "unit", "word"));
    ck_assert(!vocabularies_from_json(&v, config, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "symbols"));
    json_decref(config);
}
END_TEST

SUITE("pairs_vocabularies",
      TESTS(vocabulary_of_training_pairs, given_vocabularies, vocabularies_in_a_config), NO_ABORTS)
