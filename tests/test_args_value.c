/* Values of options: what each kind accepts and refuses, and JSON. */
#include <float.h>
#include <inttypes.h>

#include "system/args.h"
#include "suite.h"

typedef struct {
    int steps, offset;
    double lr;
    uint64_t seed;
    const char *unit, *out, *text;
    bool stream;
} Config;

static const Config initial = {
    .steps = 2000, .lr = 0.003, .seed = 1337, .unit = "char", .out = "runs/rnn"};

/* The table points into its own Config, so a Program must not be moved. */
typedef struct {
    Config c;
    Option opt[9];
} Program;

static void program_init(Program *p)
{
    p->c = initial;
    const Option opt[] = {
        OPTION("steps", &p->c.steps, 1, 1000000000, ""),
        OPTION("seq-len-offset", &p->c.offset, -5, 5, ""),
        OPTION_GROUP("Group"),
        OPTION("lr", &p->c.lr, 0, 10, ""),
        OPTION("seed", &p->c.seed, 0, 0x1p64, ""),
        OPTION_CHOICE("unit", &p->c.unit, "char|byte|word", ""),
        OPTION_STRING("out", &p->c.out, ""),
        OPTION_STRING("text", &p->c.text, ""),
        OPTION_FLAG("stream", &p->c.stream, ""),
    };
    memcpy(p->opt, opt, sizeof opt);
}

static Option *find(Program *p, const char *name)
{
    return args_find(p->opt, LEN(p->opt), name);
}

/* Checks that every word of the list is refused for that reason. */
static void assert_refused(const char *name, const char *why, const char *words)
{
    char list[512], *save = NULL;
    snprintf(list, sizeof list, "%s", words);
    for (char *s = strtok_r(list, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
        Program p;
        program_init(&p);
        const char *got = option_set(find(&p, name), strcmp(s, "''") == 0 ? "" : s);
        ck_assert_msg(got && strcmp(got, why) == 0, "--%s %s: %s", name, s, got ? got : "taken");
        ck_assert(p.c.steps == initial.steps && p.c.offset == initial.offset);
        ck_assert(p.c.lr == initial.lr && p.c.seed == initial.seed);
        ck_assert(p.c.unit == initial.unit && p.c.out == initial.out);
    }
}

START_TEST(whole_numbers)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"+5", 5},
                {"007", 7},
                {"7k", 7000},
                {"7K", 7000},
                {"3M", 3000000},
                {"18G", 18000000000u},
                {"9223372036854775808", 9223372036854775808u},
                {"18446744073709551615", UINT64_MAX},
                {"18446744073709551k", 18446744073709551000u}};
    for (int i = 0; i < LEN(good); i++) {
        Program p;
        program_init(&p);
        ck_assert_msg(!option_set(find(&p, "seed"), good[i].text), "%s", good[i].text);
        ck_assert_msg(p.c.seed == good[i].value, "%s: %" PRIu64, good[i].text, p.c.seed);
    }
    const char *junk = "'' x 1x nan inf -inf 1e999 1e3 1.5 0x10 0x --1 +-1 1kk k -k . 1,5 1_0 2^63";
    assert_refused("steps", "is not a whole number", junk);
    assert_refused("seed", "is not a whole number", junk);
    assert_refused("seed", "is out of range",
                   "-1 -1k 18446744073709551616 18446744073709552k 99999999999999999999999");
    assert_refused("steps", "is out of range",
                   "-1 0 1000000001 2G 4294967297 9223372036854775807 9223372036854775808 "
                   "18446744073709551615 18446744073709551616 18446744073709552k -2147483649");
    assert_refused("seq-len-offset", "is out of range", "-6 6 -4294967291");
}
END_TEST

START_TEST(type_limits)
{
    uint64_t u = 7;
    Option natural = OPTION("natural", &u, -10, 10, "");
    ck_assert_ptr_nonnull(option_set(&natural, "-1"));
    ck_assert(u == 7);
    int v = 7;
    Option o = OPTION("whole", &v, -DBL_MAX, DBL_MAX, "");
    ck_assert_ptr_null(option_set(&o, "2147483647"));
    ck_assert_int_eq(v, INT32_MAX);
    ck_assert_ptr_null(option_set(&o, "-2147483648"));
    ck_assert_int_eq(v, INT32_MIN);
    ck_assert_ptr_nonnull(option_set(&o, "2147483648"));
    ck_assert_ptr_nonnull(option_set(&o, "-2147483649"));
    ck_assert_int_eq(v, INT32_MIN);
}
END_TEST

START_TEST(reals)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},  {"10", 10},     {"1e1", 10},   {".5", .5},         {"5.", 5},
                {"+1", 1}, {"3e-4", 3e-4}, {"1E-2", .01}, {"1e-320", 1e-320}, {"-0", 0}};
    for (int i = 0; i < LEN(good); i++) {
        Program p;
        program_init(&p);
        ck_assert_msg(!option_set(find(&p, "lr"), good[i].text), "%s", good[i].text);
        ck_assert_msg(p.c.lr == good[i].value, "%s: %g", good[i].text, p.c.lr);
    }
    assert_refused(
        "lr", "is not a number",
        "'' x 1x 3e nan NaN inf -inf infinity 0x10 0x 0x1p3 --1 +-1 1k k e . 1.2.3 1,5 - "
        "1_0 2^63 1e");
    assert_refused("lr", "is out of range",
                   "-1 -1e-9 10.000001 1e999 -1e999 9223372036854775808 1e308");
    double v = 0;
    Option unbounded = OPTION("v", &v, 0, INFINITY, "");
    ck_assert_ptr_null(option_set(&unbounded, "1e308"));
    ck_assert_str_eq(option_set(&unbounded, "1e309"), "is out of range");
}
END_TEST

START_TEST(strings)
{
    Program p;
    program_init(&p);
    ck_assert_ptr_null(option_set(find(&p, "unit"), "word"));
    ck_assert_ptr_null(option_set(find(&p, "unit"), "char"));
    ck_assert_ptr_null(option_set(find(&p, "out"), ""));
    ck_assert_ptr_null(option_set(find(&p, "out"), "\xEA\xB0\x80 |x"));
    assert_refused("unit", "is not one of the choices",
                   "'' c cha chars CHAR char|byte | |char wor");
    assert_refused("out", "is not valid UTF-8", "\xFF a\xC3 \xED\xA0\x80");
}
END_TEST

START_TEST(json_round_trip)
{
    const Config configs[] = {
        initial,
        {1, -5, 0.1, UINT64_MAX, "word", "y", "\xEA\xB0\x80 \"\\\n", true},
        {1000000000, 5, 4.9406564584124654e-324, INT64_MAX, "byte", "z", "x", false},
        {7, 0, 3.3333333333333335, 9223372036854775808u, "char", "z", NULL, true},
    };
    for (int i = 0; i < LEN(configs); i++) {
        Program from, to;
        Error err;
        program_init(&from), program_init(&to);
        from.c = configs[i];
        json_t *config = args_to_json(from.opt, LEN(from.opt));
        char *text = json_dumps(config, 0);
        json_t *back = json_loads(text, 0, NULL);
        ck_assert_msg(args_from_json(to.opt, LEN(to.opt), back, &err), "%s", err.text);
        ck_assert(from.c.steps == to.c.steps && from.c.offset == to.c.offset);
        ck_assert(from.c.lr == to.c.lr && from.c.seed == to.c.seed);
        ck_assert(from.c.stream == to.c.stream);
        ck_assert_str_eq(from.c.unit, to.c.unit);
        ck_assert_pstr_eq(from.c.out, to.c.out);
        ck_assert_pstr_eq(from.c.text, to.c.text);
        free(text), json_decref(config), json_decref(back);
    }
}
END_TEST

START_TEST(json_form)
{
    Program p;
    program_init(&p);
    json_t *config = args_to_json(p.opt, LEN(p.opt));
    char *text = json_dumps(config, JSON_COMPACT | JSON_REAL_PRECISION(15));
    ck_assert_str_eq(text, "{\"steps\":2000,\"seq_len_offset\":0,\"lr\":0.003,\"seed\":1337,"
                           "\"unit\":\"char\",\"out\":\"runs/rnn\",\"text\":null,"
                           "\"stream\":false}");
    free(text), json_decref(config);
}
END_TEST

START_TEST(json_keeps)
{
    Program p;
    Error err;
    program_init(&p);
    p.c.steps = 5;
    find(&p, "steps")->given = true;
    json_t *j = json_loads("{\"steps\":7,\"lr\":1,\"other\":[]}", 0, NULL);
    ck_assert_msg(args_from_json(p.opt, LEN(p.opt), j, &err), "%s", err.text);
    ck_assert_int_eq(p.c.steps, 5);
    ck_assert(p.c.lr == 1 && p.c.seed == 1337);
    json_object_set_new(j, "steps",
                        json_null()); /* a wrong value is found also if it is not used */
    ck_assert(!args_from_json(p.opt, LEN(p.opt), j, &err));
    ck_assert_msg(strstr(err.text, "\"steps\": null is not a whole number"), "%s", err.text);
    ck_assert_int_eq(p.c.steps, 5);
    json_decref(j);
}
END_TEST

START_TEST(json_refused)
{
    static const struct {
        const char *json, *message;
    } bad[] = {
        {"{\"steps\":0}", "\"steps\": 0 is out of range (expected 1 .. 1000000000; default 2000)"},
        {"{\"steps\":1.5}",
         "\"steps\": 1.5 is not a whole number (expected 1 .. 1000000000; default 2000)"},
        {"{\"steps\":9223372036854775807}",
         "\"steps\": 9223372036854775807 is out of range (expected "
         "1 .. 1000000000; default 2000)"},
        {"{\"lr\":\"1\"}", "\"lr\": \"1\" is not a number (expected 0 .. 10; default 0.003)"},
        {"{\"lr\":10.5}", "\"lr\": 10.5 is out of range (expected 0 .. 10; default 0.003)"},
        {"{\"lr\":null}", "\"lr\": null is not a number (expected 0 .. 10; default 0.003)"},
        {"{\"seed\":-1}", "\"seed\": -1 is out of range (expected 0 .. 2^64-1; default 1337)"},
        {"{\"seed\":\"x\"}",
         "\"seed\": \"x\" is not a whole number (expected 0 .. 2^64-1; default 1337)"},
        {"{\"stream\":1}", "\"stream\": 1 is not true or false (default off)"},
        {"{\"out\":7}", "\"out\": 7 is not a string (default runs/rnn)"},
        {"{\"unit\":\"letter\"}", "\"unit\": \"letter\" is not one of the choices (expected "
                                  "char|byte|word; default char)"},
        {"{\"seq_len_offset\":6}",
         "\"seq_len_offset\": 6 is out of range (expected -5 .. 5; default 0)"},
        {"[]", "not a JSON object of options"}};
    for (int i = 0; i < LEN(bad); i++) {
        Program p;
        Error err = {""};
        program_init(&p);
        json_t *j = json_loads(bad[i].json, 0, NULL);
        ck_assert_msg(!args_from_json(p.opt, LEN(p.opt), j, &err), "%s", bad[i].json);
        ck_assert_str_eq(err.text, bad[i].message);
        json_decref(j);
    }
}
END_TEST

START_TEST(flag_takes_no_text)
{
    Program p;
    program_init(&p);
    option_set(find(&p, "stream"), "on");
}
END_TEST

START_TEST(invalid_string_to_json)
{
    Program p;
    program_init(&p);
    p.c.out = "\xFF";
    args_to_json(p.opt, LEN(p.opt));
}
END_TEST

/* Strings of a config live until the program ends; equal strings are stored once. */
START_TEST(strings_from_json)
{
    const char *a = "", *b = "", *c = "";
    Option opt[] = {OPTION_STRING("a", &a, ""), OPTION_STRING("b", &b, ""),
                    OPTION_STRING("c", &c, "")};
    json_t *j = json_pack("{s:s, s:s, s:s}", "a", "runs/one", "b", "runs/one", "c", "runs/two");
    Error err;
    ck_assert_msg(args_from_json(opt, LEN(opt), j, &err), "%s", err.text);
    json_decref(j);
    ck_assert_str_eq(a, "runs/one");
    ck_assert_str_eq(c, "runs/two");
    ck_assert_ptr_eq(a, b);
}
END_TEST

typedef enum { RED, GREEN, BLUE_GREEN } Colour;

/* A choice that sets an enum is its name in text, messages and JSON. */
START_TEST(enums)
{
    Colour c = GREEN;
    Option o = OPTION_CHOICE("colour", &c, "red|green|blue-green", "");
    Error err;
    ck_assert_ptr_null(option_set(&o, "blue-green"));
    ck_assert_int_eq(c, BLUE_GREEN);
    ck_assert_str_eq(option_set(&o, "blue"), "is not one of the choices");
    ck_assert_str_eq(option_set(&o, ""), "is not one of the choices");
    ck_assert_int_eq(c, BLUE_GREEN);
    char *remark = option_remark(&o, "expected ");
    ck_assert_str_eq(remark, " (expected red|green|blue-green; default blue-green)");
    free(remark);
    json_t *config = args_to_json(&o, 1), *bad = json_pack("{s:s}", "colour", "black");
    ck_assert_str_eq(json_string_value(json_object_get(config, "colour")), "blue-green");
    c = RED;
    ck_assert(args_from_json(&o, 1, config, &err) && c == BLUE_GREEN);
    ck_assert(!args_from_json(&o, 1, bad, &err) && c == BLUE_GREEN);
    ck_assert_msg(strstr(err.text, "red|green") != NULL, "%s", err.text);
    json_decref(config), json_decref(bad);
}
END_TEST

START_TEST(durations)
{
    static const struct {
        const char *text, *shown;
        double seconds;
    } good[] = {{"60s", "1m", 60},  {"90", "90s", 90}, {"10m", "10m", 600}, {"1.5h", "90m", 5400},
                {"2h", "2h", 7200}, {"0", "0s", 0},    {".5s", "0.5s", .5}};
    static const char *const bad[] = {"",    "m",   "1d",  "1 m",  "-1s",
                                      "1e3", "1mm", "nan", "1..2", "."};
    double v = 7, again;
    Option o = OPTION_DURATION("budget", &v, 36000, "");
    Error err;
    for (int i = 0; i < LEN(good); i++) {
        ck_assert_msg(!option_set(&o, good[i].text) && v == good[i].seconds, "%s", good[i].text);
        char *remark = option_remark(&o, ""), *want = xformat(" (default %s)", good[i].shown);
        ck_assert_str_eq(remark, want);
        free(remark), free(want);
        json_t *config = args_to_json(&o, 1);
        again = v, v = 7;
        ck_assert(args_from_json(&o, 1, config, &err) && v == again);
        json_decref(config);
    }
    v = 7;
    for (int i = 0; i < LEN(bad); i++)
        ck_assert_msg(option_set(&o, bad[i]) && v == 7, "\"%s\" is taken", bad[i]);
    ck_assert_str_eq(option_set(&o, "11h"), "is out of range");
}
END_TEST

SUITE("args_value",
      TESTS(whole_numbers, type_limits, reals, strings, json_round_trip, json_form, json_keeps,
            json_refused, strings_from_json, enums, durations),
      ABORTS(flag_takes_no_text, invalid_string_to_json))
