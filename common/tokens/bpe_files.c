#include "tokens/bpe_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "system/file.h"
#include "tokens/bpe_build.h"

enum { LARGEST = 1 << 28 }; /* bytes of a file of merges */

/* The names of the two files, first the vocabulary. */
static const char *const pairs[][2] = {{"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}};
static const char *const PAIRS_TEXT = "vocab.json and merges.txt, encoder.json and vocab.bpe";

static bool read_merges(Tokenizer *t, const char *path, Error *err)
{
    char *text;
    size_t len;
    if (!file_read_regular(path, LARGEST, &text, &len, err)) return false;
    const bool ok = bpe_merge_text(t, text, len, err) || error_in(err, path);
    free(text);
    return ok;
}

static bool read_two(Tokenizer *out, const char *vocab_path, const char *merges_path, Error *err)
{
    TokenNames names = {0};
    Tokenizer t = {0};
    json_t *vocab = json_read(vocab_path, err);
    if (!vocab) return false;
    bool ok = (names_put_object(&names, vocab, err) && bpe_from_names(&t, &names, err)) ||
              error_in(err, vocab_path);
    ok = ok && read_merges(&t, merges_path, err);
    ok = ok && (bpe_find_specials(&t, err) || error_in(err, vocab_path));
    names_free(&names);
    json_decref(vocab);
    if (ok)
        *out = t;
    else
        tokenizer_free(&t);
    return ok;
}

/* Reads a file that has the whole tokenizer: tokenizer.json, or the config.json of a run. */
static bool read_one(Tokenizer *t, const char *path, Error *err)
{
    json_t *j = json_read(path, err);
    if (!j) return false;
    const json_t *vocab = json_object_get(j, "vocab");
    bool ok;
    if (json_object_get(vocab, "unit"))
        ok = tokenizer_from_json(t, vocab, err);
    else if (json_object_get(j, "model"))
        ok = bpe_from_tokenizer_json(t, j, err);
    else
        ok = error_set(err, "is not a tokenizer.json; give %s, or tokenizer.json", PAIRS_TEXT);
    if (ok && !t->bpe) {
        ok =
            error_set(err, "the tokenizer of this run has the unit %s, not bpe", tokenizer_unit(t));
        tokenizer_free(t);
    }
    json_decref(j);
    return ok || error_in(err, path);
}

/* Returns true if the path ends with the name; *stem is what stands before it. */
static bool ends_with(const char *path, const char *name, int *stem)
{
    const size_t n = strlen(path), m = strlen(name);
    *stem = (int)(n - m);
    return n >= m && strcmp(path + n - m, name) == 0;
}

/* Reads the two files of which `path` is one. *is_pair is set to false if its name is no such
 * name. */
static bool read_pair(Tokenizer *t, const char *path, bool *is_pair, Error *err)
{
    for (int k = 0; k < LEN(pairs); k++) {
        for (int side = 0, stem; side < 2; side++) {
            if (!ends_with(path, pairs[k][side], &stem)) continue;
            char *vocab = xformat("%.*s%s", stem, path, pairs[k][0]);
            char *merges = xformat("%.*s%s", stem, path, pairs[k][1]);
            const bool ok = read_two(t, vocab, merges, err);
            free(vocab), free(merges);
            return ok;
        }
    }
    *is_pair = false;
    return false;
}

/* The files that a directory with a tokenizer has; the first one that is there is read. */
static const char *const main_files[] = {"vocab.json", "encoder.json", "tokenizer.json"};

/* Returns the path of the directory's file with the tokenizer, or NULL. The caller frees it. */
static char *main_file(const char *dir)
{
    for (int i = 0; i < LEN(main_files); i++) {
        char *path = xformat("%s/%s", dir, main_files[i]);
        if (file_exists(path)) return path;
        free(path);
    }
    return NULL;
}

bool bpe_has_files(const char *dir)
{
    char *path = main_file(dir);
    free(path);
    return path != NULL;
}

static bool read_directory(Tokenizer *t, const char *dir, Error *err)
{
    char *path = main_file(dir);
    if (!path) path = xformat("%s/config.json", dir);
    const bool found = file_exists(path), ok = found && bpe_read(t, path, err);
    free(path);
    if (found) return ok;
    return error_set(err, "%s: has no tokenizer; it must have %s, or tokenizer.json", dir,
                     PAIRS_TEXT);
}

bool bpe_read(Tokenizer *t, const char *path, Error *err)
{
    struct stat s;
    bool is_pair = true;
    if (stat(path, &s) == 0 && S_ISDIR(s.st_mode)) return read_directory(t, path, err);
    const bool ok = read_pair(t, path, &is_pair, err);
    return is_pair ? ok : read_one(t, path, err);
}

/* --- writing ---------------------------------------------------------------------------------------- */

static void print_merges(FILE *f, const void *arg)
{
    const Tokenizer *t = arg;
    fputs("#version: 0.2\n", f);
    for (int i = 0; i < t->bpe->n_merges; i++)
        fprintf(f, "%s %s\n", t->symbols.string[t->bpe->merge[i].left],
                t->symbols.string[t->bpe->merge[i].right]);
}

bool bpe_write(const Tokenizer *t, const char *dir, Error *err)
{
    CHECK(t->bpe && !t->bpe->digits_alone && !t->bpe->whole_pieces, "bpe_write: not GPT-2's kind");
    char *vocab_path = xformat("%s/vocab.json", dir), *merges_path = xformat("%s/merges.txt", dir);
    json_t *vocab = json_object();
    for (int id = 0; id < t->size; id++)
        json_object_set_new(vocab, t->symbols.string[id], json_integer(id));
    const bool ok =
        json_write(vocab_path, vocab, err) && file_print(merges_path, print_merges, t, err);
    json_decref(vocab);
    free(vocab_path), free(merges_path);
    return ok;
}
