/* YAML to struct config: a walk over the document beside the schema table. */
#include <errno.h>
#include <libfyaml.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/config_check.h"
#include "common/config_value.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/utf8.h"

extern char **environ;

struct load {
    const char *path;
    struct config_report *report;
};

void config_complain(struct config_report *r, const char *path, int line, int column,
                     const char *fmt, ...)
{
    va_list args;
    char text[ERROR_MESSAGE_MAX];
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (line > 0)
        buf_printf(&r->text, "%s:%d:%d: %s\n", path, line, column, text);
    else
        buf_printf(&r->text, "%s: %s\n", path, text);
    r->errors++;
}

/* Where a node begins, from 1; a mapping begins with its first key. */
static void position(struct fy_node *n, int *line, int *column)
{
    while (n && !fy_node_is_scalar(n)) {
        void *prev = NULL;
        if (fy_node_is_mapping(n)) {
            struct fy_node_pair *pair = fy_node_mapping_iterate(n, &prev);
            n = pair ? fy_node_pair_key(pair) : NULL;
        } else {
            n = fy_node_sequence_iterate(n, &prev);
        }
    }
    struct fy_token *token = n ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    *line = mark ? mark->line + 1 : 1;
    *column = mark ? mark->column + 1 : 1;
}

#define complain(load, node, ...)                                                                  \
    do {                                                                                           \
        int line_, column_;                                                                        \
        position(node, &line_, &column_);                                                          \
        config_complain((load)->report, (load)->path, line_, column_, __VA_ARGS__);                \
    } while (0)

/* The text of a scalar; NULL for null, a mapping or a sequence. The caller frees it. */
static char *scalar(struct fy_node *n)
{
    size_t len;
    const char *s = n && fy_node_is_scalar(n) ? fy_node_get_scalar(n, &len) : NULL;
    return s && len ? mem_copy(s, len) : NULL;
}

/* An alias would be taken for its own name. */
static bool is_alias(struct load *l, struct fy_node *n)
{
    if (!n || !fy_node_is_alias(n))
        return false;
    complain(l, n, "YAML aliases are not supported: write the value out");
    return true;
}

static const struct config_key *find_key(const struct config_key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static void load_mapping(struct load *l, struct fy_node *n, const struct config_key *keys,
                         void *base, const char *where);

static void load_pairs(struct load *l, struct fy_node *n, const struct config_key *key, void *base)
{
    struct config_pairs *pairs = (void *)((char *)base + key->offset);
    struct fy_node_pair *p;
    void *prev = NULL;
    if (!fy_node_is_mapping(n)) {
        complain(l, n, "%s: a mapping of names to values is expected", key->name);
        return;
    }
    while ((p = fy_node_mapping_iterate(n, &prev)) != NULL) {
        char *name = scalar(fy_node_pair_key(p)), *value = scalar(fy_node_pair_value(p));
        if (!name || !value || fy_node_is_alias(fy_node_pair_value(p))) {
            complain(l, fy_node_pair_key(p), "%s: a name and a plain value are expected",
                     key->name);
            free(name);
            free(value);
            continue;
        }
        pairs->items = mem_array(pairs->items, pairs->count + 1, sizeof *pairs->items);
        pairs->items[pairs->count++] = (struct config_pair){name, value};
    }
}

static void load_list(struct load *l, struct fy_node *n, const struct config_key *key, void *base)
{
    struct config_list *list = (void *)((char *)base + key->offset);
    struct fy_node *item;
    void *prev = NULL;
    if (!fy_node_is_sequence(n)) {
        complain(l, n, "%s: a list is expected (lines that begin with \"- \")", key->name);
        return;
    }
    int count = fy_node_sequence_item_count(n);
    if (count > key->max) {
        complain(l, n, "%s: %d entries; at most %lld are allowed", key->name, count,
                 (long long)key->max);
        return;
    }
    list->items = mem_zero((size_t)count * key->size);
    while ((item = fy_node_sequence_iterate(n, &prev)) != NULL) {
        void *slot = (char *)list->items + list->count++ * key->size;
        int column;
        position(item, slot, &column); /* `int line` is the first member of each item */
        config_value_defaults(key->sub, slot);
        if (!is_alias(l, item))
            load_mapping(l, item, key->sub, slot, key->name);
    }
}

static void load_scalar(struct load *l, struct fy_node *n, const struct config_key *key, void *base)
{
    struct error err;
    char *text = scalar(n);
    if (!text)
        complain(l, n, "%s: a value is expected", key->name);
    else if (config_value_set(key, base, text, &err) != QUERN_OK)
        complain(l, n, "%s", err.message);
    free(text);
}

static void load_value(struct load *l, struct fy_node *n, const struct config_key *key, void *base)
{
    if (is_alias(l, n))
        return;
    if (key->type == CONFIG_GROUP)
        load_mapping(l, n, key->sub, base, key->name);
    else if (key->type == CONFIG_LIST)
        load_list(l, n, key, base);
    else if (key->type == CONFIG_PAIRS)
        load_pairs(l, n, key, base);
    else
        load_scalar(l, n, key, base);
}

static void unknown_key(struct load *l, struct fy_node *n, const struct config_key *keys,
                        const char *name, const char *where)
{
    const char *near = config_value_nearest(keys, name);
    complain(l, n, "unknown key \"%s\" in %s%s%s%s", name, where,
             near ? ": did you mean \"" : "; see quern.yaml(5)", near ? near : "",
             near ? "\"?" : "");
}

static void load_mapping(struct load *l, struct fy_node *n, const struct config_key *keys,
                         void *base, const char *where)
{
    struct fy_node_pair *p;
    void *prev = NULL;
    if (!fy_node_is_mapping(n)) {
        complain(l, n, "%s: a mapping is expected (lines like \"key: value\")", where);
        return;
    }
    while ((p = fy_node_mapping_iterate(n, &prev)) != NULL) {
        char *name = scalar(fy_node_pair_key(p));
        const struct config_key *key = name ? find_key(keys, name) : NULL;
        struct fy_node *value = fy_node_pair_value(p);
        if (is_alias(l, fy_node_pair_key(p)))
            key = NULL;
        else if (!key)
            unknown_key(l, fy_node_pair_key(p), keys, name ? name : "", where);
        else if (value && !fy_node_is_null(value))
            load_value(l, value, key, base);
        free(name);
    }
    for (; keys->name; keys++)
        if (keys->required && !config_value_is_set(keys, base))
            complain(l, n, "%s: \"%s\" is missing: %s", where, keys->name, keys->doc);
}

/* QUERN_WORKER_CONCURRENCY=64 overrides worker.concurrency; lists have no such names. */
static void override(struct load *l, const char *name, const char *value, void *base)
{
    for (const struct config_key *group = config_schema; group->name; group++) {
        size_t n = strlen(group->name);
        if (group->type != CONFIG_GROUP || strncasecmp(name, group->name, n) != 0 || name[n] != '_')
            continue;
        for (const struct config_key *key = group->sub; key->name; key++) {
            struct error err;
            if (strcasecmp(name + n + 1, key->name) != 0 || key->type >= CONFIG_PAIRS)
                continue;
            if (config_value_set(key, base, value, &err) != QUERN_OK)
                config_complain(l->report, "environment", 0, 0, "QUERN_%s: %s", name, err.message);
            return;
        }
        config_complain(l->report, "environment", 0, 0,
                        "QUERN_%s: no such key in %s; see quern.yaml(5)", name, group->name);
        return;
    }
}

static void load_environment(struct load *l, struct config *c)
{
    for (char **e = environ; *e; e++) {
        const char *equals = strchr(*e, '=');
        if (strncmp(*e, "QUERN_", 6) != 0 || !equals)
            continue;
        char *name = mem_copy(*e + 6, (size_t)(equals - *e) - 6);
        override(l, name, equals + 1, c);
        free(name);
    }
}

static void report_syntax(struct load *l, struct fy_diag *diag)
{
    struct fy_diag_error *e;
    void *prev = NULL;
    while ((e = fy_diag_errors_iterate(diag, &prev)) != NULL)
        config_complain(l->report, l->path, e->line, e->column, "not valid YAML: %s", e->msg);
    if (l->report->errors == 0)
        config_complain(l->report, l->path, 1, 1, "not valid YAML");
}

/* libfyaml's own lines; its errors are collected and reported as ours. */
static void say_nothing(struct fy_diag *diag, void *user, const char *text, size_t len)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)len;
}

/* Nothing but blank lines and comments: a document that libfyaml takes for a broken one. */
static bool is_empty(const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end) {
        text += strspn(text, " \t\r\n");
        if (text < end && *text != '#')
            return false;
        text += strcspn(text, "\n");
    }
    return true;
}

/* What libfyaml cannot be given: it loops for ever on some broken directives. */
static bool is_safe(struct load *l, const char *text, size_t len)
{
    int line = 1;
    size_t bad = 0;
    bool directive = false, valid = utf8_valid(text, len, &bad);
    size_t end = valid ? len : bad;
    for (size_t i = 0; i < end && !directive; i++) {
        bool start = i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r';
        directive = start && text[i] == '%';
        line += text[i] == '\n';
    }
    if (directive)
        config_complain(l->report, l->path, line, 1, "YAML directives (%%) are not supported");
    else if (!valid)
        config_complain(l->report, l->path, line, 1, "invalid UTF-8");
    return valid && !directive;
}

static void load_document(struct load *l, const char *text, size_t len, struct config *c)
{
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG};
    struct fy_diag_cfg diag;
    fy_diag_cfg_default(&diag);
    diag.output_fn = say_nothing;
    cfg.diag = fy_diag_create(&diag);
    if (!cfg.diag)
        abort();
    fy_diag_set_collect_errors(cfg.diag, true);
    struct fy_document *doc = fy_document_build_from_string(&cfg, text, len);
    struct fy_node *root = doc ? fy_document_root(doc) : NULL;
    if (!doc)
        report_syntax(l, cfg.diag);
    else if (root && !fy_node_is_null(root))
        load_mapping(l, root, config_schema, c, "the file");
    fy_document_destroy(doc);
    fy_diag_destroy(cfg.diag);
}

struct config *config_parse(const char *text, size_t len, const char *path,
                            struct config_report *report)
{
    struct load l = {path, report};
    struct config *c = mem_zero(sizeof *c);
    *report = (struct config_report){0};
    buf_init(&report->text, CONFIG_REPORT_MAX);
    c->path = mem_string(path);
    config_value_defaults(config_schema, c);
    if (!is_empty(text, len) && is_safe(&l, text, len))
        load_document(&l, text, len, c);
    load_environment(&l, c);
    if (report->errors == 0)
        config_check(c, report);
    if (report->errors == 0)
        return c;
    config_free(c);
    return NULL;
}

struct config *config_load(const char *path, struct config_report *report)
{
    struct error err;
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX);
    struct config *c = NULL;
    if (file_read(path, &text, &err) == QUERN_OK) {
        c = config_parse(text.data ? text.data : "", text.len, path, report);
    } else {
        *report = (struct config_report){0};
        buf_init(&report->text, CONFIG_REPORT_MAX);
        config_complain(report, path, 0, 0, "%s", err.message);
    }
    buf_free(&text);
    return c;
}

char *config_find(const char *given)
{
    static const char *const places[] = {"./quern.yaml", "/etc/quern/quern.yaml"};
    const char *variable = getenv("QUERN_CONFIG");
    if (given || (variable && *variable))
        return mem_string(given ? given : variable);
    for (size_t i = 0; i < 2; i++)
        if (access(places[i], R_OK) == 0)
            return mem_string(places[i]);
    return NULL;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    config_value_free(config_schema, c);
    free(c->path);
    free(c);
}

void config_report_free(struct config_report *r)
{
    buf_free(&r->text);
}
