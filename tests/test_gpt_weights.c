/* Hugging Face's weights: folders that transformers wrote give its logits; what gpt_export writes comes back; each
 * error names the file and the key or the tensor. */
#include "golden.h"
#include "gpt/weights.h"
#include "gpt_help.h"
#include "temp_dir.h"

static const char *const networks[] = {"gpt1", "gpt2", "untied"};

typedef struct {
    GptConfig config;
    int V;
    Params ps;
    Gpt m;
    Model model;
} Imported;

/* Reads a folder, or the config.json of a folder and the weights of another path. */
static bool import(Imported *n, const char *folder, const char *weights, Error *err)
{
    *n = (Imported){0};
    if (!gpt_read_config(folder, &n->config, &n->V, err)) return false;
    n->ps = params_declare(0);
    n->m = gpt_init(&n->ps, &n->config, n->V);
    n->model = gpt_model(&n->m);
    params_allocate(&n->ps, PARAMS_LOAD);
    return gpt_import(weights ? weights : folder, &n->m, &n->ps, err);
}

/* Checks that the network gives the logits that transformers computed. */
static void ck_logits(const Imported *n, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/gpt-%s.safetensors", name);
    Golden g = golden_open(path);
    const Tensor *want = golden_tensor(&g, "logits");
    Batch batch = {.layout = BATCH_MAJOR, .B = want->shape.d[0], .T = want->shape.d[1]};
    batch.x = golden_ids(&g, "ids"), batch.y = golden_ids(&g, "targets");
    const Tensor *z = n->model.forward(&g.tape, n->model.self, &batch, NULL, NULL);
    golden_equal(&g, "logits", z->data, z->len, 1e-5);
    golden_close(&g);
}

START_TEST(folders_of_transformers)
{
    for (int k = 0; k < LEN(networks); k++) {
        char folder[64];
        Imported n;
        Error err;
        snprintf(folder, sizeof folder, "tests/golden/gpt-%s-hf", networks[k]);
        ck_assert_msg(import(&n, folder, NULL, &err), "%s", err.text);
        ck_assert(n.config.tied == (k < 2) && n.config.gelu == (k < 2 ? GPT_TANH : GPT_ERF));
        ck_assert(n.config.norm == (k ? GPT_PRE_NORM : GPT_POST_NORM) && n.config.context == 9);
        ck_logits(&n, networks[k]);
        params_free(&n.ps);
    }
}
END_TEST

/* Every parameter comes back bit for bit. */
START_TEST(round_trip)
{
    for (int k = 0; k < 4; k++) {
        GptConfig c = variant(k);
        if (c.norm == GPT_POST_NORM) c.gelu = GPT_TANH;
        Net *n = net_new(c);
        TempDir d = temp_dir();
        char folder[160];
        Imported back;
        Error err;
        Rng rng = rng_make(7, RNG_TEST, 0);
        for (size_t i = 0; i < n->ps.len; i++) n->ps.value[i] = (real)rng_normal(&rng);
        temp_name(&d, "new/folder", folder);
        ck_assert_msg(gpt_export(folder, &n->m, &n->ps, NULL, &err), "%s", err.text);
        ck_assert_msg(import(&back, folder, NULL, &err), "%s", err.text);
        ck_assert_int_eq(back.ps.n, n->ps.n);
        for (int i = 0; i < n->ps.n; i++) {
            const Tensor *a = n->ps.tensor[i], *b = back.ps.tensor[i];
            ck_assert_str_eq(a->name, b->name);
            ck_assert_mem_eq(a->data, b->data, (size_t)a->len * sizeof *a->data);
        }
        params_free(&back.ps);
        ck_assert(!gpt_export(folder, &n->m, &n->ps, NULL, &err)); /* the folder has files now */
        remove_tree(d.path);
        net_free(n);
    }
}
END_TEST

/* Writes the tensors of a golden folder to a file, changed: names without the prefix, a mask, a head. */
static void rewrite(const char *folder, const char *path, bool prefix, bool mask, const real *head,
                    const char *without)
{
    Safetensors st;
    Error err;
    StTensor t[64];
    char *from = xformat("%s/model.safetensors", folder);
    const real zeros[T * T] = {0};
    int n = 0;
    ck_assert_msg(safetensors_open(&st, from, &err), "%s", err.text);
    for (int i = 0; i < st.n; i++) {
        t[n] = st.tensor[i];
        if (!prefix && strncmp(t[n].name, "transformer.", 12) == 0) t[n].name += 12;
        n += !without || strcmp(t[n].name, without) != 0;
    }
    if (mask)
        t[n++] = (StTensor){.name = "h.0.attn.bias",
                            .dtype = REAL_NAME,
                            .axes = 4,
                            .d = {1, 1, T, T},
                            .data = zeros,
                            .size = sizeof zeros};
    if (head)
        t[n++] = (StTensor){.name = "lm_head.weight",
                            .dtype = REAL_NAME,
                            .axes = 2,
                            .d = {V, 8},
                            .data = head,
                            .size = V * 8 * sizeof *head};
    ck_assert_msg(safetensors_save(path, t, n, NULL, &err), "%s", err.text);
    safetensors_close(&st);
    free(from);
}

/* Names without the prefix, masks and a head that equals the embedding are read; a head that differs, a missing
 * and an unknown tensor are errors that name the tensor. */
START_TEST(files_of_others)
{
    static const char folder[] = "tests/golden/gpt-gpt2-hf";
    TempDir d = temp_dir();
    char path[160];
    Imported n;
    Error err;
    temp_name(&d, "weights.safetensors", path);
    ck_assert(import(&n, folder, NULL, &err));
    real head[V * 8];
    memcpy(head, n.m.word->data, sizeof head);
    params_free(&n.ps);

    rewrite(folder, path, false, true, head, NULL);
    ck_assert_msg(import(&n, folder, path, &err), "%s", err.text);
    ck_logits(&n, "gpt2");
    params_free(&n.ps);
    head[3] += 1;
    rewrite(folder, path, true, false, head, NULL);
    ck_assert(!import(&n, folder, path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "lm_head.weight"));
    params_free(&n.ps);
    rewrite(folder, path, true, false, NULL, "transformer.h.1.mlp.c_fc.bias");
    ck_assert(!import(&n, folder, path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "block1.up.b"));
    params_free(&n.ps);
    ck_assert(!import(&n, folder, "tests/golden/gpt-untied-hf", &err)); /* a head of its own */
    ck_assert_ptr_nonnull(strstr(err.text, "lm_head.weight"));
    params_free(&n.ps);
    remove_tree(d.path);
}
END_TEST

/* A folder of shards. */
START_TEST(shards)
{
    static const char folder[] = "tests/golden/gpt-gpt2-hf";
    TempDir d = temp_dir();
    char path[160], name[64];
    Safetensors st;
    Imported n;
    Error err;
    ck_assert(safetensors_open(&st, "tests/golden/gpt-gpt2-hf/model.safetensors", &err));
    json_t *map = json_object();
    for (int k = 0, first = 0; k < 2; k++) {
        const int end = k ? st.n : st.n / 3;
        snprintf(name, sizeof name, "model-%d.safetensors", k);
        temp_name(&d, name, path);
        ck_assert(safetensors_save(path, st.tensor + first, end - first, NULL, &err));
        for (; first < end; first++)
            json_object_set_new(map, st.tensor[first].name, json_string(name));
    }
    json_t *index = json_pack("{s:o}", "weight_map", map);
    temp_name(&d, "model.safetensors.index.json", path);
    ck_assert(json_write(path, index, &err));
    json_decref(index);
    safetensors_close(&st);
    ck_assert_msg(import(&n, folder, d.path, &err), "%s", err.text);
    ck_logits(&n, "gpt2");
    params_free(&n.ps);
    remove_tree(d.path);
}
END_TEST

/* A config.json that asks for what our block does not have. */
START_TEST(configs_that_do_not_fit)
{
    static const char *const bad[][2] = {
        {"model_type", "\"llama\""},
        {"n_layer", "0"},
        {"n_layer", "129"},
        {"n_embd", "7"},
        {"n_head", "\"2\""},
        {"vocab_size", "2.5"},
        {"n_positions", "-1"},
        {"activation_function", "\"relu\""},
        {"n_inner", "33"},
        {"layer_norm_epsilon", "1e-6"},
        {"scale_attn_weights", "false"},
        {"scale_attn_by_inverse_layer_idx", "true"},
        {"add_cross_attention", "true"},
    };
    TempDir d = temp_dir();
    char path[160];
    GptConfig c;
    int vocab;
    Error err;
    temp_name(&d, "config.json", path);
    ck_assert(!gpt_read_config(d.path, &c, &vocab, &err));
    for (int i = 0; i < LEN(bad); i++) {
        json_t *j = json_read("tests/golden/gpt-gpt2-hf/config.json", &err);
        json_object_set_new(j, bad[i][0], json_loads(bad[i][1], JSON_DECODE_ANY, NULL));
        ck_assert(json_write(path, j, &err));
        json_decref(j);
        ck_assert_msg(!gpt_read_config(d.path, &c, &vocab, &err), "%s", bad[i][0]);
        ck_assert_msg(strstr(err.text, bad[i][0]) && strstr(err.text, path), "%s", err.text);
    }
    remove_tree(d.path);
}
END_TEST

/* transformers has no model with GPT-1's norms and the exact GELU. */
START_TEST(no_such_model_there)
{
    TempDir d = temp_dir();
    char folder[160];
    GptConfig c = small;
    c.norm = GPT_POST_NORM, c.gelu = GPT_ERF;
    Net *n = net_new(c);
    Error err;
    temp_name(&d, "x", folder);
    ck_assert(!gpt_export(folder, &n->m, &n->ps, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--gelu tanh"));
    net_free(n);
    remove_tree(d.path);
}
END_TEST

/* The tokenizer of a run goes with its weights; 256 tokens without one are bytes. */
START_TEST(tokenizers)
{
    TempDir d = temp_dir();
    char folder[160];
    Net *n = net_new(small);
    Tokenizer t = tokenizer_learn(token_kind("char"), TOKENS_STREAM, "abcdefghij", 10, 1, 0), back;
    Error err;
    ck_assert_int_eq(t.size, V);
    temp_name(&d, "x", folder);
    ck_assert(gpt_export(folder, &n->m, &n->ps, &t, &err));
    ck_assert_msg(gpt_import_tokens(folder, V, &back, &err), "%s", err.text);
    ck_assert_int_eq(tokenizer_id(&back, "c"), tokenizer_id(&t, "c"));
    tokenizer_free(&back);
    ck_assert(!gpt_import_tokens(folder, V + 1, &back, &err));
    ck_assert(!gpt_import_tokens("tests/golden/gpt-gpt2-hf", V, &back, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no tokenizer"));
    ck_assert(gpt_import_tokens("tests/golden/gpt-gpt2-hf", 256, &back, &err));
    ck_assert_str_eq(tokenizer_unit(&back), "byte");
    tokenizer_free(&back), tokenizer_free(&t);
    net_free(n);
    remove_tree(d.path);
}
END_TEST

SUITE("gpt_weights",
      TESTS(folders_of_transformers, round_trip, files_of_others, shards, configs_that_do_not_fit,
            no_such_model_there, tokenizers),
      NO_ABORTS)
