#include "system/label.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "system/utf8.h"

static int shown_code(int code)
{
    if (code == ' ') return 0xB7;
    if (code == '\n') return 0x21B5;
    return code < 0 || utf8proc_category(code) == UTF8PROC_CATEGORY_CC ? UTF8_REPLACEMENT : code;
}

char *label_of(const char *token, int columns)
{
    const size_t len = strlen(token);
    char *label = xcalloc(3 * len + 4, 1); /* an invalid byte becomes the 3 bytes of U+FFFD */
    size_t fits = 0, n = 0;                /* bytes that leave room for the ellipsis; bytes */
    for (size_t i = 0; i < len;) {
        int code;
        i += (size_t)utf8_decode(token + i, len - i, &code);
        n += (size_t)utf8_encode(shown_code(code), label + n);
        const int width = utf8_width(label);
        if (width <= columns - 1) fits = n;
        if (width <= columns) continue;
        memcpy(label + fits, "\u2026", sizeof "\u2026");
        break;
    }
    return label;
}

int label_widest(const char *const *token, int n)
{
    int most = 0;
    for (int i = 0; i < n; i++) {
        char *label = label_of(token[i], LABEL_COLUMNS);
        const int width = utf8_width(label);
        if (width > most) most = width;
        free(label);
    }
    return most;
}

void label_field(FILE *f, const char *token)
{
    char *label = label_of(token, INT32_MAX);
    fputc('"', f);
    for (const char *s = label; *s; s++) fprintf(f, *s == '"' ? "\"\"" : "%c", *s);
    fputc('"', f);
    free(label);
}
