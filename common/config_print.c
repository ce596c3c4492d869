/* The configuration as text: the effective values, and the reference made from the table. */
#include <string.h>

#include "common/config.h"
#include "common/config_value.h"

enum { VALUE_MAX = 4096 };

/* Hides the password of a URI: user:SECRET@host. */
static void hide_password(char *value)
{
    char *scheme = strstr(value, "://");
    char *at = scheme ? strchr(scheme + 3, '@') : NULL;
    char *colon = scheme ? strchr(scheme + 3, ':') : NULL;
    if (!at || !colon || colon > at)
        return;
    memmove(colon + 4, at, strlen(at) + 1);
    memset(colon + 1, '*', 3);
}

static void print_keys(const struct config_key *keys, const void *base, int indent, FILE *out);

static void print_list(const struct config_key *key, const struct config_list *list, int indent,
                       FILE *out)
{
    (void)fprintf(out, "%*s%s:%s\n", indent, "", key->name, list->count ? "" : " []");
    for (size_t i = 0; i < list->count; i++) {
        (void)fprintf(out, "%*s-\n", indent + 2, "");
        print_keys(key->sub, (const char *)list->items + i * key->size, indent + 4, out);
    }
}

static void print_pairs(const struct config_key *key, const struct config_pairs *pairs, int indent,
                        FILE *out)
{
    if (pairs->count == 0)
        return;
    (void)fprintf(out, "%*s%s:\n", indent, "", key->name);
    for (size_t i = 0; i < pairs->count; i++) {
        bool secret = strcasestr(pairs->items[i].name, "password") ||
                      strcasestr(pairs->items[i].name, "auth") ||
                      strcasestr(pairs->items[i].name, "key");
        (void)fprintf(out, "%*s%s: \"%s\"\n", indent + 2, "", pairs->items[i].name,
                      secret ? "***" : pairs->items[i].value);
    }
}

static void print_keys(const struct config_key *keys, const void *base, int indent, FILE *out)
{
    for (; keys->name; keys++) {
        const void *field = (const char *)base + keys->offset;
        char value[VALUE_MAX];
        if (keys->type == CONFIG_GROUP) {
            (void)fprintf(out, "%*s%s:\n", indent, "", keys->name);
            print_keys(keys->sub, base, indent + 2, out);
        } else if (keys->type == CONFIG_LIST) {
            print_list(keys, field, indent, out);
        } else if (keys->type == CONFIG_PAIRS) {
            print_pairs(keys, field, indent, out);
        } else if (config_value_get(keys, base, value, sizeof value)) {
            hide_password(value);
            (void)fprintf(out, "%*s%s: %s\n", indent, "", keys->name, value);
        }
    }
}

void config_print(const struct config *c, FILE *out)
{
    print_keys(config_schema, c, 0, out);
}

/* "a|b|c" -> " a, b, c" */
static void list_words(const char *words, char *out, size_t size)
{
    size_t n = 0;
    for (; words && *words && n + 3 < size; words++) {
        if (n == 0)
            out[n++] = ' ';
        if (*words == '|')
            out[n++] = ',';
        out[n++] = *words == '|' ? ' ' : *words;
    }
    out[n] = '\0';
}

/* "brokers (text; default 127.0.0.1:9092; required)" and the doc, for each key below `keys`. */
static void refer(const struct config_key *keys, const char *prefix, FILE *out, bool man)
{
    static const char *const types[] = {"text",    "number",  "true or false", "duration",
                                        "size",    "one of",  "USD",           "decimal",
                                        "mapping", "section", "list"};
    for (; keys->name; keys++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s%s", prefix, keys->name);
        (void)fprintf(out, man ? ".TP\n.B %s\n" : "| `%s` | ", path);
        char words[128];
        list_words(keys->words, words, sizeof words);
        (void)fprintf(out, man ? "%s (%s%s%s%s%s)\n" : "%s | %s%s%s%s%s |\n", keys->doc,
                      types[keys->type], words, keys->initial ? "; default " : "",
                      keys->initial ? keys->initial : "", keys->required ? "; required" : "");
        if (keys->sub) {
            (void)snprintf(path, sizeof path, "%s%s%s.", prefix, keys->name,
                           keys->type == CONFIG_LIST ? "[]" : "");
            refer(keys->sub, path, out, man);
        }
    }
}

void config_reference(FILE *out, bool man)
{
    if (man)
        (void)fprintf(out,
                      ".TH QUERN.YAML 5 \"\" \"quern %s\"\n.SH NAME\nquern.yaml \\- configuration "
                      "of quern and quern-worker\n.SH DESCRIPTION\nFound as --config FILE, else "
                      "$QUERN_CONFIG, ./quern.yaml, /etc/quern/quern.yaml. A key of a section can "
                      "be overridden by QUERN_SECTION_KEY in the environment.\n.SH KEYS\n",
                      QUERN_VERSION);
    else
        (void)fprintf(out, "# Configuration\n\nMade by `quern config reference`. A key of a "
                           "section can be overridden by `QUERN_SECTION_KEY` in the "
                           "environment.\n\n| key | what it is | value |\n| --- | --- | --- |\n");
    refer(config_schema, "", out, man);
}
