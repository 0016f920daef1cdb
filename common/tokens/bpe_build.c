#include "tokens/bpe_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IDS = 1 << 24 };

/* --- the vocabulary ------------------------------------------------------------------------------- */

bool names_put(TokenNames *v, json_int_t id, const char *name, Error *err)
{
    if (!*name) return error_set(err, "id %lld has an empty token", (long long)id);
    if (id < 0 || id >= MOST_IDS)
        return error_set(err, "token \"%s\" has the id %lld; ids must be from 0 to %d", name,
                         (long long)id, MOST_IDS - 1);
    if (id >= v->room) {
        const int room = 2 * (int)id + 256;
        v->name = xrealloc(v->name, (size_t)room * sizeof *v->name);
        memset(v->name + v->room, 0, (size_t)(room - v->room) * sizeof *v->name);
        v->room = room;
    }
    if (v->name[id] && strcmp(v->name[id], name) != 0)
        return error_set(err, "tokens \"%s\" and \"%s\" have the same id, %lld", v->name[id], name,
                         (long long)id);
    v->name[id] = name;
    if (id >= v->n) v->n = (int)id + 1;
    return true;
}

bool names_put_object(TokenNames *v, const json_t *vocab, Error *err)
{
    const char *name;
    json_t *id;
    if (!json_is_object(vocab))
        return error_set(err, "the vocabulary is missing or not an object {token: id}");
    json_object_foreach((json_t *)vocab, name, id)
    {
        if (!json_is_integer(id))
            return error_set(err, "the id of token \"%s\" is not an integer", name);
        if (!names_put(v, json_integer_value(id), name, err)) return false;
    }
    return true;
}

void names_free(TokenNames *v)
{
    free(v->name);
    *v = (TokenNames){0};
}

static void find_bytes(Tokenizer *t)
{
    for (int byte = 0; byte < BYTE_VALUES; byte++) {
        char spelling[BYTE_SPELLED + 1];
        bytes_spell(&(char){(char)byte}, 1, spelling);
        t->bpe->byte_id[byte] = symbols_find(&t->symbols, spelling);
    }
}

bool bpe_from_names(Tokenizer *out, const TokenNames *v, Error *err)
{
    Tokenizer t = bpe_new();
    symbols_free(&t.symbols);
    t.symbols = symbols_new(NULL, 0);
    bool ok = v->n > 0 || error_set(err, "the vocabulary is empty");
    for (int id = 0; id < v->n && ok; id++) {
        if (!v->name[id])
            ok = error_set(err, "the vocabulary has %d ids, but no token has the id %d", v->n, id);
        else if (symbols_add(&t.symbols, v->name[id]) != id)
            ok = error_set(err, "token \"%s\" has two ids", v->name[id]);
    }
    t.size = t.symbols.size;
    find_bytes(&t);
    if (ok && t.bpe->byte_id['\n'] < 0)
        ok = error_set(err, "the vocabulary has no token for the newline, \"\u010A\"");
    if (ok)
        *out = t;
    else
        tokenizer_free(&t);
    return ok;
}

/* --- merges --------------------------------------------------------------------------------------- */

static bool find_token(const Tokenizer *t, const char *name, int *id, Error *err)
{
    *id = symbols_find(&t->symbols, name);
    return *id >= 0 || error_set(err, "\"%s\" is not in the vocabulary", name);
}

bool bpe_merge_names(Tokenizer *t, const char *left, const char *right, Error *err)
{
    int a, b, id;
    if (!find_token(t, left, &a, err) || !find_token(t, right, &b, err)) return false;
    char *result = xformat("%s%s", left, right);
    bool ok = find_token(t, result, &id, err);
    free(result);
    if (ok && pair_find(&t->bpe->rank, a, b) >= 0)
        ok = error_set(err, "\"%s\" \"%s\" is repeated", left, right);
    if (ok) bpe_add_merge(t, a, b);
    return ok;
}

bool bpe_merge_line(Tokenizer *t, char *line, Error *err)
{
    char *space = strchr(line, ' ');
    if (!space || space == line || !space[1] || strchr(space + 1, ' '))
        return error_set(err, "\"%.40s\" is not two tokens with one space between them", line);
    *space = 0;
    return bpe_merge_names(t, line, space + 1, err);
}

bool bpe_merge_text(Tokenizer *t, char *text, size_t len, Error *err)
{
    static const char version[] = "#version";
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) len--;
    for (size_t at = 0, n, line = 1; at < len; at += n + 1, line++) {
        const char *newline = memchr(text + at, '\n', len - at);
        n = newline ? (size_t)(newline - text) - at : len - at;
        size_t end = at + n;
        if (n && text[end - 1] == '\r') end--;
        char where[32];
        snprintf(where, sizeof where, "line %zu", line);
        text[end] = 0;
        if (strlen(text + at) != end - at)
            return error_set(err, "%s: has a 0 byte; the file is damaged", where);
        if (line == 1 && strncmp(text, version, sizeof version - 1) == 0) continue;
        if (!bpe_merge_line(t, text + at, err)) return error_in(err, where);
    }
    return true;
}

/* --- special tokens --------------------------------------------------------------------------------- */

static bool is_bracketed(const char *name)
{
    const size_t n = strlen(name);
    return n > 2 &&
           ((name[0] == '<' && name[n - 1] == '>') || (name[0] == '[' && name[n - 1] == ']'));
}

bool bpe_find_specials(Tokenizer *t, Error *err)
{
    bool *made = xcalloc((size_t)t->size, sizeof *made), ok = true;
    const Bpe *b = t->bpe;
    for (int i = 0; i < BYTE_VALUES; i++)
        if (b->byte_id[i] >= 0) made[b->byte_id[i]] = true;
    for (int i = 0; i < b->n_merges; i++) made[b->merge[i].id] = true;
    for (int id = 0; id < t->size && ok; id++) {
        const char *name = t->symbols.string[id];
        bool strange = false;
        if (made[id]) continue;
        char *bytes = xmalloc(strlen(name) + 1);
        bytes_read(name, strlen(name), bytes, &strange);
        free(bytes);
        if (is_bracketed(name))
            bpe_add_special(t, id);
        else if (strange && !bpe_is_special(b, id))
            ok = error_set(err, "token \"%s\", id %d, has a character that stands for no byte",
                           name, id);
    }
    free(made);
    return ok;
}
