/* The pieces into which GPT-2's pattern cuts a text. */
#include "base/base.h"
#include "suite.h"
#include "tokens/pretokenizer.h"

static void assert_pieces(const char *text, const char *pieces, bool digits_alone)
{
    const size_t len = strlen(text);
    char *all = xstrdup("");
    for (size_t at = 0, n; at < len; at += n) {
        n = pretoken(text + at, len - at, digits_alone);
        ck_assert(n > 0 && at + n <= len);
        char *more = xformat("%s%s%.*s", all, at ? "|" : "", (int)n, text + at);
        free(all);
        all = more;
    }
    ck_assert_msg(strcmp(all, pieces) == 0, "\"%s\": \"%s\", not \"%s\"", text, all, pieces);
    free(all);
}

/* The expected pieces are those of Python's regex with GPT-2's pattern. */
START_TEST(pieces_of_the_pattern)
{
    static const char *const cases[][2] = {
        {"Hello, world!", "Hello|,| world|!"},
        {"it's we'll they're I'd I'm I've don't",
         "it|'s| we|'ll| they|'re| I|'d| I|'m| I|'ve| don|'t"},
        {"IT'S 'sun ''s '", "IT|'|S| '|sun| ''|s| '"},
        {"'r 're 'l", "'|r| '|re| '|l"},
        {"'re'r", "'re|'|r"},
        {"abc123def 45 6", "abc|123|def| 45| 6"},
        {"a  b", "a| | b"},
        {"a   b", "a|  | b"},
        {"a\nb", "a|\n|b"},
        {"a\n\nb", "a|\n|\n|b"},
        {"a \n b", "a| \n| b"},
        {"a\n  b", "a|\n | b"},
        {"a  ", "a|  "},
        {" ", " "},
        {"\n", "\n"},
        {"\t\tx", "\t|\t|x"},
        {"a\u00A0\u3000b", "a|\u00A0|\u3000|b"}, /* white space beyond ASCII */
        {"a\u180Eb\x1C"
         "c",
         "a|\u180E|b|\x1C|c"}, /* neither of them is white space */
        {"\xC2\x85 \u2003x", "\xC2\x85 |\u2003|x"},
        {" \uD55C\uAD6D\uC5B4 \u00BD \u2167x", " \uD55C\uAD6D\uC5B4| \u00BD| \u2167|x"},
        {"e\u0301a", "e|\u0301|a"}, /* a combining accent is not a letter */
        {"\U0001F30D!?", "\U0001F30D!?"},
        {"\xFF\xFEz\xE2\x82", "\xFF\xFE|z|\xE2\x82"}, /* invalid UTF-8 */
    };
    for (int i = 0; i < LEN(cases); i++) assert_pieces(cases[i][0], cases[i][1], false);
}
END_TEST

START_TEST(digits_can_be_alone)
{
    assert_pieces("a12 34  5", "a|1|2| |3|4|  |5", true);
    assert_pieces("a\u00BD\u0663", "a|\u00BD|\u0663", true);
}
END_TEST

START_TEST(classes_of_ascii)
{
    for (int c = 1; c < 0x80; c++) {
        const char text[] = {(char)c, '.', 'a', '1', 0};
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool number = c >= '0' && c <= '9', space = c == ' ' || (c >= '\t' && c <= '\r');
        const size_t want = letter || number ? 1 : c == ' ' ? 2 : space ? 1 : 2;
        ck_assert_msg(pretoken(text, 4, false) == want, "byte %d", c);
    }
}
END_TEST

SUITE("pretokenizer", TESTS(pieces_of_the_pattern, digits_can_be_alone, classes_of_ascii),
      NO_ABORTS)
