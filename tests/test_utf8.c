/* UTF-8: every scalar value, all kinds of invalid sequences, and the printer, whose output must not depend on
 * where its input is split. */
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include "suite.h"
#include "system/utf8.h"

#define FFFD "\xEF\xBF\xBD"

/* The table of well-formed sequences (The Unicode Standard, table 3-7), written independently. */
static int encode_by_table(int code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    const int n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const int lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[n] | code >> 6 * (n - 1));
    for (int i = 1; i < n; i++) out[i] = (char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3F));
    return n;
}

static bool is_surrogate(int code)
{
    return code >= 0xD800 && code <= 0xDFFF;
}

START_TEST(every_scalar_value)
{
    int count = 0;
    for (int code = 0; code <= 0x10FFFF; code++) {
        char expected[4], bytes[4];
        int back;
        if (is_surrogate(code)) continue;
        const int n = encode_by_table(code, expected);
        if (utf8_encode(code, bytes) != n || memcmp(bytes, expected, (size_t)n) != 0)
            ck_abort_msg("U+%04X is encoded wrongly", code);
        if (utf8_decode(bytes, (size_t)n, &back) != n || back != code)
            ck_abort_msg("U+%04X is decoded as %d", code, back);
        for (int less = 1; less < n; less++)
            if (utf8_decode(bytes, (size_t)less, &back) != 1 || back != -1)
                ck_abort_msg("U+%04X, cut to %d bytes, is decoded as %d", code, less, back);
        count++;
    }
    ck_assert_int_eq(count, 1112064);
}
END_TEST

/* All sequences of three bytes; of four bytes, all prefixes with both ends of the range of the last byte. */
START_TEST(every_short_sequence)
{
    int valid[5] = {0};
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            const char s[4] = {(char)a, (char)b, (char)0xBF, (char)0x80};
            int code;
            const int n = utf8_decode(s, 4, &code);
            char back[4];
            if (code < 0) {
                ck_assert_int_eq(n, 1);
                valid[0]++;
                continue;
            }
            ck_assert_int_eq(utf8_encode(code, back), n);
            ck_assert_int_eq(memcmp(back, s, (size_t)n), 0);
            valid[n]++;
        }
    /* Table 3-7, first bytes and their numbers of second bytes: 00-7F none; C2-DF 64 each; E0 32, ED 32, 14
     * others 64; F0 48, F1-F3 64, F4 16. */
    ck_assert_int_eq(valid[1], 128 * 256);
    ck_assert_int_eq(valid[2], 30 * 64);
    ck_assert_int_eq(valid[3], 32 + 32 + 14 * 64);
    ck_assert_int_eq(valid[4], 48 + 3 * 64 + 16);
}
END_TEST

static const struct {
    const char *bytes,
        *printed; /* printed: the result of Python's bytes.decode("utf-8", "replace") */
} invalid[] = {
    {"\x80", FFFD},                                              /* a lone continuation byte */
    {"\xBF\x80", FFFD FFFD},                                     /* two */
    {"\xC0\x80", FFFD FFFD},                                     /* overlong NUL */
    {"\xC1\xBF", FFFD FFFD},                                     /* overlong DEL */
    {"\xE0\x80\x80", FFFD FFFD FFFD},                            /* overlong, three bytes */
    {"\xE0\x9F\xBF", FFFD FFFD FFFD},                            /* the last of them */
    {"\xF0\x80\x80\x80", FFFD FFFD FFFD FFFD},                   /* overlong, four bytes */
    {"\xF0\x8F\xBF\xBF", FFFD FFFD FFFD FFFD},                   /* the last of them */
    {"\xED\xA0\x80", FFFD FFFD FFFD},                            /* U+D800 */
    {"\xED\xBF\xBF", FFFD FFFD FFFD},                            /* U+DFFF */
    {"\xED\xA0\x80\xED\xB0\x80", FFFD FFFD FFFD FFFD FFFD FFFD}, /* a surrogate pair */
    {"\xF4\x90\x80\x80", FFFD FFFD FFFD FFFD},                   /* U+110000 */
    {"\xF5\x80\x80\x80", FFFD FFFD FFFD FFFD},                   /* a first byte beyond F4 */
    {"\xF8\x88\x80\x80\x80", FFFD FFFD FFFD FFFD FFFD},          /* five bytes, as in 1993 */
    {"\xFC\x84\x80\x80\x80\x80", FFFD FFFD FFFD FFFD FFFD FFFD},
    {"\xFE\xFF", FFFD FFFD},
    {"\xC3", FFFD}, /* truncated: one U+FFFD for each sequence */
    {"\xE2\x82", FFFD},
    {"\xF0\x9F\x98", FFFD},
    {"\xC3(", FFFD "("}, /* interrupted by a letter */
    {"\xE2\x82(", FFFD "("},
    {"\xE2(\xA1", FFFD "(" FFFD},
    {"\xF0\x9F\x98(", FFFD "("},
    {"\xF0\x9F\xE2\x82\xAC", FFFD "\xE2\x82\xAC"}, /* interrupted by the next character */
    {"\xE2\x82\xC3\xA9", FFFD "\xC3\xA9"},
    {"\xC3\xC3\xA9", FFFD "\xC3\xA9"},
    {"\xF4\x8F\xBF\xED\xA0\xE1\x80", FFFD FFFD FFFD FFFD},
    {"a\xF1\x80\x80\xE1\x80\xC2"
     "b\x80"
     "c\x80\xBF"
     "d",
     "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d"}, /* the example of the Standard, section 3.9 */
};

START_TEST(invalid_starts)
{
    for (int i = 0; i < 19; i++) { /* the rows that begin with an invalid sequence */
        int code = 0;
        ck_assert_int_eq(utf8_decode(invalid[i].bytes, strlen(invalid[i].bytes), &code), 1);
        ck_assert_msg(code == -1, "row %d is decoded as %d", i, code);
    }
}
END_TEST

START_TEST(widths)
{
    ck_assert_int_eq(utf8_width(""), 0);
    ck_assert_int_eq(utf8_width("abc"), 3);
    ck_assert_int_eq(utf8_width("\xED\x95\x9C\xEA\xB5\xAD"), 4); /* two Hangul syllables */
    ck_assert_int_eq(utf8_width("e\xCC\x81"), 1);                /* e, combining acute */
    ck_assert_int_eq(utf8_width("\xC3\xA9t\xC3\xA9"), 3);
    ck_assert_int_eq(utf8_width("\xF0\x9F\x98\x80"), 2); /* an emoji */
    ck_assert_int_eq(utf8_width("a\xFF"
                                "b"),
                     3); /* shown as U+FFFD */
}
END_TEST

/* --- the printer ------------------------------------------------------------------------------ */

static char *print_pieces(const char *bytes, size_t len, size_t first, size_t piece)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    Utf8Printer p = {0};
    utf8_print(&p, bytes, first, f);
    for (size_t i = first; i < len; i += piece)
        utf8_print(&p, bytes + i, len - i < piece ? len - i : piece, f);
    utf8_flush(&p, f);
    fclose(f);
    return text;
}

static void assert_printed(const char *bytes, size_t len, const char *expected)
{
    for (size_t first = 0; first <= len; first++)
        for (size_t piece = 1; piece <= len + 1; piece += len) {
            char *text = print_pieces(bytes, len, first, piece);
            ck_assert_str_eq(text, expected);
            free(text);
        }
}

START_TEST(korean_cut_anywhere)
{
    static const char korean[] = "\xEB\xAA\xA8\xEB\x93\xA0 \xEC\x9D\xB8\xEA\xB0\x84\xEC\x9D\x80, "
                                 "\xED\x83\x9C\xEC\x96\xB4\xEB\x82\xA0 \xEB\x95\x8C\xEB\xB6\x80\xED"
                                 "\x84\xB0\t\xF0\x9F\x98\x80\n";
    assert_printed(korean, sizeof korean - 1, korean);
}
END_TEST

START_TEST(invalid_cut_anywhere)
{
    for (int i = 0; i < (int)(sizeof invalid / sizeof *invalid); i++)
        assert_printed(invalid[i].bytes, strlen(invalid[i].bytes), invalid[i].printed);
}
END_TEST

START_TEST(held_back)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    Utf8Printer p = {0};
    utf8_print(&p, "a\xF0\x9F\x98", 4, f);
    fflush(f);
    ck_assert_str_eq(text, "a");
    ck_assert_int_eq(p.n, 3);
    utf8_print(&p, "\x80", 1, f);
    fflush(f);
    ck_assert_str_eq(text, "a\xF0\x9F\x98\x80");
    utf8_flush(&p, f);
    utf8_flush(&p, f);
    fclose(f);
    ck_assert_str_eq(text, "a\xF0\x9F\x98\x80");
    free(text);
}
END_TEST

/* A file gets every character of the text as it is, control characters too. */
START_TEST(controls_in_a_file)
{
    for (int code = 1; code < 0x3000; code++) {
        char bytes[5] = {0};
        const size_t n = (size_t)encode_by_table(code, bytes);
        assert_printed(bytes, n, bytes);
    }
}
END_TEST

/* Prints a string to a terminal and returns what arrives there; the caller frees it. */
static char *on_a_terminal(const char *s)
{
    int master, slave;
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    struct termios raw;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    FILE *f = fdopen(slave, "w");
    ck_assert_ptr_nonnull(f);
    utf8_show(s, f);
    fputs("END", f);
    fflush(f);
    char *text = xcalloc(4096, 1);
    for (size_t n = 0; !strstr(text, "END") && n < 4000;)
        n += (size_t)read(master, text + n, 4000 - n);
    *strstr(text, "END") = 0;
    fclose(f);
    close(master);
    return text;
}

/* A terminal gets no control character except tab and newline. */
START_TEST(controls_on_a_terminal)
{
    static const struct {
        const char *text, *shown;
    } c[] = {{"a\x1B[31mred\x1B]0;title\x07\b", "a\\x1b[31mred\\x1b]0;title\\x07\\x08"},
             {"ab\r\n\tc\x7F", "ab\\r\n\tc\\x7f"},
             {"\xC2\x9B 1m \xC2\x80", "\\u009b 1m \\u0080"},
             {"\uAC00\xEA", "\uAC00" FFFD}};
    for (int i = 0; i < LEN(c); i++) {
        char *text = on_a_terminal(c[i].text);
        ck_assert_str_eq(text, c[i].shown);
        free(text);
    }
}
END_TEST

START_TEST(faults_with_their_place)
{
    static const struct {
        const char *text;
        size_t len;
        Utf8Faults want;
    } c[] = {{"", 0, {.first = -1}},
             {"a\n\uAC00\r\n", 7, {.first = -1}},
             {"a\nb\xE9\xE8 \0c", 8, {2, 1, 3, 2, 2}},
             {"\0\xEA\xB0", 3, {2, 1, 0, 1, 1}},
             {"\n\n\uAC00\0", 6, {0, 1, 5, 3, 4}}};
    for (int i = 0; i < LEN(c); i++) {
        const Utf8Faults f = utf8_faults(c[i].text, c[i].len);
        ck_assert_mem_eq(&f, &c[i].want, sizeof f);
    }
}
END_TEST

START_TEST(a_valid_copy)
{
    size_t n;
    char *text = utf8_valid("a\xE9\0\x1B\xEA\xB0", 6, &n);
    ck_assert_uint_eq(n, 9);
    ck_assert_mem_eq(text, "a" FFFD "\0\x1B" FFFD, 10);
    free(text);
}
END_TEST

START_TEST(encode_surrogate)
{
    char bytes[4];
    utf8_encode(0xD800, bytes);
}
END_TEST

START_TEST(encode_beyond)
{
    char bytes[4];
    utf8_encode(0x110000, bytes);
}
END_TEST

START_TEST(encode_nothing)
{
    char bytes[4];
    utf8_encode(-1, bytes);
}
END_TEST

START_TEST(decode_nothing)
{
    int code;
    utf8_decode("", 0, &code);
}
END_TEST

START_TEST(a_whole_string)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    utf8_show("a\x1B[2J\xC2\x9B 1m\tb\xEA\xB0\x80\xEA", f);
    fclose(f);
    ck_assert_str_eq(text, "a\x1B[2J\xC2\x9B 1m\tb\uAC00\uFFFD");
    free(text);
}
END_TEST

SUITE("utf8",
      TESTS(every_scalar_value, every_short_sequence, invalid_starts, widths, korean_cut_anywhere,
            invalid_cut_anywhere, held_back, controls_in_a_file, controls_on_a_terminal,
            faults_with_their_place, a_valid_copy, a_whole_string),
      ABORTS(encode_surrogate, encode_beyond, encode_nothing, decode_nothing))
