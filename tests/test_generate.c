/* Text from a model: several samples at a time equal single ones, and stop strings end a text before them. */
#include "models/generate.h"

#include "gpt_help.h"

enum { LENGTH = 60, MANY = 5 };

static Net *net;
static Tokenizer tokens;

static void setup(void)
{
    net = net_new(small);
    tokens = tokenizer_raw("\nabcdefghi", 10); /* and the unknown token */
    ck_assert_int_eq(tokens.size, V);
}

static void teardown(void)
{
    tokenizer_free(&tokens);
    net_free(net);
}

/* Generates n samples at a time; the caller frees the texts. */
static void generate_texts(const Generation *g, int n, char **text)
{
    FILE *f[MANY] = {NULL};
    size_t len[MANY];
    for (int i = 0; i < n; i++) f[i] = open_memstream(&text[i], &len[i]);
    ck_assert_int_eq(generate_many(&net->model, &tokens, g, 11, 0, n, f), 0);
    for (int i = 0; i < n; i++) fclose(f[i]);
}

/* Samples end at different steps, so the rows of the decoder change while others go on. */
START_TEST(many_equal_one)
{
    setup();
    for (int line = 0; line < 2; line++) {
        const Generation g = {.prompt = "ab",
                              .length = LENGTH,
                              .line = line,
                              .stop = line ? "ca|e" : NULL,
                              .sampling = {.temperature = 1, .top_p = 1, .repetition = 1.1}};
        char *together[MANY];
        generate_texts(&g, MANY, together);
        for (int i = 0; i < MANY; i++) {
            char *alone;
            size_t len;
            FILE *f = open_memstream(&alone, &len);
            generate(&net->model, &tokens, &g, 11, i, f);
            fclose(f);
            ck_assert_str_eq(together[i], alone);
            ck_assert(line || len == LENGTH + 3); /* the prompt and the newline at the end */
            free(alone), free(together[i]);
        }
    }
    teardown();
}
END_TEST

/* A text ends before the first of the strings, wherever it begins; what could have been the beginning of one is
 * printed when the text is over. */
START_TEST(stop_strings)
{
    setup();
    Generation g = {.prompt = "ab", .length = LENGTH, .sampling = {.temperature = 1, .top_p = 1}};
    char *whole;
    generate_texts(&g, 1, &whole);
    const size_t all = strlen(whole);
    for (size_t from = 2; from < all - 1; from++)
        for (size_t n = 1; n <= 4 && from + n < all; n++) {
            char stop[32];
            snprintf(stop, sizeof stop, "zz|%.*s|", (int)n, whole + from);
            char first[8];
            snprintf(first, sizeof first, "%.*s", (int)n, whole + from);
            const size_t want = (size_t)(strstr(whole + 2, first) - whole);
            g.stop = stop;
            char *text;
            generate_texts(&g, 1, &text);
            const size_t len = strlen(text) - 1; /* without the newline at the end */
            ck_assert_msg(len == want && memcmp(text, whole, len) == 0, "stop %s: \"%s\" of \"%s\"",
                          stop, text, whole);
            free(text);
        }
    char never[32];
    snprintf(never, sizeof never, "%.*sz", 2,
             whole + all - 3); /* begins with the last two tokens */
    g.stop = never;
    char *text;
    generate_texts(&g, 1, &text);
    ck_assert_str_eq(text, whole);
    free(text), free(whole);
    teardown();
}
END_TEST

/* The prompt may contain a stop string. */
START_TEST(stop_in_the_prompt)
{
    setup();
    const Generation g = {
        .prompt = "abab", .length = 5, .stop = "ab", .sampling = {.temperature = 1, .top_p = 1}};
    char *text;
    generate_texts(&g, 1, &text);
    ck_assert(strncmp(text, "abab", 4) == 0);
    free(text);
    teardown();
}
END_TEST

static int distinct(const char *text)
{
    int n = 0;
    for (const char *c = text; *c; c++) n += strchr(text, *c) == c;
    return n;
}

/* Greedy text falls into a loop; with a penalty it has more letters. */
START_TEST(penalty)
{
    setup();
    Generation g = {.length = LENGTH, .sampling = {.temperature = 0, .top_p = 1}};
    char *without;
    generate_texts(&g, 1, &without);
    g.sampling.repetition = 5;
    char *with;
    generate_texts(&g, 1, &with);
    ck_assert_int_gt(distinct(with), distinct(without));
    free(without), free(with);
    teardown();
}
END_TEST

SUITE("generate", TESTS(many_equal_one, stop_strings, stop_in_the_prompt, penalty), NO_ABORTS)
