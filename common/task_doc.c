#include "common/task_doc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"

#define INVALID(err, ...) error_set(err, ERROR_PERMANENT, "invalid_task", __VA_ARGS__)

static const char *const urls[] = {"/v1/chat/completions", "/v1/responses", "/v1/embeddings",
                                   "/v1/completions", "/v1/moderations", NULL};

bool task_url_known(const char *url)
{
    for (size_t i = 0; urls[i]; i++)
        if (strcmp(urls[i], url) == 0)
            return true;
    return false;
}

const char *task_url_list(void)
{
    return "/v1/chat/completions, /v1/responses, /v1/embeddings, /v1/completions, "
           "/v1/moderations";
}

static bool has_control(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7F)
            return true;
    return false;
}

quern_status task_id_check(const char *id, size_t len, struct error *err)
{
    if (len == 0)
        return INVALID(err, "custom_id is empty");
    if (len > TASK_ID_MAX)
        return INVALID(err, "custom_id has %zu bytes; at most %d are allowed", len, TASK_ID_MAX);
    if (has_control(id, len))
        return INVALID(err, "custom_id holds a control character");
    return QUERN_OK;
}

quern_status task_body_check(struct json body, struct json *model, struct error *err)
{
    if (!body.p)
        return INVALID(err, "body is missing");
    if (!json_is(body, '{'))
        return INVALID(err, "body is not an object");
    *model = json_get(body, "model");
    if (!json_is(*model, '"') || model->len <= 2)
        return INVALID(err, "body.model is missing or no text");
    if (model->len - 2 > TASK_NAME_MAX)
        return INVALID(err, "body.model is longer than %d bytes", TASK_NAME_MAX);
    struct json stream = json_get(body, "stream");
    if (json_is(stream, 't') && stream.p[0] == 't')
        return INVALID(err, "body.stream is true: an answer of a batch is not streamed");
    return QUERN_OK;
}

/* The fields that are texts, and where they go. */
struct text_field {
    const char *key;
    size_t offset;
    size_t max;
    bool required;
};

#define FIELD(f) offsetof(struct task_doc, f)
static const struct text_field text_fields[] = {
    {"custom_id", FIELD(custom_id), TASK_ID_MAX, true},
    {"url", FIELD(url), TASK_NAME_MAX, true},
    {"tenant", FIELD(tenant), TASK_NAME_MAX, false},
    {"user", FIELD(user), TASK_NAME_MAX, false},
    {"feature", FIELD(feature), TASK_NAME_MAX, false},
};
enum { TEXT_FIELDS = sizeof text_fields / sizeof *text_fields };

static const char *const bool_fields[] = {"sensitive", "cache"};

/* Decodes `v` at *at, NUL-terminated, and moves *at behind it. Decoding never makes it longer. */
static char *place(struct json v, char **at)
{
    char *start = *at;
    struct buf b = {.data = start, .cap = v.len + 1, .max = v.len};
    (void)json_string(v, &b);
    *at = start + b.len + 1;
    start[b.len] = '\0';
    return start;
}

static quern_status find_texts(struct json root, struct json found[TEXT_FIELDS], size_t *total,
                               struct error *err)
{
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        const struct text_field *f = &text_fields[i];
        found[i] = json_get(root, f->key);
        if (json_is(found[i], 'n'))
            found[i] = (struct json){0};
        if (!found[i].p && f->required)
            return INVALID(err, "%s is missing", f->key);
        if (found[i].p && !json_is(found[i], '"'))
            return INVALID(err, "%s is not a text", f->key);
        *total += found[i].len + 1;
    }
    return QUERN_OK;
}

static quern_status read_texts(struct json root, struct json model, struct task_doc *d,
                               struct error *err)
{
    struct json found[TEXT_FIELDS];
    size_t total = model.len + 1;
    if (find_texts(root, found, &total, err) != QUERN_OK)
        return QUERN_FAIL;
    char *at = d->strings = mem_alloc(total);
    d->model = place(model, &at);
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        if (!found[i].p)
            continue;
        char *text = place(found[i], &at);
        size_t len = strlen(text);
        if (len > text_fields[i].max || has_control(text, len))
            return INVALID(err, "%s is longer than %zu bytes or holds a control character",
                           text_fields[i].key, text_fields[i].max);
        memcpy((char *)d + text_fields[i].offset, &text, sizeof text);
    }
    if (!task_url_known(d->url))
        return INVALID(err, "url \"%s\" is unknown; known are %s", d->url, task_url_list());
    return task_id_check(d->custom_id, strlen(d->custom_id), err);
}

static quern_status read_deadline(struct json root, struct task_doc *d, struct error *err)
{
    struct json v = json_get(root, "deadline");
    char text[UNITS_TEXT_MAX + 1];
    if (!v.p || json_is(v, 'n'))
        return QUERN_OK;
    size_t len = v.len >= 2 ? v.len - 2 : 0;
    if (json_is(v, '"') && len < sizeof text) {
        memcpy(text, v.p + 1, len);
        text[len] = '\0';
        if (units_parse_time(text, &d->deadline_us))
            return QUERN_OK;
    }
    return INVALID(err, "deadline is no RFC 3339 time, e.g. 2026-01-31T10:00:00Z");
}

static quern_status read_scalars(struct json root, struct task_doc *d, struct error *err)
{
    int64_t version;
    char job[UUID_TEXT_LEN + 1] = "";
    struct json v = json_get(root, "v"), id = json_get(root, "job_id");
    struct json generation = json_get(root, "generation");
    if (!json_int64(v, &version) || version != TASK_VERSION)
        return INVALID(err, "v is not %d: an unknown version of the task document", TASK_VERSION);
    if (json_is(id, '"') && id.len == UUID_TEXT_LEN + 2)
        memcpy(job, id.p + 1, UUID_TEXT_LEN);
    if (!uuid_parse(job, &d->job_id))
        return INVALID(err, "job_id is missing or no UUID");
    if (generation.p && (!json_int64(generation, &d->generation) || d->generation < 0 ||
                         d->generation > INT32_MAX))
        return INVALID(err, "generation is no whole number from 0 to %d", INT32_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct json flag = json_get(root, bool_fields[i]);
        if (flag.p && !json_is(flag, 't'))
            return INVALID(err, "%s is neither true nor false", bool_fields[i]);
    }
    return read_deadline(root, d, err);
}

quern_status task_doc_read(const char *text, size_t len, struct task_doc *out, struct error *err)
{
    struct json model;
    *out = (struct task_doc){0};
    if (!json_check(text, len, err))
        return QUERN_FAIL;
    struct json root = json_root(text, len);
    if (!json_is(root, '{'))
        return INVALID(err, "the task is not an object");
    out->body = json_get(root, "body");
    if (read_scalars(root, out, err) == QUERN_OK &&
        task_body_check(out->body, &model, err) == QUERN_OK &&
        read_texts(root, model, out, err) == QUERN_OK)
        return QUERN_OK;
    task_doc_free(out);
    return QUERN_FAIL;
}

void task_doc_free(struct task_doc *d)
{
    free(d->strings);
    *d = (struct task_doc){0};
}

static void write_text(struct buf *out, const char *key, const char *value)
{
    if (!value)
        return;
    buf_char(out, ',');
    buf_json_member(out, key, value);
}

void task_doc_write(const struct task_doc *d, struct buf *out)
{
    char job[UUID_TEXT_LEN + 1], time[UNITS_TEXT_MAX];
    buf_printf(out, "{\"v\":%d,\"job_id\":\"%s\"", TASK_VERSION, uuid_format(&d->job_id, job));
    write_text(out, "custom_id", d->custom_id);
    if (d->generation)
        buf_printf(out, ",\"generation\":%" PRId64, d->generation);
    write_text(out, "tenant", d->tenant);
    write_text(out, "user", d->user);
    write_text(out, "feature", d->feature);
    if (d->deadline_us)
        buf_printf(out, ",\"deadline\":\"%s\"", units_format_time(d->deadline_us, time));
    write_text(out, "url", d->url);
    buf_str(out, ",\"body\":");
    buf_add(out, d->body.p, d->body.len);
    buf_char(out, '}');
}
