/* Tests of the loader of others' weights: each feature of a rule on a small file made here, and
 * each error. */
#include "formats/weights_map.h"

#include "weights_help.h"

/* Two layers with the names of GPT-2. */
static Params model(void)
{
    Params ps = params_init(1);
    param(&ps, SHAPE(3, 2), 0, "embed");
    for (int i = 0; i < 2; i++) {
        param(&ps, SHAPE(2, 2), 0, "l%d.q", i);
        param(&ps, SHAPE(2, 2), 0, "l%d.k", i);
        param(&ps, SHAPE(2, 2), 0, "l%d.v", i);
    }
    return ps;
}

static const WeightRule RULE[] = {
    {.theirs = "wte.weight", .ours = "embed"},
    {.theirs = "h.*.c_attn.weight", .ours = "l*.q", .take = {COLUMNS, 0, 3}},
    {.theirs = "h.*.c_attn.weight", .ours = "l*.k", .take = {COLUMNS, 1, 3}},
    {.theirs = "h.*.c_attn.weight", .ours = "l*.v", .take = {COLUMNS, 2, 3}},
    {.theirs = "h.*.attn.bias", .ignored = "a causal mask"},
    {.theirs = "lm_head.weight", .ours = "embed", .flags = WEIGHT_TIED},
};

static bool load(const Folder *f, const WeightMap *map, Params *ps, WeightReport *r, Error *err)
{
    return weights_map_load(f->dir, map, ps, r, err);
}

static void expect_values(const Params *ps, const char *name, const float *want, int n)
{
    const Tensor *t = params_find(ps, name);
    ck_assert_int_eq(t->len, n);
    for (int i = 0; i < n; i++)
        ck_assert_msg(t->data[i] == (real)want[i], "%s[%d] is %g, not %g", name, i,
                      (double)t->data[i], (double)want[i]);
}
#define VALUES(ps, name, ...)                                                                      \
    expect_values(ps, name, (const float[]){__VA_ARGS__}, LEN(((const float[]){__VA_ARGS__})))

#define WTE                                                                                        \
    {                                                                                              \
        "wte.weight", 2, {3, 2}, 10                                                                \
    }
#define H0                                                                                         \
    {                                                                                              \
        "h.0.c_attn.weight", 2, {2, 6}, 100                                                        \
    }
#define H1                                                                                         \
    {                                                                                              \
        "h.1.c_attn.weight", 2, {2, 6}, 200                                                        \
    }
#define MASK                                                                                       \
    {                                                                                              \
        "h.1.attn.bias", 2, {2, 2}, 0                                                              \
    }

START_TEST(a_fused_product_a_mask_and_a_tied_head)
{
    Error err;
    WeightReport r;
    const WeightMap map = {.rule = RULE, .n = LEN(RULE), .prefix = "transformer."};
    static const Made plain[] = {WTE, H0, H1, MASK, {"lm_head.weight", 2, {3, 2}, 10}};
    static const Made prefixed[] = {{"transformer.wte.weight", 2, {3, 2}, 10},
                                    {"transformer.h.0.c_attn.weight", 2, {2, 6}, 100},
                                    {"transformer.h.1.c_attn.weight", 2, {2, 6}, 200}};
    for (int prefix = 0; prefix < 2; prefix++) {
        Folder f = folder();
        Params ps = model();
        write_tensors(&f, "model.safetensors", prefix ? prefixed : plain,
                      prefix ? LEN(prefixed) : LEN(plain));
        ck_assert_msg(load(&f, &map, &ps, &r, &err), "%s", err.text);
        ck_assert_int_eq(r.taken, 7);
        ck_assert_str_eq(r.ignored.text, prefix ? "" : "h.1.attn.bias");
        VALUES(&ps, "embed", 10, 11, 12, 13, 14, 15);
        VALUES(&ps, "l0.q", 100, 101, 106, 107);
        VALUES(&ps, "l0.k", 102, 103, 108, 109);
        VALUES(&ps, "l1.v", 204, 205, 210, 211);
        params_free(&ps);
        remove_folder(&f);
    }
}
END_TEST

/* Any tensor that does not match the rules is an error that names the tensor. */
START_TEST(nothing_is_guessed)
{
    const struct {
        Made made[6];
        int n;
        const char *message;
    } c[] = {
        {{WTE, H0}, 2, "no tensor of the file fills l1.q"},
        {{WTE, H0, H1, {"h.2.c_attn.weight", 2, {2, 6}, 0}},
         4,
         "\"h.2.c_attn.weight\": there is no parameter l*.q of layer 2"},
        {{WTE, H0, H1, {"extra", 1, {2}, 0}}, 4, "\"extra\": is not known"},
        {{WTE, H0, H1, {"h.x.attn.bias", 1, {2}, 0}}, 4, "\"h.x.attn.bias\": is not known"},
        {{{"wte.weight", 2, {2, 3}, 0}, H0, H1},
         3,
         "\"wte.weight\": has shape (2,3); embed in the model has (3,2)"},
        {{{"wte.weight", 1, {6}, 0}, H0, H1}, 3, "has shape (6); embed in the model has (3,2)"},
        {{WTE, {"h.0.c_attn.weight", 2, {2, 7}, 0}, H1}, 3, "has shape (2,7)"},
        {{WTE, H0, H1, {"lm_head.weight", 2, {3, 2}, 11}},
         4,
         "\"lm_head.weight\": differs from embed"},
        {{WTE, H0, H1, {"transformer.wte.weight", 2, {3, 2}, 10}},
         4,
         "\"wte.weight\": is in the files twice, with and without \"transformer.\""},
        {{{"lm_head.weight", 2, {3, 2}, 0}, H0, H1},
         3,
         "\"lm_head.weight\": needs the tensor that fills embed"},
    };
    const WeightMap map = {.rule = RULE, .n = LEN(RULE), .prefix = "transformer."};
    for (int i = 0; i < LEN(c); i++) {
        Error err = {{0}};
        WeightReport r;
        Folder f = folder();
        Params ps = model();
        write_tensors(&f, "model.safetensors", c[i].made, c[i].n);
        const bool ok = load(&f, &map, &ps, &r, &err);
        ck_assert_msg(!ok && strstr(err.text, c[i].message), "\"%s\" lacks: %s", err.text,
                      c[i].message);
        ck_assert_ptr_nonnull(strstr(err.text, f.dir));
        params_free(&ps);
        remove_folder(&f);
    }
}
END_TEST

/* Parameters may keep their values: all of them (partial), or those of one rule (optional). */
START_TEST(partial_and_optional)
{
    Error err;
    WeightReport r;
    static const Made trunk[] = {WTE, H0};
    WeightMap map = {.rule = RULE, .n = LEN(RULE), .partial = true};
    Folder f = folder();
    Params ps = model();
    write_tensors(&f, "model.safetensors", trunk, LEN(trunk));
    ck_assert_msg(load(&f, &map, &ps, &r, &err), "%s", err.text);
    ck_assert_int_eq(r.taken, 4);
    ck_assert_str_eq(r.fresh.text, "l1.q, l1.k, l1.v");
    write_tensors(&f, "model.safetensors", NULL, 0);
    ck_assert(!load(&f, &map, &ps, &r, &err));
    ck_assert_msg(strstr(err.text, "fills a parameter"), "%s", err.text);
    params_free(&ps);

    const WeightRule biased[] = {
        {.theirs = "w", .ours = "w"},
        {.theirs = "b", .ours = "b", .flags = WEIGHT_OPTIONAL},
    };
    static const Made no_bias[] = {{"w", 1, {2}, 5}};
    ps = params_init(1);
    param(&ps, SHAPE(2), 0, "w");
    param(&ps, SHAPE(2), 0, "b");
    write_tensors(&f, "model.safetensors", no_bias, 1);
    map = (WeightMap){.rule = biased, .n = 2};
    ck_assert_msg(load(&f, &map, &ps, &r, &err), "%s", err.text);
    ck_assert_str_eq(r.fresh.text, "b");
    params_free(&ps);
    remove_folder(&f);
}
END_TEST

/* nn.Linear's rows become our columns, gates are put in our order, parts are joined, a second bias
 * is added. */
START_TEST(transposed_permuted_joined_added)
{
    static const Made made[] = {{"ih", 2, {4, 3}, 0}, /* 2 gates of 2 rows: (gH,C) */
                                {"left", 2, {2, 1}, 50},
                                {"right", 2, {2, 1}, 60},
                                {"bias_ih", 1, {4}, 0},
                                {"bias_hh", 1, {4}, 100}};
    const WeightRule rule[] = {
        {.theirs = "ih",
         .ours = "w",
         .take = {COLUMNS, 0, 2},
         .put = {COLUMNS, 1, 2},
         .flags = WEIGHT_TRANSPOSED},
        {.theirs = "ih",
         .ours = "w",
         .take = {COLUMNS, 1, 2},
         .put = {COLUMNS, 0, 2},
         .flags = WEIGHT_TRANSPOSED},
        {.theirs = "left", .ours = "both", .put = {COLUMNS, 0, 2}},
        {.theirs = "right", .ours = "both", .put = {COLUMNS, 1, 2}},
        {.theirs = "bias_hh", .ours = "b", .flags = WEIGHT_ADD},
        {.theirs = "bias_ih", .ours = "b"},
    };
    const WeightMap map = {.rule = rule, .n = LEN(rule)};
    Error err;
    WeightReport r;
    Folder f = folder();
    Params ps = params_init(1);
    param(&ps, SHAPE(3, 4), 0, "w");
    param(&ps, SHAPE(2, 2), 0, "both");
    param(&ps, SHAPE(4), 0, "b");
    write_tensors(&f, "model.safetensors", made, LEN(made));
    ck_assert_msg(load(&f, &map, &ps, &r, &err), "%s", err.text);
    VALUES(&ps, "w", 6, 9, 0, 3, 7, 10, 1, 4, 8, 11, 2, 5);
    VALUES(&ps, "both", 50, 60, 51, 61);
    VALUES(&ps, "b", 100, 102, 104, 106);
    params_free(&ps);
    remove_folder(&f);
}
END_TEST

/* A bias that is there with and without the prefix would be added twice. */
START_TEST(twice_with_and_without_prefix)
{
    static const Made made[] = {
        {"bias_ih", 1, {4}, 0}, {"bias_hh", 1, {4}, 100}, {"net.bias_hh", 1, {4}, 100}};
    const WeightRule rule[] = {{.theirs = "bias_ih", .ours = "b"},
                               {.theirs = "bias_hh", .ours = "b", .flags = WEIGHT_ADD}};
    const WeightMap map = {.rule = rule, .n = LEN(rule), .prefix = "net."};
    Error err;
    WeightReport r;
    Folder f = folder();
    Params ps = params_init(1);
    param(&ps, SHAPE(4), 0, "b");
    write_tensors(&f, "model.safetensors", made, LEN(made));
    ck_assert(!load(&f, &map, &ps, &r, &err));
    ck_assert_msg(strstr(err.text, "\"bias_hh\": is in the files twice"), "%s", err.text);
    write_tensors(&f, "model.safetensors", made, LEN(made) - 1);
    ck_assert_msg(load(&f, &map, &ps, &r, &err), "%s", err.text);
    VALUES(&ps, "b", 100, 102, 104, 106);
    params_free(&ps);
    remove_folder(&f);
}
END_TEST

/* Two errors: half of a tensor is not used, and half of a parameter is not filled. */
START_TEST(parts_that_are_missing)
{
    static const Made made[] = {{"a", 2, {4, 2}, 0}};
    const WeightRule half[] = {{.theirs = "a", .ours = "w", .take = {ROWS, 1, 2}}};
    const WeightRule joined[] = {{.theirs = "a", .ours = "w2", .put = {ROWS, 0, 2}},
                                 {.theirs = "b", .ours = "w2", .put = {ROWS, 1, 2}}};
    Error err;
    WeightReport r;
    Folder f = folder();
    write_tensors(&f, "model.safetensors", made, 1);
    Params ps = params_init(1);
    param(&ps, SHAPE(2, 2), 0, "w");
    WeightMap map = {.rule = half, .n = 1};
    ck_assert(!load(&f, &map, &ps, &r, &err));
    ck_assert_msg(strstr(err.text, "\"a\": is used only in part"), "%s", err.text);
    VALUES(&ps, "w", 4, 5, 6, 7);
    params_free(&ps);
    ps = params_init(1);
    param(&ps, SHAPE(8, 2), 0, "w2");
    map = (WeightMap){.rule = joined, .n = 2, .partial = true};
    ck_assert(!load(&f, &map, &ps, &r, &err));
    ck_assert_msg(strstr(err.text, "fills all of w2"), "%s", err.text);
    params_free(&ps);
    remove_folder(&f);
}
END_TEST

START_TEST(shards)
{
    static const Made one[] = {WTE, H1}, two[] = {H0};
#define INDEX(h0, file)                                                                            \
    "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {\"wte.weight\": "                        \
    "\"model-1.safetensors\", "                                                                    \
    "\"h.1.c_attn.weight\": \"model-1.safetensors\", \"" h0 "\": \"" file "\"}}"
    const struct {
        const char *index, *message;
    } c[] = {
        {INDEX("h.0.c_attn.weight", "model-2.safetensors"), NULL},
        {INDEX("h.0.c_attn.weight", "model-1.safetensors"), "is not in model-1.safetensors"},
        {INDEX("h.7.c_attn.weight", "model-2.safetensors"), "is not in model-2.safetensors"},
        {INDEX("h.0.c_attn.weight", "model-3.safetensors"), "model-3.safetensors: cannot be read"},
        {INDEX("h.0.c_attn.weight", "../model-2.safetensors"),
         "must be in the directory of the index"},
        {"{\"weight_map\": {\"wte.weight\": \"model-1.safetensors\"}}", "is not in the index"},
        {"{\"weight_map\": {\"wte.weight\": 1}}", "must be a string"},
        {"{}", "weight_map is missing"},
        {"[", "index.json:1:1"},
    };
    const WeightMap map = {.rule = RULE, .n = LEN(RULE)};
    Folder f = folder();
    char *index = xformat("%s/model.safetensors.index.json", f.dir);
    write_tensors(&f, "model-1.safetensors", one, LEN(one));
    write_tensors(&f, "model-2.safetensors", two, LEN(two));
    for (int i = 0; i < LEN(c); i++)
        for (int by_name = 0; by_name < 2; by_name++) {
            Error err = {{0}};
            WeightReport r;
            Params ps = model();
            ck_assert_msg(file_write(index, c[i].index, strlen(c[i].index), &err), "%s", err.text);
            const bool ok = weights_map_load(by_name ? index : f.dir, &map, &ps, &r, &err);
            ck_assert_msg(ok == !c[i].message, "%d: %s", i, err.text);
            ck_assert_msg(ok || strstr(err.text, c[i].message), "\"%s\" lacks: %s", err.text,
                          c[i].message);
            if (ok) VALUES(&ps, "l0.k", 102, 103, 108, 109);
            params_free(&ps);
        }
    free(index);
    remove_folder(&f);
}
END_TEST

SUITE("weights_map",
      TESTS(a_fused_product_a_mask_and_a_tied_head, nothing_is_guessed, partial_and_optional,
            transposed_permuted_joined_added, parts_that_are_missing, twice_with_and_without_prefix,
            shards),
      NO_ABORTS)
