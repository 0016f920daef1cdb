/* Reads and writes JSON files with jansson. */
#include "system/file.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_LARGEST = 1 << 28 }; /* bytes; far beyond any file that we write */

json_t *json_read(const char *path, Error *err)
{
    char *text;
    size_t len;
    if (!file_read_regular(path, JSON_LARGEST, &text, &len, err)) return NULL;
    json_error_t why;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (value) return value;
    error_set(err, "%s:%d:%d: %s", path, why.line, why.column, why.text);
    return NULL;
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
