#include "common/config_check.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/template.h"
#include "common/wishes.h"

int lane_parse(const char *name)
{
    for (int i = 0; i < LANE_COUNT; i++)
        if (strcmp(lane_names[i], name) == 0)
            return i;
    return -1;
}

const struct config_backend *config_backend_find(const struct config *c, const char *name)
{
    const struct config_backend *b = c->backends.items;
    for (size_t i = 0; i < c->backends.count; i++)
        if (strcmp(b[i].name, name) == 0)
            return &b[i];
    return NULL;
}

/* '*' stands for any characters. */
bool config_matches(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;
    while (*s) {
        if (*pattern == '*') {
            star = pattern++;
            retry = s;
        } else if (*pattern == *s) {
            pattern++, s++;
        } else if (star) {
            pattern = star + 1;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* "https://user:password@host/" */
static bool has_user(const char *url)
{
    const char *host = strstr(url, "://");
    return host && memchr(host + 3, '@', strcspn(host + 3, "/?#")) != NULL;
}

static bool is_url(const char *s)
{
    return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}

static void check_backends(const struct config *c, struct config_report *r)
{
    const struct config_backend *b = c->backends.items;
    for (size_t i = 0; i < c->backends.count; i++) {
        if (!is_url(b[i].base_url))
            config_complain(r, c->path, b[i].line, 1,
                            "backend \"%s\": base_url \"%s\" must begin with http:// or https://",
                            b[i].name, b[i].base_url);
        if (has_user(b[i].base_url))
            config_complain(r, c->path, b[i].line, 1,
                            "backend \"%s\": base_url holds a user or password, which would be "
                            "shown in errors; use api_key_env or api_key_file",
                            b[i].name);
        if (config_backend_find(c, b[i].name) != &b[i])
            config_complain(r, c->path, b[i].line, 1, "backend \"%s\" is there twice", b[i].name);
    }
}

static void check_limits(const struct config *c, struct config_report *r)
{
    const struct config_backend *b = c->backends.items;
    size_t total = 0;
    for (size_t i = 0; i < c->backends.count; i++)
        total += b[i].limits.count;
    if (total > CONFIG_LIMITS_MAX)
        config_complain(r, c->path, b[0].line, 1,
                        "the backends have %zu limits; %d in all are possible", total,
                        CONFIG_LIMITS_MAX);
}

/* Candidates are put in order once: for that their models must be known. */
static void check_order(const struct config *c, const struct config_model *m,
                        struct config_report *r)
{
    const struct config_candidate *k = m->candidates.items;
    for (size_t i = 0; m->order == ORDER_CHEAPEST && i < m->candidates.count; i++)
        if (!k[i].model && strchr(m->name, '*'))
            config_complain(r, c->path, k[i].line, 1,
                            "model \"%s\": order: cheapest needs the `model` of each candidate, "
                            "as the name stands for many",
                            m->name);
}

static void check_models(const struct config *c, struct config_report *r)
{
    const struct config_model *m = c->models.items;
    for (size_t i = 0; i < c->models.count; i++) {
        const struct config_candidate *k = m[i].candidates.items;
        const struct config_fallback *f = &m[i].fallback;
        struct error err;
        if ((f->text != NULL) + (f->template != NULL) + (f->extract != 0) > 1)
            config_complain(r, c->path, m[i].line, 1,
                            "model \"%s\": fallback has more than one of text, template and "
                            "extract; keep one",
                            m[i].name);
        if (f->template && template_check(f->template, fallback_fields, &err) != QUERN_OK)
            config_complain(r, c->path, m[i].line, 1, "model \"%s\": fallback.template: %s",
                            m[i].name, err.message);
        check_order(c, &m[i], r);
        for (size_t j = 0; j < m[i].candidates.count; j++)
            if (!config_backend_find(c, k[j].backend))
                config_complain(r, c->path, k[j].line, 1,
                                "model \"%s\": no backend is named \"%s\"; add it to backends",
                                m[i].name, k[j].backend);
    }
}

/* Properties that the promises rest on, or that have a key of their own. */
static const char *const refused[] = {"bootstrap.servers",
                                      "metadata.broker.list",
                                      "group.id",
                                      "enable.auto.commit",
                                      "enable.idempotence",
                                      "acks",
                                      "request.required.acks",
                                      "auto.offset.reset",
                                      "enable.auto.offset.store",
                                      "partition.assignment.strategy",
                                      "sasl.password",
                                      NULL};

static void check_properties(const struct config *c, struct config_report *r)
{
    for (size_t i = 0; i < c->kafka.properties.count; i++)
        for (size_t j = 0; refused[j]; j++)
            if (strcmp(c->kafka.properties.items[i].name, refused[j]) == 0)
                config_complain(r, c->path, 0, 0,
                                "kafka.properties: \"%s\" cannot be set here (quern sets it, or "
                                "it has a key of its own)",
                                refused[j]);
}

static void check_guards(const struct config *c, struct config_report *r)
{
    const struct config_guard_rule *g = c->guards.rules.items;
    for (size_t i = 0; i < c->guards.rules.count; i++)
        if (g[i].backend && !config_backend_find(c, g[i].backend))
            config_complain(r, c->path, g[i].rule.line, 1,
                            "guards.rules: no backend is named \"%s\"; add it to backends",
                            g[i].backend);
}

static void check_quality(const struct config *c, struct config_report *r)
{
    const struct config_quality_rule *q = c->quality.rules.items;
    for (size_t i = 0; i < c->quality.rules.count; i++)
        if (q[i].judge && !c->quality.judge.model)
            config_complain(r, c->path, q[i].rule.line, 1,
                            "quality.rules: judge needs quality.judge.model, the model that rates");
}

static void check_webhook(const struct config *c, struct config_report *r)
{
    const char *url = c->limits.webhook.url;
    if (url && (!is_url(url) || has_user(url)))
        config_complain(r, c->path, 0, 0,
                        "limits.webhook.url must begin with http:// or https://, without a user "
                        "or password; requests are signed with secret_env or secret_file");
}

static void check_tracing(const struct config *c, struct config_report *r)
{
    const char *url = c->tracing.endpoint;
    if (url && (!is_url(url) || has_user(url)))
        config_complain(r, c->path, 0, 0,
                        "tracing.endpoint must begin with http:// or https://, without a user or "
                        "password; give those with tracing.authorization_env");
}

static void check_retention(const struct config *c, struct config_report *r)
{
    const struct {
        const char *name;
        int64_t age;
    } ages[] = {{"results", c->retention.results},
                {"attempts", c->retention.attempts},
                {"dead_letters", c->retention.dead_letters}};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
        if (ages[i].age && ages[i].age < c->kafka.retention)
            config_complain(r, c->path, 0, 0,
                            "retention.%s is shorter than kafka.retention: a record that is read "
                            "again could be paid twice; make it at least as long",
                            ages[i].name);
}

void config_check(const struct config *c, struct config_report *r)
{
    check_retention(c, r);
    check_tracing(c, r);
    check_backends(c, r);
    check_limits(c, r);
    check_models(c, r);
    check_properties(c, r);
    check_webhook(c, r);
    check_guards(c, r);
    check_quality(c, r);
}

quern_status config_secret(const char *env, const char *file, char **out, struct error *err)
{
    const char *value = env ? getenv(env) : NULL;
    *out = NULL;
    if (value && *value) {
        *out = mem_string(value);
        return QUERN_OK;
    }
    if (!file)
        return QUERN_OK;
    struct buf b;
    enum { SECRET_MAX = 16384 };
    buf_init(&b, SECRET_MAX);
    quern_status status = file_read(file, &b, err);
    if (status == QUERN_OK) {
        size_t len = b.len;
        while (len && strchr("\r\n", b.data[len - 1]))
            len--;
        *out = len ? mem_copy(b.data, len) : NULL;
        if (b.len)
            explicit_bzero(b.data, b.len);
    }
    buf_free(&b);
    return status;
}
