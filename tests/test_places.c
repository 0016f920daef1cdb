/* common/data/places.tsv: its format and size, and that no name occurs twice. */
#include "suite.h"

#include "system/file.h"
#include "system/utf8.h"

static const char *const PLACES = "common/data/places.tsv";

static bool is_english(int c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr(" -'.", c));
}

static bool is_korean(int c)
{
    return (c >= 0xAC00 && c <= 0xD7A3) || c == ' ';
}

START_TEST(every_line_is_a_pair_and_in_order)
{
    Error err;
    char *text, before[256] = "";
    size_t len;
    ck_assert_msg(file_read(PLACES, 1 << 20, &text, &len, &err), "%s", err.text);
    int lines = 0;
    for (char *line = text; *line; lines++) {
        char *tab = strchr(line, '\t'), *end = strchr(line, '\n');
        ck_assert_msg(end && tab && tab > line && tab < end - 1, "line %d is not a pair",
                      lines + 1);
        for (char *s = line; s < tab; s++) ck_assert_msg(is_english(*s), "line %d", lines + 1);
        for (int code, n; tab + 1 < end; tab += n) {
            n = utf8_decode(tab + 1, (size_t)(end - tab - 1), &code);
            ck_assert_msg(is_korean(code), "line %d: U+%04X", lines + 1, (unsigned)code);
        }
        *strchr(line, '\t') = 0;
        ck_assert_msg(strcmp(before, line) < 0, "%s stands before %s", before, line);
        snprintf(before, sizeof before, "%s", line);
        line = end + 1;
    }
    ck_assert_int_ge(lines, 1200);
    free(text);
}
END_TEST

SUITE("places", TESTS(every_line_is_a_pair_and_in_order), NO_ABORTS)
