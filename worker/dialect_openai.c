/* OpenAI's API and the servers compatible with it (vLLM, llama.cpp, Ollama, Groq …). */
#include <string.h>

#include "classify.h"

static void path(const struct request *r, struct buf *out)
{
    /* base_url ends in /v1 */
    buf_str(out, strncmp(r->url, "/v1/", 4) == 0 ? r->url + 3 : r->url);
}

static bool dropped(struct json key)
{
    return json_equals(key, "model") || json_equals(key, "stream") ||
           json_equals(key, "stream_options");
}

/* Only these say their answers in pieces. */
static bool streams(const struct request *r)
{
    return r->stream &&
           (strcmp(r->url, "/v1/chat/completions") == 0 || strcmp(r->url, "/v1/completions") == 0 ||
            strcmp(r->url, "/v1/responses") == 0);
}

/* Every member as it was written, but for the model's name. */
static quern_status request(const struct request *r, struct buf *out, struct error *err)
{
    struct json_member m;
    size_t pos = 0;
    (void)err; /* nothing is refused: it is the task's own shape */
    buf_char(out, '{');
    buf_json_member(out, "model", r->model);
    while (json_next_member(r->body, &pos, &m)) {
        if (dropped(m.key))
            continue;
        buf_char(out, ',');
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        buf_add(out, m.value.p, m.value.len);
    }
    if (streams(r))
        buf_str(out, ",\"stream\":true");
    if (streams(r) && strcmp(r->url, "/v1/responses") != 0) /* there it comes unasked */
        buf_str(out, ",\"stream_options\":{\"include_usage\":true}");
    buf_char(out, '}');
    return QUERN_OK;
}

/* Sources: OpenAI's error codes guide; what the official SDKs retry (408, 409, 429, >= 500); for
 * context_length and content_policy, the words of vLLM, llama.cpp and Azure. */
static const struct failure_rule rules[] = {
    {429, "insufficient_quota", NULL, "quota_exhausted", ERROR_NEXT_CANDIDATE},
    {429, "billing_hard_limit_reached", NULL, "quota_exhausted", ERROR_NEXT_CANDIDATE},
    {200, "rate_limit_exceeded", NULL, "rate_limit", ERROR_THROTTLED}, /* in mid-stream */
    {200, "rate_limit_error", NULL, "rate_limit", ERROR_THROTTLED},
    {200, "overloaded_error", NULL, "overloaded", ERROR_RETRY},
    {200, "invalid_request_error", NULL, "invalid_request", ERROR_PERMANENT},
    {400, "context_length_exceeded", NULL, "context_length", ERROR_NEXT_CANDIDATE},
    {400, "exceed_context_size_error", NULL, "context_length", ERROR_NEXT_CANDIDATE},
    {400, NULL, "maximum context length", "context_length", ERROR_NEXT_CANDIDATE},
    {400, "content_policy_violation", NULL, "content_policy", ERROR_NEXT_CANDIDATE},
    {400, "content_filter", NULL, "content_policy", ERROR_NEXT_CANDIDATE},
    {0}};

static int64_t count(struct json object, const char *key, const char *other)
{
    return classify_count(object, json_get(object, key).p ? key : other);
}

/* prompt_tokens or, in the responses API, input_tokens; cached ones are part of them, and
 * reasoning ones part of the output. */
static void read_usage(struct json body, struct reply *r)
{
    struct usage *u = &r->usage;
    struct json usage = json_get(body, "usage");
    struct json in = json_get(usage, "prompt_tokens_details");
    struct json out = json_get(usage, "completion_tokens_details");
    if (!in.p)
        in = json_get(usage, "input_tokens_details");
    if (!out.p)
        out = json_get(usage, "output_tokens_details");
    u->input = count(usage, "prompt_tokens", "input_tokens");
    u->output = count(usage, "completion_tokens", "output_tokens");
    u->cached = classify_count(in, "cached_tokens");
    u->reasoning = classify_count(out, "reasoning_tokens");
    u->tier = classify_tier(json_get(body, "service_tier"));
    r->has_usage = json_is(usage, '{');
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

/* The answer came well, but a filter or the model itself withheld what was asked for. */
static void look_for_refusal(struct reply *out)
{
    struct json choices = json_get(out->body, "choices"), choice;
    size_t pos = 0;
    while (json_is(choices, '[') && json_next_item(choices, &pos, &choice)) {
        struct json refusal = json_get(json_get(choice, "message"), "refusal");
        if (json_equals(json_get(choice, "finish_reason"), "content_filter"))
            classify_withheld(out, "the answer was withheld", (struct json){0});
        else if (json_is(refusal, '"') && refusal.len > 2)
            classify_withheld(out, "the model refused", refusal);
    }
}

/* ---- streams: chunks with deltas, or the events of the responses API ------------------------- */

static const char *const grows[] = {"content",   "refusal", "reasoning", "reasoning_content",
                                    "arguments", "text",    NULL};

enum { CHOICES_MAX = 128 };

static void take_choice(struct fold *f, struct json choice)
{
    struct node *choices = fold_member(f, f->root, "choices");
    struct json_member m;
    int64_t index = 0;
    size_t pos = 0;
    (void)json_int64(json_get(choice, "index"), &index);
    struct node *n = index < CHOICES_MAX ? fold_item(f, choices, index) : NULL;
    while (n && json_is(choice, '{') && json_next_member(choice, &pos, &m)) {
        if (json_equals(m.key, "delta"))
            fold_merge(f, fold_member(f, n, "message"), m.value, grows);
        else
            fold_merge_member(f, n, m, grows);
    }
    f->complete = fold_all_have(choices, "finish_reason"); /* usage may follow, or nothing */
}

static void take_chunk(struct fold *f, struct json chunk)
{
    static const char answer[] = "\"chat.completion\"";
    struct json_member m;
    struct json choice;
    size_t pos = 0;
    while (json_next_member(chunk, &pos, &m)) {
        size_t at = 0;
        if (json_equals(m.key, "object") && json_equals(m.value, "chat.completion.chunk"))
            m.value = (struct json){answer, sizeof answer - 1};
        if (!json_equals(m.key, "choices"))
            fold_merge_member(f, f->root, m, grows);
        while (json_equals(m.key, "choices") && json_is(m.value, '[') &&
               json_next_item(m.value, &at, &choice))
            take_choice(f, choice);
    }
}

/* The last event of the responses API holds the whole answer. */
static void take_response(struct fold *f, struct json type, struct json response)
{
    struct json_member m;
    size_t pos = 0;
    f->grown += memmem(type.p, type.len, ".delta\"", 7) != NULL;
    if (!json_equals(type, "response.completed") && !json_equals(type, "response.incomplete") &&
        !json_equals(type, "response.failed"))
        return;
    while (json_is(response, '{') && json_next_member(response, &pos, &m))
        fold_set(f, fold_raw_member(f, f->root, m.key), m.value);
    f->complete = f->closed = true;
}

static void event(struct fold *f, const char *name, struct json data)
{
    struct json type = json_get(data, "type"), error = json_get(data, "error");
    (void)name; /* the data says it too */
    if (json_is(error, '{') || json_equals(type, "error")) {
        fold_set(f, fold_member(f, f->root, "error"), json_is(error, '{') ? error : data);
        f->complete = f->closed = true;
    } else if (json_is(type, '"')) {
        take_response(f, type, json_get(data, "response"));
    } else {
        take_chunk(f, data);
    }
}

static void reply(long status, const char *text, size_t len, struct buf *translated,
                  struct reply *out)
{
    struct error err;
    bool good = classify_parse(text, len, out, &err);
    struct json error = json_get(out->body, "error");
    (void)translated; /* it is OpenAI's shape already */
    if (status < 200 || status > 299 || json_is(error, '{')) {
        struct json message = json_get(error, "message"), code = json_get(error, "code");
        const struct failure f = {classify_status(status, code), code, json_get(error, "type"),
                                  message.p ? message : error};
        read_usage(out->body, out);
        classify_failure(rules, &f, text, len, out);
        return;
    }
    read_usage(out->body, out);
    out->model = json_get(out->body, "model");
    out->success = has_answer(out->body);
    if (out->success)
        look_for_refusal(out);
    else
        classify_malformed(out, status,
                           good ? "it has no choices, data, output or results" : err.message);
}

static const char *const headers[] = {NULL};

const struct dialect dialect_openai = {
    "openai", "Authorization: Bearer ", headers, path, request, event, reply};
