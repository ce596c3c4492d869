/* OpenAI's API and the servers compatible with it (vLLM, llama.cpp, Ollama, Groq …). */
#include <string.h>

#include "dialect.h"

static void path(const char *url, struct buf *out)
{
    buf_str(out, strncmp(url, "/v1/", 4) == 0 ? url + 3 : url); /* base_url ends in /v1 */
}

static void key_header(const char *key, struct buf *out)
{
    buf_printf(out, "Authorization: Bearer %s", key);
}

static bool dropped(struct json key)
{
    return json_equals(key, "model") || json_equals(key, "stream") ||
           json_equals(key, "stream_options");
}

/* Every member as it was written, but for the model's name. */
static void request(struct json body, const char *model, struct buf *out)
{
    struct json_member m;
    size_t pos = 0;
    buf_char(out, '{');
    buf_json_member(out, "model", model);
    while (json_next_member(body, &pos, &m)) {
        if (dropped(m.key))
            continue;
        buf_char(out, ',');
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        buf_add(out, m.value.p, m.value.len);
    }
    buf_char(out, '}');
}

/* From (status, error.code or error.type) to what follows; the first row that fits. Sources:
 * OpenAI's error codes guide; what the official SDKs retry (408, 409, 429, >= 500). */
static const struct rule {
    long status;      /* 0: any */
    const char *code; /* NULL: any */
    const char *type;
    enum error_class class;
} rules[] = {
    {429, "insufficient_quota", "quota_exhausted", ERROR_NEXT_CANDIDATE},
    {429, "billing_hard_limit_reached", "quota_exhausted", ERROR_NEXT_CANDIDATE},
    {429, NULL, "rate_limit", ERROR_THROTTLED},
    {400, "context_length_exceeded", "context_length", ERROR_NEXT_CANDIDATE},
    {400, "content_policy_violation", "content_policy", ERROR_PERMANENT},
    {400, "content_filter", "content_policy", ERROR_PERMANENT},
    {401, NULL, "auth", ERROR_NEXT_CANDIDATE},
    {402, NULL, "quota_exhausted", ERROR_NEXT_CANDIDATE},
    {403, NULL, "auth", ERROR_NEXT_CANDIDATE},
    {404, NULL, "invalid_request", ERROR_NEXT_CANDIDATE},
    {408, NULL, "timeout", ERROR_RETRY},
    {409, NULL, "api_error", ERROR_RETRY},
    {503, NULL, "overloaded", ERROR_RETRY},
    {529, NULL, "overloaded", ERROR_RETRY},
};

static const struct rule *classify(long status, struct json code, struct json type)
{
    static const struct rule client = {0, NULL, "invalid_request", ERROR_PERMANENT};
    static const struct rule server = {0, NULL, "api_error", ERROR_RETRY};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        if (r->status == status &&
            (!r->code || json_equals(code, r->code) || json_equals(type, r->code)))
            return r;
    }
    return status >= 400 && status < 500 ? &client : &server;
}

static void set_error(struct reply *out, const struct rule *r, long status, const char *text,
                      size_t len)
{
    (void)error_set(&out->error, r->class, r->type, "HTTP %ld: %.*s", status,
                    (int)(len < 300 ? len : 300), text);
}

static void read_failure(long status, const char *text, size_t len, struct reply *out)
{
    struct json error = json_get(out->body, "error"), message = json_get(error, "message");
    const struct rule *r = classify(status, json_get(error, "code"), json_get(error, "type"));
    struct buf b;
    buf_init(&b, len + 1);
    if (json_string(message.p ? message : error, &b) && b.data)
        set_error(out, r, status, b.data, b.len);
    else
        set_error(out, r, status, text, len);
    buf_free(&b);
}

static int64_t count(struct json object, const char *key, const char *other)
{
    int64_t n = 0;
    if (!json_int64(json_get(object, key), &n) && other)
        (void)json_int64(json_get(object, other), &n);
    return n < 0 ? 0 : n > USAGE_MAX ? USAGE_MAX : n;
}

/* prompt_tokens or, in the responses API, input_tokens; cached ones are part of them, and
 * reasoning ones part of the output. */
static void read_usage(struct json body, struct usage *u)
{
    struct json usage = json_get(body, "usage");
    struct json in = json_get(usage, "prompt_tokens_details");
    struct json out = json_get(usage, "completion_tokens_details");
    if (!in.p)
        in = json_get(usage, "input_tokens_details");
    if (!out.p)
        out = json_get(usage, "output_tokens_details");
    u->input = count(usage, "prompt_tokens", "input_tokens");
    u->output = count(usage, "completion_tokens", "output_tokens");
    u->cached = count(in, "cached_tokens", NULL);
    u->reasoning = count(out, "reasoning_tokens", NULL);
}

/* Every endpoint's answer has one of these lists. */
static bool has_answer(struct json body)
{
    static const char *const lists[] = {"choices", "data", "output", "results"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (json_is(json_get(body, lists[i]), '['))
            return true;
    return false;
}

static void reply(long status, const char *text, size_t len, struct reply *out)
{
    struct error err;
    bool good = json_check(text, len, &err);
    *out = (struct reply){0};
    if (good && json_is(json_root(text, len), '{'))
        out->body = json_root(text, len);
    struct json failure = json_get(out->body, "error");
    if (status < 200 || status > 299 || json_is(failure, '{')) {
        read_failure(status, text, len, out);
        return;
    }
    read_usage(out->body, &out->usage);
    out->model = json_get(out->body, "model");
    out->success = has_answer(out->body);
    if (!out->success)
        (void)error_set(&out->error, ERROR_RETRY, "malformed_response",
                        "HTTP %ld, but the body is no answer: %s", status,
                        good ? "it has no choices, data, output or results" : err.message);
}

const struct dialect dialect_openai = {"openai", path, key_header, request, reply};
