#include "spans.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/money.h"

enum { KIND_CLIENT = 3, KIND_CONSUMER = 5, STATUS_ERROR = 2 };

/* ---- ids ------------------------------------------------------------------------------------ */

static void put64(unsigned char *out, uint64_t v)
{
    const uint64_t big = htobe64(v);
    memcpy(out, &big, sizeof big);
}

static bool read_hex(const char *text, unsigned char *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 2 * len; i++) {
        const char *d = text[i] ? strchr(digits, text[i]) : NULL;
        if (!d)
            return false;
        const unsigned v = (unsigned)(d - digits);
        out[i / 2] = (unsigned char)(i % 2 ? (out[i / 2] | v) : (v << 4U));
    }
    return true;
}

static bool is_zero(const unsigned char *id, size_t len)
{
    while (len > 0 && id[len - 1] == 0)
        len--;
    return len == 0;
}

/* "00-TRACE-PARENT-FLAGS", or of a later version, but for ff; ids of zeros are invalid. */
static bool read_parent(const char *text, struct span_context *out)
{
    unsigned char version, flags;
    if (strlen(text) != TRACEPARENT_MAX || !read_hex(text, &version, 1) || version == 0xff ||
        text[2] != '-' || text[35] != '-' || text[52] != '-' ||
        !read_hex(text + 3, out->trace, TRACE_ID) || !read_hex(text + 36, out->parent, SPAN_ID) ||
        !read_hex(text + 53, &flags, 1) || is_zero(out->trace, TRACE_ID) ||
        is_zero(out->parent, SPAN_ID))
        return false;
    out->sampled = (flags & 1U) != 0;
    return true;
}

static uint64_t hash_of(const struct task *t, uint64_t salt)
{
    uint64_t h = hash_add(HASH_START, &salt, sizeof salt);
    h = hash_add(h, t->identity, t->identity_len);
    return hash_add(h, &t->doc.generation, sizeof t->doc.generation);
}

void span_context_of(const struct task *t, double ratio, struct span_context *out)
{
    *out = (struct span_context){.has_parent = false};
    if (read_parent(t->journey.traceparent, out)) {
        out->has_parent = true;
        return;
    }
    const uint64_t high = hash_of(t, 1), low = hash_of(t, 2);
    put64(out->trace, high);
    put64(out->trace + SPAN_ID, low | 1);
    /* As TraceIdRatioBased: by the id alone, so that all who see the trace agree. */
    out->sampled = (double)(low >> 11U) < ratio * (double)(1ULL << 53U);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void write_hex(struct buf *out, const char *key, const unsigned char *id, size_t len)
{
    buf_printf(out, "\"%s\":\"", key);
    for (size_t i = 0; i < len; i++)
        buf_printf(out, "%02x", id[i]);
    buf_str(out, "\",");
}

static void key_of(struct buf *out, const char *key)
{
    if (out->len && out->data[out->len - 1] != '[')
        buf_char(out, ',');
    buf_printf(out, "{\"key\":\"%s\",\"value\":{", key);
}

/* NULL: left out. */
static void text(struct buf *out, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    key_of(out, key);
    buf_str(out, "\"stringValue\":");
    buf_json(out, value, strlen(value));
    buf_str(out, "}}");
}

static void number(struct buf *out, const char *key, int64_t value)
{
    key_of(out, key);
    buf_printf(out, "\"intValue\":\"%" PRId64 "\"}}", value);
}

static void begin(struct buf *out, const struct span_context *c, const unsigned char id[SPAN_ID],
                  const unsigned char *parent, int kind, int64_t from_us, int64_t to_us)
{
    buf_char(out, '{');
    write_hex(out, "traceId", c->trace, TRACE_ID);
    write_hex(out, "spanId", id, SPAN_ID);
    if (parent)
        write_hex(out, "parentSpanId", parent, SPAN_ID);
    buf_printf(out,
               "\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64 "\",\"endTimeUnixNano\":\"%" PRId64
               "\",",
               kind, from_us * 1000, to_us * 1000);
}

static void end(struct buf *out, const char *error)
{
    buf_char(out, ']');
    if (error) {
        buf_printf(out, ",\"status\":{\"code\":%d,\"message\":", STATUS_ERROR);
        buf_json(out, error, strlen(error));
        buf_char(out, '}');
    }
    buf_char(out, '}');
}

/* gen_ai.operation.name, by the path. */
static const char *operation_of(const char *url)
{
    return strstr(url, "embeddings")                              ? "embeddings"
           : strstr(url, "/completions") && !strstr(url, "/chat") ? "text_completion"
                                                                  : "chat";
}

static void write_call(const struct task *t, const struct span_context *c,
                       const unsigned char parent[SPAN_ID], const struct attempt *a,
                       const char *provider, struct buf *out)
{
    unsigned char id[SPAN_ID];
    char cost[MONEY_TEXT_MAX];
    const char *operation = operation_of(t->doc.url);
    put64(id, a->token);
    begin(out, c, id, parent, KIND_CLIENT, a->started_us, a->started_us + a->duration_ms * 1000);
    buf_printf(out, "\"name\":\"%s ", operation);
    struct buf name;
    buf_init(&name, TASK_NAME_MAX * 6 + 16);
    buf_json(&name, a->model, strlen(a->model));
    buf_str(out, name.data + 1); /* with its closing quote */
    buf_free(&name);
    buf_str(out, ",\"attributes\":[");
    text(out, "gen_ai.operation.name", operation);
    text(out, "gen_ai.provider.name", provider);
    text(out, "gen_ai.request.model", a->model);
    number(out, "gen_ai.usage.input_tokens", a->usage.input);
    number(out, "gen_ai.usage.output_tokens", a->usage.output);
    if (a->http_status > 0)
        number(out, "http.response.status_code", a->http_status);
    if (a->first_token_ms >= 0)
        number(out, "quern.first_token_ms", a->first_token_ms);
    text(out, "quern.backend", a->backend);
    number(out, "quern.attempt", a->number);
    if (a->cost >= 0)
        text(out, "quern.cost_usd", money_format(a->cost, cost));
    text(out, "error.type", a->error ? a->error_type : NULL);
    end(out, a->error ? a->error_type : NULL);
}

static void write_task(const struct task *t, const struct span_context *c,
                       const unsigned char id[SPAN_ID], int64_t now_us, struct buf *out)
{
    char job[UUID_TEXT_LEN + 1];
    const bool good = task_status_is_success(t->status) || t->status == STATUS_NONE;
    begin(out, c, id, c->has_parent ? c->parent : NULL, KIND_CONSUMER, t->received_us, now_us);
    buf_printf(out, "\"name\":\"process %s\",\"attributes\":[", t->partition->topic);
    text(out, "messaging.system", "kafka");
    text(out, "messaging.operation.type", "process");
    text(out, "messaging.destination.name", t->partition->topic);
    number(out, "messaging.kafka.offset", t->offset);
    text(out, "quern.job_id", uuid_format(&t->doc.job_id, job));
    text(out, "quern.custom_id", t->doc.custom_id);
    number(out, "quern.generation", t->doc.generation);
    text(out, "quern.lane", lane_names[t->lane]);
    text(out, "quern.tenant", t->doc.tenant);
    text(out, "quern.feature", t->doc.feature);
    text(out, "quern.status",
         t->status == STATUS_NONE ? "given_back" : task_status_names[t->status]);
    number(out, "quern.waited_ms", (t->received_us - task_begun_us(t)) / 1000);
    text(out, "error.type", good ? NULL : t->error.code);
    end(out, good ? NULL : t->error.code);
}

int spans_write(const struct task *t, const struct span_context *c, int64_t now_us,
                span_provider *provider, void *arg, struct buf *out)
{
    unsigned char id[SPAN_ID];
    /* Of this worker's part: another that takes the record again has a span of its own. */
    put64(id, hash_add(hash_of(t, 3 + (uint64_t)t->journey.seq), &t->received_us,
                       sizeof t->received_us) |
                  1);
    write_task(t, c, id, now_us, out);
    for (size_t i = 0; i < t->attempt_count; i++) {
        const struct attempt *a = &t->attempts[i];
        buf_char(out, ',');
        write_call(t, c, id, a, provider(arg, a->backend), out);
    }
    return 1 + (int)t->attempt_count;
}
