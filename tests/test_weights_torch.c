/* Recurrent networks of PyTorch: a bias, the names or the sizes decide which matrix is the
 * embedding and which the head. If none of them does, the reader fails. */
#include "formats/weights.h"

#include <string.h>
#include <unistd.h>

#include "formats/safetensors.h"
#include "suite.h"
#include "system/file.h"

enum { V = 2 };

typedef struct {
    const char *name;
    int axes, d[2];
    float value; /* the value of every element */
} Made;

/* An nn.RNN without biases, C channels in and H out, with two more matrices. */
static bool open_with(Weights *w, const char *vocab, int C, int H, const Made *more, int n,
                      Error *err)
{
    char dir[] = "/tmp/lmzoo-XXXXXX";
    static float values[4][16];
    const Made rnn[] = {{"r.weight_ih_l0", 2, {H, C}, 1}, {"r.weight_hh_l0", 2, {H, H}, 2}};
    StTensor t[6];
    for (int i = 0; i < 2 + n; i++) {
        const Made *m = i < 2 ? &rnn[i] : &more[i - 2];
        const int len = m->d[0] * (m->axes == 2 ? m->d[1] : 1);
        float *at = i < 4 ? values[i] : xcalloc((size_t)len, sizeof *at);
        for (int k = 0; k < len; k++) at[k] = m->value;
        t[i] = (StTensor){.name = m->name,
                          .dtype = "F32",
                          .axes = m->axes,
                          .d = {m->d[0], m->axes == 2 ? m->d[1] : 0},
                          .data = at,
                          .size = (size_t)len * sizeof(float)};
    }
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *file = xformat("%s/x.safetensors", dir), *table = xformat("%s/vocab.json", dir);
    ck_assert(safetensors_save(file, t, 2 + n, NULL, err));
    ck_assert(file_write(table, vocab, strlen(vocab), err));
    for (int i = 4; i < 2 + n; i++) free((void *)t[i].data);
    const bool ok = weights_open(w, file, NULL, err);
    unlink(file), unlink(table), rmdir(dir);
    free(file), free(table);
    return ok;
}

static bool open_made(Weights *w, int C, int H, const Made *more, int n, Error *err)
{
    return open_with(w, "{\"a\": 0, \"b\": 1}", C, H, more, n, err);
}

START_TEST(the_embedding_is_told_from_the_head)
{
    const struct {
        int C, H;
        Made more[3]; /* the embedding is all 5, the head all 7 */
        int n;
        const char *message;
    } c[] = {
        {3,
         3,
         {{"z.weight", 2, {V, 3}, 5}, {"a.weight", 2, {V, 3}, 7}, {"a.bias", 1, {V}, 0}},
         3,
         NULL},
        {3,
         3,
         {{"a.weight", 2, {V, 3}, 5}, {"z.weight", 2, {V, 3}, 7}, {"z.bias", 1, {V}, 0}},
         3,
         NULL},
        {3, 3, {{"z_embedding.weight", 2, {V, 3}, 5}, {"a.weight", 2, {V, 3}, 7}}, 2, NULL},
        {3, 3, {{"encoder.weight", 2, {V, 3}, 5}, {"decoder.weight", 2, {V, 3}, 7}}, 2, NULL},
        {3, 2, {{"z.weight", 2, {V, 3}, 5}, {"a.weight", 2, {V, 2}, 7}}, 2, NULL},
        {3, 3, {{"tok.weight", 2, {V, 3}, 5}, {"unembed.weight", 2, {V, 3}, 7}}, 2, NULL},
        {3, 3, {{"z_emb.weight", 2, {V, 3}, 5}, {"output_emb.weight", 2, {V, 3}, 7}}, 2, NULL},
        {3, 3, {{"decoder.emb.weight", 2, {V, 3}, 5}, {"fc.weight", 2, {V, 3}, 7}}, 2, NULL},
        {3, 2, {{"unembed.weight", 2, {V, 3}, 5}, {"emb.weight", 2, {V, 2}, 7}}, 2, NULL},
        {3,
         3,
         {{"emb.weight", 2, {V, 3}, 5}, {"a.weight", 2, {V, 3}, 7}, {"emb.bias", 1, {V}, 0}},
         3,
         "they contradict each other"},
        {3,
         3,
         {{"a.weight", 2, {V, 3}, 5}, {"z.weight", 2, {V, 3}, 7}},
         2,
         "do not say which is the embedding"},
        {3, 3, {{"emb.weight", 2, {V, 3}, 5}}, 1, "it has 1 matrices"},
        {3,
         3,
         {{"emb.weight", 2, {V, 3}, 5}, {"a.weight", 2, {V, 3}, 7}, {"b.weight", 2, {V, 3}, 7}},
         3,
         "it has 3 matrices"},
        {3,
         3,
         {{"emb.weight", 2, {V, 3}, 5}, {"a.weight", 2, {V, 3}, 7}, {"odd", 1, {V}, 7}},
         3,
         "\"odd\": is not known"},
        {3,
         2,
         {{"emb.weight", 2, {V, 2}, 5}, {"a.weight", 2, {V, 2}, 7}},
         2,
         "has shape (2,2); embed in the model has (2,3)"},
    };
    for (int i = 0; i < LEN(c); i++) {
        Weights w;
        Error err = {{0}};
        const bool ok = open_made(&w, c[i].C, c[i].H, c[i].more, c[i].n, &err);
        ck_assert_msg(ok == !c[i].message, "%d: %s", i, err.text);
        ck_assert_msg(ok || strstr(err.text, c[i].message), "\"%s\" lacks: %s", err.text,
                      c[i].message);
        if (!ok) continue;
        ck_assert(w.embed->data[0] == 5 && w.head.w->data[0] == 7);
        ck_assert_int_eq(w.head.b != NULL, c[i].n == 3);
        weights_close(&w);
    }
}
END_TEST

/* A vocabulary is an object of places or a list; each character needs a row of its own. */
START_TEST(vocabularies)
{
    const Made more[] = {{"encoder.weight", 2, {V, 3}, 5}, {"decoder.weight", 2, {V, 3}, 7}};
    const struct {
        const char *vocab, *message;
    } c[] = {{"{\"b\": 0, \"a\": 1}", NULL},         {"[\"b\", \"a\"]", NULL},
             {"[\"b\", \"b\"]", "has 1 characters"}, {"[\"b\"]", "has 1 characters"},
             {"[\"b\", 7]", "has 1 characters"},     {"[\"b\", \"aa\"]", "is not one character"}};
    for (int i = 0; i < LEN(c); i++) {
        Weights w;
        Error err = {{0}};
        const bool ok = open_with(&w, c[i].vocab, 3, 3, more, 2, &err);
        ck_assert_msg(ok == !c[i].message, "%d: %s", i, err.text);
        ck_assert_msg(ok || strstr(err.text, c[i].message), "%s", err.text);
        if (!ok) continue;
        const Encoding a = tokenizer_encode(&w.tokens, "a", 1),
                       b = tokenizer_encode(&w.tokens, "b", 1);
        ck_assert(w.row[a.ids[0]] == 1 && w.row[b.ids[0]] == 0);
        free(a.ids), free(b.ids);
        weights_close(&w);
    }
}
END_TEST

SUITE("weights_torch", TESTS(the_embedding_is_told_from_the_head, vocabularies), NO_ABORTS)
