#include "common/config_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/mem.h"
#include "common/money.h"
#include "common/units.h"

enum { NAME_MAX_LEN = 64, MONEY_SCALE = 12 };

static void *at(const void *base, size_t offset)
{
    return (char *)(uintptr_t)base + offset;
}

static bool parse_int(const char *s, int64_t *out)
{
    char *end;
    long long v = strtoll(s, &end, 10);
    *out = v;
    return *s && *end == '\0';
}

static bool parse_bool(const char *s, bool *out)
{
    *out = strcmp(s, "true") == 0;
    return *out || strcmp(s, "false") == 0;
}

/* The index of `s` among "a|b|c", or -1. */
static int64_t choice_index(const char *words, const char *s)
{
    size_t n = strlen(s);
    for (int64_t i = 0; words; i++) {
        const char *bar = strchr(words, '|');
        size_t len = bar ? (size_t)(bar - words) : strlen(words);
        if (n && len == n && memcmp(words, s, n) == 0)
            return i;
        words = bar ? bar + 1 : NULL;
    }
    return -1;
}

static bool parse_number(const struct config_key *key, const char *s, int64_t *out)
{
    switch (key->type) {
    case CONFIG_INT:
        return parse_int(s, out);
    case CONFIG_DURATION:
        return units_parse_duration(s, out);
    case CONFIG_SIZE:
        return units_parse_size(s, out);
    case CONFIG_MONEY:
    case CONFIG_DECIMAL:
        return money_parse(s, strlen(s), MONEY_SCALE, out);
    case CONFIG_CHOICE:
        *out = choice_index(key->words, s);
        return *out >= 0;
    default:
        return false;
    }
}

_Static_assert((int)MONEY_TEXT_MAX <= (int)UNITS_TEXT_MAX, "a decimal has room where a number has");

/* 0.25, 1: without what money_format() adds. */
static char *format_decimal(int64_t v, char *out)
{
    size_t n = strlen(money_format(v, out));
    while (n > 1 && out[n - 1] == '0')
        n--;
    n -= n > 1 && out[n - 1] == '.';
    out[n] = '\0';
    return out;
}

static char *format_number(enum config_type type, int64_t v, char *out)
{
    if (type == CONFIG_DURATION)
        return units_format_duration(v, out);
    if (type == CONFIG_SIZE)
        return units_format_size(v, out);
    if (type == CONFIG_DECIMAL)
        return format_decimal(v, out);
    (void)snprintf(out, UNITS_TEXT_MAX, "%" PRId64, v);
    return out;
}

static quern_status expected(const struct config_key *key, const char *text, struct error *err)
{
    static const char *const kinds[] = {
        [CONFIG_INT] = "a whole number",
        [CONFIG_BOOL] = "true or false",
        [CONFIG_DURATION] = "a duration with its unit, e.g. 30s, 5m or 250ms",
        [CONFIG_SIZE] = "a size with its unit, e.g. 512KiB or 4MiB",
        [CONFIG_MONEY] = "an amount of USD, e.g. 0.15",
        [CONFIG_DECIMAL] = "a number, e.g. 0.25",
    };
    return error_set(err, ERROR_PERMANENT, "invalid_config", "%s: \"%s\" is not %s%s", key->name,
                     text, key->type == CONFIG_CHOICE ? "one of " : kinds[key->type],
                     key->type == CONFIG_CHOICE ? key->words : "");
}

static quern_status set_number(const struct config_key *key, void *base, const char *text,
                               struct error *err)
{
    int64_t v;
    if (!parse_number(key, text, &v))
        return expected(key, text, err);
    if (key->max && (v < key->min || v > key->max)) {
        char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
        return error_set(err, ERROR_PERMANENT, "invalid_config",
                         "%s: %s is out of range: from %s to %s", key->name, text,
                         format_number(key->type, key->min, least),
                         format_number(key->type, key->max, most));
    }
    *(int64_t *)at(base, key->offset) = v;
    return QUERN_OK;
}

quern_status config_value_set(const struct config_key *key, void *base, const char *text,
                              struct error *err)
{
    if (key->type == CONFIG_TEXT) {
        char **field = at(base, key->offset);
        free(*field);
        *field = mem_string(text);
        return QUERN_OK;
    }
    if (key->type == CONFIG_BOOL)
        return parse_bool(text, at(base, key->offset)) ? QUERN_OK : expected(key, text, err);
    return set_number(key, base, text, err);
}

static void copy_word(const char *words, int64_t index, char *out, size_t size)
{
    while (index-- > 0)
        words = strchr(words, '|') + 1;
    (void)snprintf(out, size, "%.*s", (int)strcspn(words, "|"), words);
}

bool config_value_get(const struct config_key *key, const void *base, char *out, size_t size)
{
    const void *field = at(base, key->offset);
    char number[UNITS_TEXT_MAX], money[MONEY_TEXT_MAX];
    switch (key->type) {
    case CONFIG_TEXT:
        if (!*(char *const *)field)
            return false;
        (void)snprintf(out, size, "\"%s\"", *(char *const *)field);
        return true;
    case CONFIG_BOOL:
        (void)snprintf(out, size, "%s", *(const bool *)field ? "true" : "false");
        return true;
    case CONFIG_CHOICE:
        copy_word(key->words, *(const int64_t *)field, out, size);
        return true;
    case CONFIG_MONEY:
        (void)snprintf(out, size, "%s", money_format(*(const int64_t *)field, money));
        return *(const int64_t *)field >= 0;
    default:
        (void)snprintf(out, size, "%s", format_number(key->type, *(const int64_t *)field, number));
        return true;
    }
}

bool config_value_is_set(const struct config_key *key, const void *base)
{
    const void *field = at(base, key->offset);
    if (key->type == CONFIG_TEXT)
        return *(char *const *)field != NULL;
    if (key->type == CONFIG_MONEY)
        return *(const int64_t *)field >= 0;
    return key->type != CONFIG_LIST || ((const struct config_list *)field)->count > 0;
}

void config_value_defaults(const struct config_key *keys, void *base)
{
    for (; keys->name; keys++) {
        struct error err;
        if (keys->type == CONFIG_GROUP)
            config_value_defaults(keys->sub, base);
        else if (keys->type == CONFIG_MONEY && !keys->initial)
            *(int64_t *)at(base, keys->offset) = -1;
        else if (keys->initial && config_value_set(keys, base, keys->initial, &err) != QUERN_OK)
            abort(); /* a default of our own table does not parse */
    }
}

static void free_pairs(struct config_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

void config_value_free(const struct config_key *keys, void *base)
{
    for (; keys->name; keys++) {
        void *field = at(base, keys->offset);
        if (keys->type == CONFIG_TEXT)
            free(*(char **)field);
        else if (keys->type == CONFIG_PAIRS)
            free_pairs(field);
        else if (keys->type == CONFIG_GROUP)
            config_value_free(keys->sub, base);
        else if (keys->type == CONFIG_LIST) {
            struct config_list *list = field;
            for (size_t i = 0; i < list->count; i++)
                config_value_free(keys->sub, (char *)list->items + i * keys->size);
            free(list->items);
        }
    }
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1], n = strlen(b);
    if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *config_value_nearest(const struct config_key *keys, const char *name)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 2;
    for (; keys->name; keys++) {
        size_t d = distance(name, keys->name);
        if (d < least) {
            least = d;
            best = keys->name;
        }
    }
    return best;
}
