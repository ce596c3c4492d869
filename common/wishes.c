#include "common/wishes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/template.h"
#include "common/units.h"

#define INVALID(err, ...) error_set(err, ERROR_PERMANENT, "invalid_task", __VA_ARGS__)

enum { W_TIMEOUT, W_COMPLEXITY, W_SENSITIVE, W_CACHE, W_FALLBACK };

const char *const wish_names[WISHES] = {"timeout", "complexity", "sensitive", "cache", "fallback"};
const char *const complexity_names[] = {"", "simple", "moderate", "complex", NULL};

enum complexity complexity_parse(const char *name)
{
    for (int i = COMPLEXITY_SIMPLE; complexity_names[i]; i++)
        if (strcmp(complexity_names[i], name) == 0)
            return (enum complexity)i;
    return COMPLEXITY_NONE;
}

const char *const fallback_fields[FALLBACK_FIELDS + 1] = {
    [F_CUSTOM_ID] = "custom_id", [F_MODEL] = "model",     [F_TENANT] = "tenant",
    [F_USER] = "user",           [F_FEATURE] = "feature", [F_PROMPT] = "prompt"};

/* A short text without escapes. */
static bool plain_text(struct json v, char *out, size_t size)
{
    struct buf b = {.data = out, .cap = size, .max = size - 1};
    out[0] = '\0';
    return json_is(v, '"') && json_string(v, &b) && !b.overflow && strlen(out) == b.len;
}

static quern_status check_template(struct json v, struct error *err)
{
    struct error why;
    char *text = json_string_dup(v);
    quern_status status = text ? template_check(text, fallback_fields, &why) : QUERN_OK;
    free(text);
    return status == QUERN_OK ? status : INVALID(err, "fallback.template: %s", why.message);
}

static quern_status read_fallback(struct json v, struct wishes *w, struct error *err)
{
    static const char *const names[] = {"text", "template", "extract"};
    struct json m[3];
    int64_t n = 1;
    if (!json_is(v, '{'))
        return INVALID(err, "fallback is no object");
    json_get_all(v, names, m, 3);
    if ((m[0].p != NULL) + (m[1].p != NULL) + (m[2].p != NULL) != 1)
        return INVALID(err, "fallback has not exactly one of text, template and extract");
    for (int i = 0; i < 2; i++)
        if (m[i].p && !json_is(m[i], '"'))
            return INVALID(err, "fallback.%s is no text", names[i]);
    if (m[2].p && (!json_int64(m[2], &n) || n < 1 || n > FALLBACK_SENTENCES_MAX))
        return INVALID(err, "fallback.extract is no number of sentences, 1 to %d",
                       FALLBACK_SENTENCES_MAX);
    w->fallback = v;
    return check_template(m[1], err);
}

quern_status wishes_read(const struct json m[WISHES], struct wishes *out, struct error *err)
{
    char text[UNITS_TEXT_MAX];
    *out = (struct wishes){0};
    for (int i = 0; i < WISHES; i++) {
        const struct json v = m[i];
        if (!v.p || json_is(v, 'n'))
            continue;
        if (i == W_TIMEOUT &&
            (!plain_text(v, text, sizeof text) || !units_parse_duration(text, &out->timeout_ms) ||
             out->timeout_ms < 1 || out->timeout_ms > WISH_TIMEOUT_MAX))
            return INVALID(err, "timeout is no duration up to 24h, e.g. \"30s\"");
        if (i == W_COMPLEXITY &&
            (!plain_text(v, text, sizeof text) || !(out->complexity = complexity_parse(text))))
            return INVALID(err, "complexity is not simple, moderate or complex");
        if ((i == W_SENSITIVE || i == W_CACHE) && !json_is(v, 't'))
            return INVALID(err, "%s is neither true nor false", wish_names[i]);
        if (i == W_SENSITIVE)
            out->sensitive = v.p[0] == 't';
        if (i == W_CACHE)
            out->no_cache = v.p[0] == 'f';
        if (i == W_FALLBACK && read_fallback(v, out, err) != QUERN_OK)
            return QUERN_FAIL;
    }
    return QUERN_OK;
}

void wishes_write(const struct wishes *w, struct buf *out)
{
    if (w->timeout_ms)
        buf_printf(out, ",\"timeout\":\"%" PRId64 "ms\"", w->timeout_ms);
    if (w->complexity)
        buf_printf(out, ",\"complexity\":\"%s\"", complexity_names[w->complexity]);
    if (w->sensitive)
        buf_str(out, ",\"sensitive\":true");
    if (w->no_cache)
        buf_str(out, ",\"cache\":false");
    if (w->fallback.p) {
        buf_str(out, ",\"fallback\":");
        buf_add(out, w->fallback.p, w->fallback.len);
    }
}
