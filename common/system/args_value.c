/* Converts the values of options from and to text and JSON. */
#include "system/args.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"

OptionName option_name(const char *prefix, const char *name, char hyphen)
{
    OptionName out;
    snprintf(out.text, sizeof out.text, "%s%s", prefix, name);
    for (char *s = out.text; *s; s++)
        if (*s == '-' || *s == '_') *s = hyphen;
    return out;
}

/* --- from text -------------------------------------------------------------------------------- */

/* Parses [+-]digits[kMG] into sign and magnitude; returns NULL, or what is wrong. */
static const char *parse_whole(const char *text, bool *minus, uint64_t *magnitude)
{
    *minus = *text == '-';
    if (*text == '-' || *text == '+') text++;
    if (!isdigit((unsigned char)*text)) return "is not a whole number";
    char *end;
    errno = 0;
    *magnitude = strtoull(text, &end, 10);
    uint64_t unit = 1;
    switch (*end) {
    case 'k':
    case 'K': unit = 1000, end++; break;
    case 'M': unit = 1000000, end++; break;
    case 'G': unit = 1000000000, end++; break;
    }
    if (*end) return "is not a whole number";
    if (errno || __builtin_mul_overflow(*magnitude, unit, magnitude)) return "is out of range";
    return NULL;
}

static const char *set_whole(Option *o, const char *text)
{
    bool minus;
    uint64_t magnitude;
    const char *why = parse_whole(text, &minus, &magnitude);
    if (why) return why;
    const double v = minus ? -(double)magnitude : (double)magnitude;
    if (!(v >= o->min && v <= o->max)) return "is out of range";
    if (o->kind == OPT_U64) {
        if (v < 0) return "is out of range";
        *(uint64_t *)o->value = magnitude;
    } else {
        if (v < INT_MIN || v > INT_MAX) return "is out of range";
        *(int *)o->value = (int)v;
    }
    return NULL;
}

static const char *set_double(Option *o, const char *text)
{
    /* strtod also takes blanks, hexadecimals, "nan" and "inf". */
    if (text[strspn(text, "0123456789+-.eE")]) return "is not a number";
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end) return "is not a number";
    if (!isfinite(v) || v < o->min || v > o->max) return "is out of range";
    *(double *)o->value = v;
    return NULL;
}

/* "60s", "10m", "1h"; a number alone is of seconds. */
static const char *set_duration(Option *o, const char *text)
{
    const size_t len = strspn(text, "0123456789.");
    char *end;
    double v = strtod(text, &end);
    if (len == 0 || end != text + len) return "is not a time like 60s, 10m or 1h";
    if (strcmp(end, "m") == 0)
        v *= 60;
    else if (strcmp(end, "h") == 0)
        v *= 3600;
    else if (*end && strcmp(end, "s") != 0)
        return "is not a time like 60s, 10m or 1h";
    if (!isfinite(v) || v > o->max) return "is out of range";
    *(double *)o->value = v;
    return NULL;
}

/* Returns the number of a choice of "char|byte", or -1. */
static int choice_of(const char *choices, const char *text)
{
    const size_t len = strlen(text);
    int number = 0;
    for (const char *s = choices;; s++, number++) {
        const size_t n = strcspn(s, "|");
        if (n == len && memcmp(s, text, n) == 0) return number;
        s += n;
        if (!*s) return -1;
    }
}

static const char *set_choice(Option *o, const char *text)
{
    const int number = choice_of(o->choices, text);
    if (number < 0) return "is not one of the choices";
    *(unsigned *)o->value = (unsigned)number;
    return NULL;
}

static const char *set_string(Option *o, const char *text)
{
    if (o->choices && choice_of(o->choices, text) < 0) return "is not one of the choices";
    if (!utf8_is_valid(text)) return "is not valid UTF-8"; /* JSON could not hold it */
    *(const char **)o->value = text;
    return NULL;
}

const char *option_set(Option *o, const char *text)
{
    switch (o->kind) {
    case OPT_INT:
    case OPT_U64: return set_whole(o, text);
    case OPT_DOUBLE: return set_double(o, text);
    case OPT_DURATION: return set_duration(o, text);
    case OPT_CHOICE: return set_choice(o, text);
    case OPT_STRING: return set_string(o, text);
    default: CHECK(false, "option_set: --%s takes no value", o->name);
    }
}

/* --- as text ---------------------------------------------------------------------------------- */

typedef struct {
    char text[48];
} ValueText;

/* Formats a number in the fewest digits that read back equal; whole numbers have no exponent. */
static ValueText number_text(double v)
{
    ValueText t;
    if (v == trunc(v) && fabs(v) < 1e15) {
        snprintf(t.text, sizeof t.text, "%.0f", v);
        return t;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(t.text, sizeof t.text, "%.*g", digits, v);
        if (strtod(t.text, NULL) == v) break;
    }
    return t;
}

static ValueText range_text(const Option *o)
{
    ValueText t = {""};
    if (o->kind != OPT_INT && o->kind != OPT_DOUBLE && o->kind != OPT_U64) return t;
    const ValueText min = number_text(o->min), max = number_text(o->max);
    const bool whole_u64 = o->kind == OPT_U64 && o->max >= 0x1p64;
    if (isinf(o->max))
        snprintf(t.text, sizeof t.text, "at least %.20s", min.text);
    else
        snprintf(t.text, sizeof t.text, "%.20s .. %.20s", min.text,
                 whole_u64 ? "2^64-1" : max.text);
    return t;
}

/* "10m" of 600 seconds: the largest unit of which there is a whole number. */
static const char *duration_text(double seconds, ValueText *t)
{
    const int unit = seconds > 0 && fmod(seconds, 3600) == 0 ? 3600
                     : seconds > 0 && fmod(seconds, 60) == 0 ? 60
                                                             : 1;
    const ValueText number = number_text(seconds / unit);
    snprintf(t->text, sizeof t->text, "%.40s%s", number.text,
             unit == 3600 ? "h"
             : unit == 60 ? "m"
                          : "s");
    return t->text;
}

static const char *choice_text(const Option *o, ValueText *t)
{
    const char *s = o->choices;
    for (unsigned i = *(const unsigned *)o->value; i > 0; i--) {
        s += strcspn(s, "|");
        CHECK(*s, "--%s has no choice number %u", o->name, *(const unsigned *)o->value);
        s++;
    }
    const int len = (int)strcspn(s, "|");
    CHECK(len < (int)sizeof t->text, "--%s: the name of a choice is too long", o->name);
    snprintf(t->text, sizeof t->text, "%.*s", len, s);
    return t->text;
}

/* Returns the variable's value as text, with t as room for a number; "" for an empty or NULL string. */
static const char *value_text(const Option *o, ValueText *t)
{
    switch (o->kind) {
    case OPT_INT: snprintf(t->text, sizeof t->text, "%d", *(const int *)o->value); break;
    case OPT_U64: snprintf(t->text, sizeof t->text, "%" PRIu64, *(const uint64_t *)o->value); break;
    case OPT_DOUBLE: *t = number_text(*(const double *)o->value); break;
    case OPT_FLAG: return *(const bool *)o->value ? "on" : "off";
    case OPT_DURATION: return duration_text(*(const double *)o->value, t);
    case OPT_CHOICE: return choice_text(o, t);
    default: {
        const char *s = *(const char *const *)o->value;
        return s ? s : "";
    }
    }
    return t->text;
}

char *option_remark(const Option *o, const char *expected)
{
    ValueText number;
    const ValueText range = range_text(o);
    const char *values = o->choices ? o->choices : o->known ? o->known : range.text;
    const char *initial = value_text(o, &number);
    if (!*values && !*initial) return xstrdup("");
    return xformat(" (%s%s%s%s%s)", *values ? expected : "", values,
                   *values && *initial ? "; " : "", *initial ? "default " : "", initial);
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static json_t *value_to_json(const Option *o)
{
    ValueText t;
    switch (o->kind) {
    case OPT_INT: return json_integer(*(const int *)o->value);
    case OPT_DOUBLE:
    case OPT_DURATION: return json_real(*(const double *)o->value);
    case OPT_CHOICE: return json_string(choice_text(o, &t));
    case OPT_FLAG: return json_boolean(*(const bool *)o->value);
    case OPT_U64: {
        const uint64_t v = *(const uint64_t *)o->value;
        return v <= INT64_MAX ? json_integer((json_int_t)v) : json_string(value_text(o, &t));
    }
    default: {
        const char *s = *(const char *const *)o->value;
        return s ? json_string(s) : json_null();
    }
    }
}

json_t *args_to_json(const Option *opt, int n)
{
    json_t *config = json_object();
    for (int i = 0; i < n; i++) {
        if (opt[i].kind == OPT_GROUP) continue;
        const char *const *text = opt[i].kind == OPT_STRING ? opt[i].value : NULL;
        CHECK(!text || !*text || utf8_is_valid(*text), "args_to_json: --%s holds what JSON cannot",
              opt[i].name);
        const OptionName key = option_name("", opt[i].name, '_');
        const int failed = json_object_set_new(config, key.text, value_to_json(&opt[i]));
        if (failed) too_large("out of memory: the options of config.json need more");
    }
    return config;
}

const char *args_lasting(const char *text)
{
    static struct Lasting {
        struct Lasting *next;
        char *text;
    } * all;
    for (const struct Lasting *l = all; l; l = l->next)
        if (strcmp(l->text, text) == 0) return l->text;
    struct Lasting *l = xmalloc(sizeof *l);
    *l = (struct Lasting){all, xstrdup(text)};
    all = l;
    return l->text;
}

static const char *set_string_from_json(Option *o, const json_t *j)
{
    if (json_is_null(j) && !o->choices && !*(const char **)o->value) return NULL; /* no default */
    if (!json_is_string(j)) return "is not a string";
    if (!*json_string_value(j)) return "is empty";
    return option_set(o, args_lasting(json_string_value(j)));
}

static const char *set_from_json(Option *o, const json_t *j)
{
    char digits[32];
    switch (o->kind) {
    case OPT_STRING: return set_string_from_json(o, j);
    case OPT_CHOICE:
        return json_is_string(j) ? set_choice(o, json_string_value(j)) : "is not a string";
    case OPT_DOUBLE:
    case OPT_DURATION:
        if (!json_is_number(j)) return "is not a number";
        snprintf(digits, sizeof digits, o->kind == OPT_DURATION ? "%.9f" : "%.17g",
                 json_number_value(j));
        return option_set(o, digits);
    case OPT_FLAG:
        if (!json_is_boolean(j)) return "is not true or false";
        *(bool *)o->value = json_is_true(j);
        return NULL;
    default:
        if (o->kind == OPT_U64 && json_is_string(j)) return option_set(o, json_string_value(j));
        if (!json_is_integer(j)) return "is not a whole number";
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
        return option_set(o, digits);
    }
}

static bool bad_key(const Option *o, const char *key, const json_t *j, const char *why, Error *err)
{
    char *value = json_dumps(j, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    char *remark = option_remark(o, "expected ");
    error_set(err, "\"%s\": %.80s %s%s", key, value ? value : "the value", why, remark);
    free(value), free(remark);
    return false;
}

/* Returns why the value cannot be one of the option, or NULL. The option's variable is unchanged. */
static const char *fault_of(const Option *o, const json_t *j)
{
    uint64_t scratch = 0; /* room for a value of any kind */
    Option copy = *o;
    copy.value = &scratch;
    return set_from_json(&copy, j);
}

bool args_from_json(Option *opt, int n, const json_t *config, Error *err)
{
    if (!json_is_object(config)) return error_set(err, "not a JSON object of options");
    for (int i = 0; i < n; i++) {
        if (opt[i].kind == OPT_GROUP) continue;
        const OptionName key = option_name("", opt[i].name, '_');
        const json_t *j = json_object_get(config, key.text);
        const char *why = !j             ? NULL
                          : opt[i].given ? fault_of(&opt[i], j)
                                         : set_from_json(&opt[i], j);
        if (why) return bad_key(&opt[i], key.text, j, why, err);
    }
    return true;
}
