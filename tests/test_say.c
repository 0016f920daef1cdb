/* What reaches a terminal: no control character of a text, in messages and errors. */
#include <fcntl.h>
#include <unistd.h>

#include "base/say.h"
#include "suite.h"

static const char nasty[] = "a\x1B[2J\xC2\x9B\x7F\xEA\xB0\x80\r\n\t\xE9\xEA\xB0";
static const char harmless[] = "a\\x1b[2J\\xc2\\x9b\\x7f\uAC00\\x0d\\n\\t\\xe9\\xea\\xb0";

/* Every code below U+3000: only C0, DEL and C1 are escaped. */
START_TEST(each_character)
{
    for (int code = 1; code < 0x3000; code++) {
        char bytes[4] = {0};
        bytes[0] = (char)(code < 0x80 ? code : code < 0x800 ? 0xC0 | code >> 6 : 0xE0 | code >> 12);
        if (code >= 0x800) bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
        if (code >= 0x80) bytes[code < 0x800 ? 1 : 2] = (char)(0x80 | (code & 0x3F));
        char *shown = say_escaped(bytes);
        const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        ck_assert_msg((strcmp(shown, bytes) != 0) == control, "%x: %s", (unsigned)code, shown);
        for (const char *c = shown; *c; c++)
            ck_assert_msg(!control || (*c >= ' ' && *c < 0x7F), "%x", (unsigned)code);
        free(shown);
    }
}
END_TEST

START_TEST(a_text)
{
    char *shown = say_escaped(nasty), cut[sizeof harmless];
    ck_assert_str_eq(shown, harmless);
    for (size_t room = 1; room <= sizeof harmless;
         room++) { /* never a part of an escape or character */
        say_escape(cut, room, nasty);
        const size_t len = strlen(cut);
        ck_assert(len < room && room - len <= 4 && strncmp(cut, harmless, len) == 0);
        char *again = say_escaped(cut);
        ck_assert_str_eq(again, cut);
        free(again);
    }
    free(shown);
}
END_TEST

START_TEST(errors)
{
    Error err;
    char *in_file = xformat("file: %s", harmless);
    ck_assert(!error_set(&err, "%s", nasty));
    ck_assert_str_eq(err.text, harmless);
    ck_assert(!error_in(&err, "file"));
    ck_assert_str_eq(err.text, in_file);
    free(in_file);
}
END_TEST

/* Only the newlines and the carriage return at the ends of the format are printed as they are. */
START_TEST(messages)
{
    static const struct {
        const char *begin, *end;
    } form[] = {{"", "\n"}, {"\n", "\n\n"}, {"\r", ""}, {"", ""}};
    for (int i = 0; i < LEN(form); i++) {
        char shown[256] = "", *fmt = xformat("%s%%s: %%d%s", form[i].begin, form[i].end);
        char *want = xformat("%s%s: 1%s", form[i].begin, harmless, form[i].end);
        int out[2];
        ck_assert_int_eq(pipe(out), 0);
        const int before = dup(STDERR_FILENO);
        dup2(out[1], STDERR_FILENO);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        say(fmt, nasty, 1);
#pragma GCC diagnostic pop
        dup2(before, STDERR_FILENO);
        ck_assert_int_gt(read(out[0], shown, sizeof shown - 1), 0); /* one write */
        ck_assert_str_eq(shown, want);
        close(out[0]), close(out[1]), close(before);
        free(fmt), free(want);
    }
}
END_TEST

SUITE("say", TESTS(each_character, a_text, errors, messages), NO_ABORTS)
