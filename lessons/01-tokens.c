/* Lesson 01: text is bytes; the unit is a choice. Cuts a sentence into words, characters, jamo (the letters of
 * Hangul syllables) and bytes, shows the bit patterns of UTF-8, and counts over a file what each unit costs:
 * longer sequences, or a larger vocabulary. The other programs decode with utf8proc (common/system/utf8.h);
 * the decoder here is written out to be read, and tested against it. See lessons/01-tokens.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "system/args.h"
#include "system/file.h"
#include "system/plot.h"
#include "system/utf8.h"

static const Usage usage = {
    .program = "lessons/01-tokens",
    .about = "Cuts text into words, characters, jamo and bytes, and counts what each unit costs: "
             "in one sentence, and over FILE (default: the Korean side of common/data/places.tsv).",
    .operands = "[FILE]",
    .examples = "  ./lessons/01-tokens --overwrite\n"
                "  ./lessons/01-tokens README.md --overwrite\n"
                "  ./lessons/01-tokens --drop 7 --overwrite\n",
};

typedef struct {
    const char *out, *plot;
    bool overwrite;
    int drop;
} Config;

#define SENTENCE "자연어 처리 참 쉽죠?"
static const char PLACES[] = "common/data/places.tsv";

/* --- UTF-8 ---------------------------------------------------------------------------------------- */

/* The code point that begins at s (len >= 1 bytes are left) and in *size its bytes; or -1 with size
 * 1 if these bytes are no UTF-8.
 *
 *   0xxxxxxx                               7 bits    U+0000 .. U+007F, ASCII
 *   110xxxxx 10xxxxxx                     11 bits    .. U+07FF
 *   1110xxxx 10xxxxxx 10xxxxxx            16 bits    .. U+FFFF, Hangul among them
 *   11110xxx 10xxxxxx 10xxxxxx 10xxxxxx   21 bits    .. U+10FFFF */
static int decode(const char *s, size_t len, size_t *size)
{
    static const int least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)s;
    *size = 1;
    if (b[0] < 0x80) return b[0];
    if (b[0] < 0xC0 || b[0] >= 0xF8) return -1; /* a continuation, or no byte of UTF-8 */
    const size_t n = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    if (n > len) return -1; /* cut off */

    int code = b[0] & (0x7F >> n);
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xC0) != 0x80) return -1;
        code = code << 6 | (b[i] & 0x3F); /* eq 1.1 */
    }
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (code < least[n] || surrogate || code > 0x10FFFF) return -1;
    *size = n;
    return code;
}

/* --- jamo ----------------------------------------------------------------------------------------- */

enum { LEADS = 19, VOWELS = 21, TAILS = 28, SYLLABLES = LEADS * VOWELS * TAILS }; /* 11172 */
enum { FIRST_SYLLABLE = 0xAC00, FIRST_LEAD = 0x1100, FIRST_VOWEL = 0x1161, NO_TAIL = 0x11A7 };

typedef struct {
    int lead, vowel, tail; /* tail 0: the syllable ends with its vowel */
} Jamo;

static Jamo jamo_split(int syllable)
{
    const int s = syllable - FIRST_SYLLABLE;
    return (Jamo){s / (VOWELS * TAILS), s / TAILS % VOWELS, s % TAILS}; /* eq 1.3 */
}

static int jamo_join(Jamo j)
{
    return FIRST_SYLLABLE + (j.lead * VOWELS + j.vowel) * TAILS + j.tail; /* eq 1.2 */
}

static bool is_syllable(int code)
{
    return code >= FIRST_SYLLABLE && code < FIRST_SYLLABLE + SYLLABLES;
}

/* --- units ---------------------------------------------------------------------------------------- */

typedef enum { WORDS, CHARACTERS, JAMO, BYTES, UNITS } Unit;
static const char *const unit_name[UNITS] = {"eojeol", "code points", "jamo", "UTF-8 bytes"};

typedef void Emit(void *context, const char *token, size_t len);

static void emit_jamo(int syllable, Emit *emit, void *context)
{
    const Jamo j = jamo_split(syllable);
    const int code[3] = {FIRST_LEAD + j.lead, FIRST_VOWEL + j.vowel, NO_TAIL + j.tail};
    for (int i = 0; i < (j.tail ? 3 : 2); i++) {
        char token[4];
        emit(context, token, (size_t)utf8_encode(code[i], token));
    }
}

/* Gives the tokens of text to emit, in order. Only of words is something lost: the blanks. */
static void tokenize(Unit unit, const char *text, size_t len, Emit *emit, void *context)
{
    static const char blank[] = " \t\r\n";
    for (size_t i = 0, size; i < len; i += size) {
        const int code = decode(text + i, len - i, &size);
        if (unit == BYTES) size = 1;
        if (unit == WORDS)
            for (size = 0; i + size < len && !memchr(blank, text[i + size], 4);) size++;
        if (unit == WORDS && size == 0)
            size = 1; /* a blank */
        else if (unit == JAMO && is_syllable(code))
            emit_jamo(code, emit, context);
        else
            emit(context, text + i, size);
    }
}

/* --- a sentence, looked at ---------------------------------------------------------------------- */

/* As keyboards and school books write them, three bytes each; the tails begin with tail 1. */
static const char lead_letters[] = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
static const char vowel_letters[] = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
static const char tail_letters[] = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";

/* The letter of a jamo's code point; NULL if it is none. */
static const char *letter(int code)
{
    if (code >= FIRST_LEAD && code < FIRST_LEAD + LEADS)
        return lead_letters + 3 * (code - FIRST_LEAD);
    if (code >= FIRST_VOWEL && code < FIRST_VOWEL + VOWELS)
        return vowel_letters + 3 * (code - FIRST_VOWEL);
    if (code > NO_TAIL && code < NO_TAIL + TAILS) return tail_letters + 3 * (code - NO_TAIL - 1);
    return NULL;
}

/* Bytes that are no UTF-8 are shown as U+FFFD, the replacement character. */
static void print_text(const char *text, size_t len)
{
    for (size_t i = 0, size; i < len; i += size) {
        if (decode(text + i, len - i, &size) >= 0)
            printf("%.*s", (int)size, text + i);
        else
            printf("\uFFFD");
    }
}

static void print_token(void *context, const char *token, size_t len)
{
    const Unit unit = *(const Unit *)context;
    size_t size;
    const char *jamo = letter(decode(token, len, &size));
    putchar(' ');
    if (unit == BYTES)
        printf("%02X", (unsigned)(unsigned char)*token);
    else if (unit == JAMO && jamo)
        printf("%.3s", jamo);
    else if (*token == ' ')
        printf("␣");
    else
        print_text(token, len);
}

static void count_token(void *context, const char *token, size_t len)
{
    (void)token, (void)len;
    ++*(int *)context;
}

static void show_sentence(const char *text, size_t len)
{
    print_text(text, len);
    printf("\n\n");
    for (Unit unit = WORDS; unit < UNITS; unit++) {
        int n = 0;
        tokenize(unit, text, len, count_token, &n);
        printf("%s:%*d ", unit_name[unit], 15 - (int)strlen(unit_name[unit]), n);
        tokenize(unit, text, len, print_token, &unit);
        putchar('\n');
    }
}

static void print_bits(int value, int bits)
{
    for (int i = bits - 1; i >= 0; i--) putchar('0' + (value >> i & 1));
}

static void show_syllable(const char *text)
{
    size_t size;
    const int code = decode(text, strlen(text), &size);
    const Jamo j = jamo_split(code);
    printf("\n%s is U+%04X = ", text, (unsigned)code);
    print_bits(code, 16);
    printf("\n  bytes");
    for (size_t i = 0; i < size; i++) {
        printf("  %02X = ", (unsigned)(unsigned char)text[i]);
        print_bits((unsigned char)text[i], 8);
    }
    printf("\n  jamo   lead %d %.3s, vowel %d %.3s, tail %d %.3s; joined again U+%04X\n", j.lead,
           letter(FIRST_LEAD + j.lead), j.vowel, letter(FIRST_VOWEL + j.vowel), j.tail,
           j.tail ? letter(NO_TAIL + j.tail) : "-", (unsigned)jamo_join(j));
}

/* --- a whole file, counted ------------------------------------------------------------------------ */

typedef struct {
    uint64_t *key; /* a hash of each token: 64 bits tell them apart */
    size_t n, cap;
} Bag;

typedef struct {
    size_t tokens, distinct, once; /* once: distinct tokens that occur a single time */
} Cost;

static void bag_add(void *context, const char *token, size_t len)
{
    Bag *b = context;
    uint64_t h = 0xCBF29CE484222325; /* FNV-1a */
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)token[i]) * 0x100000001B3;
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 1024;
        b->key = xrealloc(b->key, b->cap * sizeof *b->key);
    }
    b->key[b->n++] = h;
}

static int compare_keys(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Line by line, so that no token has a newline in it; of lines with a tab, what stands behind it if
 * `second`. */
static Cost cost_of(Unit unit, const char *text, size_t len, bool second)
{
    Bag bag = {0};
    for (const char *line = text, *end = text + len, *next; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        if (!next) next = end;
        const char *tab = second ? memchr(line, '\t', (size_t)(next - line)) : NULL;
        if (tab) line = tab + 1;
        tokenize(unit, line, (size_t)(next - line), bag_add, &bag);
    }
    if (bag.n) qsort(bag.key, bag.n, sizeof *bag.key, compare_keys);
    Cost c = {.tokens = bag.n};
    for (size_t i = 0, next; i < bag.n; i = next) {
        for (next = i + 1; next < bag.n && bag.key[next] == bag.key[i];) next++;
        c.distinct++;
        c.once += next - i == 1;
    }
    free(bag.key);
    return c;
}

/* --- the picture -------------------------------------------------------------------------------- */

static const char SCRIPT[] =
    "set datafile separator comma\nset style fill solid 0.8\nset boxwidth 0.6\nunset key\n"
    "set xrange [-0.6:3.6]\nset multiplot layout 1,2 title 'Which unit? Short sequences cost a "
    "large vocabulary'\n"
    "set title 'tokens per character'\nset yrange [0:*]\nset offsets 0,0,graph 0.12,0\n"
    "plot 'tokens.csv' using 0:3:xtic(1) every ::1 with boxes linecolor rgb '#0072b2', \\\n"
    "     '' using 0:3:(sprintf('%.2f', $3)) every ::1 with labels offset 0,0.8, \\\n"
    "     1 with lines dashtype 2 linecolor rgb '#000000'\n"
    "set title 'vocabulary (distinct tokens)'\nset logscale y\nset yrange [1:*]\n"
    "set offsets 0,0,0,0\n"
    "plot 'tokens.csv' using 0:4:xtic(1) every ::1 with boxes linecolor rgb '#e69f00', \\\n"
    "     '' using 0:4:(sprintf('%d', $4)) every ::1 with labels offset 0,0.8\n"
    "unset multiplot\n";

static bool draw(const Config *c, const Cost cost[UNITS], Error *err)
{
    char *csv = xstrdup("unit,tokens,tokens_per_character,vocabulary,once\n");
    for (Unit u = WORDS; u < UNITS; u++) {
        const double ratio = (double)cost[u].tokens / (double)cost[CHARACTERS].tokens;
        char *more = xformat("%s%s,%zu,%.6f,%zu,%zu\n", csv, unit_name[u], cost[u].tokens, ratio,
                             cost[u].distinct, cost[u].once);
        free(csv);
        csv = more;
    }
    char *table = xformat("%s/tokens.csv", c->out), *script = xformat("%s/tokens.gp", c->out);
    char *picture = xformat("%s/tokens.%s", c->out, c->plot);
    const bool ok =
        file_write(table, csv, strlen(csv), err) && file_write(script, SCRIPT, strlen(SCRIPT), err);
    if (ok) plot_draw(script, picture, c->plot, 1000, 480);
    free(csv), free(table), free(script), free(picture);
    return ok;
}

static bool show_file(const Config *c, const char *path, Error *err)
{
    char *text;
    size_t len;
    Cost cost[UNITS];
    if (!file_read(path ? path : PLACES, (size_t)1 << 28, &text, &len, err)) return false;
    for (Unit u = WORDS; u < UNITS; u++) cost[u] = cost_of(u, text, len, !path);
    free(text);
    if (cost[CHARACTERS].tokens == 0) return error_set(err, "%s is empty", path ? path : PLACES);

    char *name = say_escaped(path ? path : PLACES);
    printf("\n%s%s\n\n", name, path ? "" : ", Korean side");
    free(name);
    printf("%-12s %10s %15s %11s %10s\n", "unit", "tokens", "per character", "vocabulary", "once");
    for (Unit u = WORDS; u < UNITS; u++)
        printf("%-12s %10zu %15.3f %11zu %8.1f %%\n", unit_name[u], cost[u].tokens,
               (double)cost[u].tokens / (double)cost[CHARACTERS].tokens, cost[u].distinct,
               100 * (double)cost[u].once / (double)cost[u].distinct);
    return draw(c, cost, err);
}

/* --- the program ---------------------------------------------------------------------------------- */

static bool run(const Config *c, const char *path, Error *err)
{
    if (!c->overwrite && !dir_is_empty(c->out))
        return error_set(err, "%s holds a run already: give --overwrite or another --out", c->out);
    if (!dir_make(c->out, err)) return false;

    char text[] = SENTENCE;
    if (c->drop >= 0) memmove(text + c->drop, text + c->drop + 1, strlen(text + c->drop));
    show_sentence(text, strlen(text));
    show_syllable("쉽");
    return show_file(c, path, err);
}

int main(int argc, char **argv)
{
    Config c = {.out = "runs/l01", .plot = "png", .drop = -1};
    Option option[] = {
        OPTION("drop", &c.drop, -1, 27, "leave this byte of the sentence out (-1: none)"),
        OPTION_STRING("out", &c.out, "directory for tokens.csv and tokens.png"),
        OPTION_FLAG("overwrite", &c.overwrite, "replace what is in --out"),
        OPTION_CHOICE("plot", &c.plot, "png|svg|dumb|none", "the picture"),
    };
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    Error err;
    const int files = argc - operand;
    const bool ok = files <= 1 ? run(&c, files ? argv[operand] : NULL, &err)
                               : error_set(&err, "one FILE at a time, not %d", files);
    if (!ok) say("%s: error: %s\n", usage.program, err.text);
    return ok ? EXIT_OK : files > 1 ? EXIT_USAGE : EXIT_FAILED;
}
