#include "common/task_doc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"

#define INVALID(err, ...) error_set(err, ERROR_PERMANENT, "invalid_task", __VA_ARGS__)

static const char *const urls[] = {"/v1/chat/completions", "/v1/responses",   "/v1/embeddings",
                                   "/v1/completions",      "/v1/moderations", NULL};

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

quern_status task_name_check(const char *what, const char *name, struct error *err)
{
    if (!name)
        return QUERN_OK;
    size_t len = strlen(name);
    if (len == 0 || len > TASK_NAME_MAX)
        return INVALID(err, "%s has %zu bytes; 1 to %d are allowed", what, len, TASK_NAME_MAX);
    if (has_control(name, len))
        return INVALID(err, "%s holds a control character", what);
    return QUERN_OK;
}

/* A control character can stand in checked JSON as an escape only. */
static bool escapes_control(struct json v)
{
    char text[TASK_NAME_MAX + 1];
    struct buf b = {.data = text, .cap = sizeof text, .max = TASK_NAME_MAX};
    if (!memchr(v.p, '\\', v.len) || v.len > TASK_NAME_MAX + 2)
        return false;
    return json_string(v, &b) && has_control(b.data, b.len);
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
    if (escapes_control(*model))
        return INVALID(err, "body.model holds a control character");
    if (model->len - 2 > TASK_NAME_MAX)
        return INVALID(err, "body.model is longer than %d bytes", TASK_NAME_MAX);
    return QUERN_OK;
}

/* The members of the document; the texts first, in the order of text_fields. */
enum member {
    M_CUSTOM_ID,
    M_URL,
    M_TENANT,
    M_USER,
    M_FEATURE,
    M_JOB,
    TEXT_FIELDS,
    M_VERSION = TEXT_FIELDS,
    M_JOB_ID,
    M_GENERATION,
    M_DEADLINE,
    M_BODY,
    M_SEALED,
    M_WISHES,
    MEMBERS = M_WISHES + WISHES
};
static const char *const member_names[M_WISHES] = {"custom_id",  "url",      "tenant", "user",
                                                   "feature",    "job",      "v",      "job_id",
                                                   "generation", "deadline", "body",   "sealed"};

/* The fields that are texts, and where they go. */
#define FIELD(f) offsetof(struct task_doc, f)
static const struct text_field {
    size_t offset, max;
    bool required;
} text_fields[TEXT_FIELDS] = {
    [M_CUSTOM_ID] = {FIELD(custom_id), TASK_ID_MAX, true},
    [M_URL] = {FIELD(url), TASK_NAME_MAX, true},
    [M_TENANT] = {FIELD(tenant), TASK_NAME_MAX, false},
    [M_USER] = {FIELD(user), TASK_NAME_MAX, false},
    [M_FEATURE] = {FIELD(feature), TASK_NAME_MAX, false},
    [M_JOB] = {FIELD(job), TASK_NAME_MAX, false},
};

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

static quern_status check_texts(struct json m[MEMBERS], size_t *total, struct error *err)
{
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        if (json_is(m[i], 'n'))
            m[i] = (struct json){0};
        if (!m[i].p && text_fields[i].required)
            return INVALID(err, "%s is missing", member_names[i]);
        if (m[i].p && !json_is(m[i], '"'))
            return INVALID(err, "%s is not a text", member_names[i]);
        *total += m[i].len + 1;
    }
    return QUERN_OK;
}

static quern_status read_texts(struct json m[MEMBERS], struct json model, struct task_doc *d,
                               struct error *err)
{
    size_t total = model.len + 1;
    if (check_texts(m, &total, err) != QUERN_OK)
        return QUERN_FAIL;
    char *at = d->strings = mem_alloc(total);
    d->model = place(model, &at);
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        if (!m[i].p)
            continue;
        char *text = place(m[i], &at);
        size_t len = strlen(text);
        if (len > text_fields[i].max || has_control(text, len))
            return INVALID(err, "%s is longer than %zu bytes or holds a control character",
                           member_names[i], text_fields[i].max);
        memcpy((char *)d + text_fields[i].offset, &text, sizeof text);
    }
    if (!task_url_known(d->url))
        return INVALID(err, "url \"%s\" is unknown; known are %s", d->url, task_url_list());
    return task_id_check(d->custom_id, strlen(d->custom_id), err);
}

static quern_status read_deadline(struct json v, struct task_doc *d, struct error *err)
{
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

static quern_status read_scalars(const struct json m[MEMBERS], struct task_doc *d,
                                 struct error *err)
{
    int64_t version;
    char job[UUID_TEXT_LEN + 1] = "";
    struct json id = m[M_JOB_ID], generation = m[M_GENERATION];
    if (!json_int64(m[M_VERSION], &version) || version != TASK_VERSION)
        return INVALID(err, "v is not %d: an unknown version of the task document", TASK_VERSION);
    if (json_is(id, '"') && id.len == UUID_TEXT_LEN + 2)
        memcpy(job, id.p + 1, UUID_TEXT_LEN);
    if (!uuid_parse(job, &d->job_id))
        return INVALID(err, "job_id is missing or no UUID");
    if (generation.p &&
        (!json_int64(generation, &d->generation) || d->generation < 0 || d->generation > INT32_MAX))
        return INVALID(err, "generation is no whole number from 0 to %d", INT32_MAX);
    if (wishes_read(m + M_WISHES, &d->wishes, err) != QUERN_OK)
        return QUERN_FAIL;
    return read_deadline(m[M_DEADLINE], d, err);
}

quern_status task_doc_read(const char *text, size_t len, struct task_doc *out, struct error *err)
{
    struct json model = {0}, m[MEMBERS];
    const char *names[MEMBERS];
    memcpy(names, member_names, sizeof member_names);
    memcpy(names + M_WISHES, wish_names, sizeof wish_names);
    *out = (struct task_doc){0};
    if (!json_check(text, len, err))
        return QUERN_FAIL;
    struct json root = json_root(text, len);
    if (!json_is(root, '{'))
        return INVALID(err, "the task is not an object");
    json_get_all(root, names, m, MEMBERS);
    out->body = m[M_BODY];
    out->sealed = json_is(m[M_SEALED], '"');
    if (read_scalars(m, out, err) == QUERN_OK &&
        task_body_check(out->body, &model, err) == QUERN_OK &&
        read_texts(m, model, out, err) == QUERN_OK)
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
    write_text(out, "job", d->job);
    write_text(out, "custom_id", d->custom_id);
    if (d->generation)
        buf_printf(out, ",\"generation\":%" PRId64, d->generation);
    write_text(out, "tenant", d->tenant);
    write_text(out, "user", d->user);
    write_text(out, "feature", d->feature);
    if (d->deadline_us)
        buf_printf(out, ",\"deadline\":\"%s\"", units_format_time(d->deadline_us, time));
    wishes_write(&d->wishes, out);
    write_text(out, "url", d->url);
    buf_str(out, ",\"body\":");
    buf_add(out, d->body.p, d->body.len);
    buf_char(out, '}');
}

void task_doc_key(const struct task_doc *d, struct buf *out)
{
    char id[UUID_TEXT_LEN + 1];
    buf_printf(out, "%s/%s", uuid_format(&d->job_id, id), d->custom_id);
}

bool task_doc_rates(const struct task_doc *d)
{
    return d->feature && strcmp(d->feature, JUDGE_FEATURE) == 0;
}

quern_status task_doc_regenerate(const char *text, size_t len, int64_t generation, struct buf *out,
                                 struct error *err)
{
    struct json_member m;
    size_t pos = 0;
    if (!json_check(text, len, err))
        return QUERN_FAIL;
    struct json root = json_root(text, len);
    if (!json_is(root, '{'))
        return INVALID(err, "the task is not an object");
    buf_printf(out, "{\"generation\":%" PRId64, generation);
    while (json_next_member(root, &pos, &m)) {
        if (json_equals(m.key, "generation"))
            continue;
        buf_char(out, ',');
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        buf_add(out, m.value.p, m.value.len);
    }
    buf_char(out, '}');
    return QUERN_OK;
}
