/* Reads and writes JSON files with jansson. */
#include "system/file.h"

#include <stdlib.h>
#include <string.h>

/* Returns the last key, in quotes, before a position of a JSON text; its length is 0 if there is none. */
static const char *key_before(const char *text, size_t at, int *len)
{
    *len = 0;
    while (at > 1 && !(text[at - 1] == ':' && text[at - 2] == '"')) at--;
    if (at <= 1) return text;
    size_t begin = at - 2;
    while (begin > 1 && (text[begin - 1] != '"' || text[begin - 2] == '\\')) begin--;
    if (text[begin - 1] != '"') return text;
    *len = (int)(at - begin);
    return text + begin - 1;
}

json_t *json_read(const char *path, Error *err)
{
    char *text;
    size_t len;
    if (!file_read_regular(path, JSON_MOST, &text, &len, err)) return NULL;
    json_error_t why;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    const size_t at = why.position > 0 && (size_t)why.position < len ? (size_t)why.position : len;
    int n = 0;
    const char *key = value ? NULL : key_before(text, at, &n);
    if (!value)
        error_set(err, "%s:%d:%d: %.*s%s%s", path, why.line, why.column, n < 80 ? n : 80,
                  n ? key : "", n ? ": " : "", why.text);
    free(text);
    return value;
}

/* Formats JSON with 15 digits if that reads back equal, otherwise with 17. 15 digits show a decimal
 * number as it was written, 0.003 and not 0.0030000000000000001; 17 digits always read back equal. */
static char *json_text(const json_t *value)
{
    const size_t style = JSON_INDENT(2) | JSON_ENCODE_ANY;
    char *text = json_dumps(value, style | JSON_REAL_PRECISION(15));
    json_t *back = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    const bool equal = back && json_equal(value, back);
    json_decref(back);
    if (equal) return text;
    free(text);
    return json_dumps(value, style | JSON_REAL_PRECISION(17));
}

bool json_write(const char *path, const json_t *value, Error *err)
{
    char *text = json_text(value);
    if (!text) return error_set(err, "%s: cannot be written as JSON", path);
    char *line = xformat("%s\n", text);
    free(text);
    const bool ok = file_write(path, line, strlen(line), err);
    free(line);
    return ok;
}
