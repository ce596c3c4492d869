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
    {429, "insufficient_quota", NULL, "quota_exhausted", ERROR_NEXT_KEY},
    {429, "billing_hard_limit_reached", NULL, "quota_exhausted", ERROR_NEXT_KEY},
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

/* The members of an answer that are looked at, found in one pass. */
enum {
    R_ERROR,
    R_CHOICES,
    R_DATA,
    R_OUTPUT,
    R_RESULTS,
    R_USAGE,
    R_MODEL,
    R_TIER,
    R_STATUS,
    R_INCOMPLETE,
    R_MEMBERS
};
static const char *const members[R_MEMBERS] = {
    "error", "choices", "data",         "output", "results",
    "usage", "model",   "service_tier", "status", "incomplete_details"};

/* prompt_tokens or, in the responses API, input_tokens; cached ones are part of them, and
 * reasoning ones part of the output. */
static void read_usage(const struct json body[R_MEMBERS], struct reply *r)
{
    enum { PROMPT, COMPLETION, PROMPT_DETAILS, COMPLETION_DETAILS, INPUT, OUTPUT, IN, OUT, NAMES };
    static const char *const names[NAMES] = {
        "prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details",
        "input_tokens",  "output_tokens",     "input_tokens_details",  "output_tokens_details"};
    struct usage *u = &r->usage;
    struct json v[NAMES];
    json_get_all(body[R_USAGE], names, v, NAMES);
    u->input = classify_number(v[PROMPT].p ? v[PROMPT] : v[INPUT]);
    u->output = classify_number(v[COMPLETION].p ? v[COMPLETION] : v[OUTPUT]);
    u->cached = classify_count(v[PROMPT_DETAILS].p ? v[PROMPT_DETAILS] : v[IN], "cached_tokens");
    u->reasoning = classify_count(v[COMPLETION_DETAILS].p ? v[COMPLETION_DETAILS] : v[OUT],
                                  "reasoning_tokens");
    const struct json told[] = {v[PROMPT], v[COMPLETION], v[INPUT], v[OUTPUT]};
    classify_tier(body[R_TIER], u);
    r->has_usage = classify_counted(told, sizeof told / sizeof *told);
}

/* Every endpoint's answer has one of these lists. */
static bool has_answer(const struct json body[R_MEMBERS])
{
    return json_is(body[R_CHOICES], '[') || json_is(body[R_DATA], '[') ||
           json_is(body[R_OUTPUT], '[') || json_is(body[R_RESULTS], '[');
}

/* The answer came well, but a filter or the model itself withheld what was asked for. */
static void look_for_refusal(struct json choices, struct reply *out)
{
    static const char *const names[] = {"message", "finish_reason"};
    struct json choice, v[2];
    size_t pos = 0;
    while (json_is(choices, '[') && json_next_item(choices, &pos, &choice)) {
        json_get_all(choice, names, v, 2);
        struct json refusal = json_get(v[0], "refusal");
        if (json_equals(v[1], "content_filter"))
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

/* The same in the responses API. */
static void look_at_response(const struct json body[R_MEMBERS], struct reply *out)
{
    struct json item, part;
    size_t i = 0;
    if (json_equals(json_get(body[R_INCOMPLETE], "reason"), "content_filter"))
        classify_withheld(out, "the answer was withheld", (struct json){0});
    else if (json_equals(body[R_STATUS], "failed"))
        classify_malformed(out, 200, "its status is failed");
    while (json_is(body[R_OUTPUT], '[') && json_next_item(body[R_OUTPUT], &i, &item)) {
        struct json content = json_get(item, "content");
        size_t j = 0;
        while (out->success && json_is(content, '[') && json_next_item(content, &j, &part))
            if (json_equals(json_get(part, "type"), "refusal"))
                classify_withheld(out, "the model refused", json_get(part, "refusal"));
    }
}

/* `error`: the member, or, where a server has none, the whole body (vLLM before 0.9, FastAPI). */
static struct failure failure_of(long status, struct json error)
{
    struct json message = json_get(error, "message"), code = json_get(error, "code");
    if (!message.p)
        message = json_get(error, "detail");
    return (struct failure){classify_status(status, code), code, json_get(error, "type"),
                            message.p ? message : error};
}

static void reply(long status, const char *text, size_t len, struct buf *translated,
                  struct reply *out)
{
    struct error err;
    struct json body[R_MEMBERS];
    bool good = classify_parse(text, len, out, &err);
    (void)translated; /* it is OpenAI's shape already */
    json_get_all(out->body, members, body, R_MEMBERS);
    read_usage(body, out);
    struct json error = body[R_ERROR];
    if (status < 200 || status > 299 || json_is(error, '{') || json_is(error, '"')) {
        const struct failure f = failure_of(status, error.p ? error : out->body);
        classify_failure(rules, &f, text, len, out);
        return;
    }
    out->model = body[R_MODEL];
    out->success = has_answer(body);
    if (out->success && json_is(body[R_OUTPUT], '['))
        look_at_response(body, out);
    else if (out->success)
        look_for_refusal(body[R_CHOICES], out);
    else
        classify_malformed(out, status,
                           good ? "it has no choices, data, output or results" : err.message);
}

static const char *const headers[] = {NULL};

const struct dialect dialect_openai = {
    "openai", "Authorization: Bearer ", headers, path, request, event, reply};
