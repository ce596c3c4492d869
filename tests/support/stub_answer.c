#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/json.h"
#include "common/mem.h"
#include "stub.h"

enum { BODY_MAX = 128 << 20, HEAD_MAX = 4096, HUGE_BODY = 64 << 20 };

const char *const fault_names[FAULT_COUNT] = {
    "none",  "429",       "quota",     "400",    "401",  "500",   "503",   "hang",   "slow",
    "reset", "truncated", "malformed", "length", "huge", "empty", "stall", "midway", "nousage"};

static const int fault_status[FAULT_COUNT] = {
    [FAULT_429] = 429, [FAULT_QUOTA] = 429, [FAULT_400] = 400,
    [FAULT_401] = 401, [FAULT_500] = 500,   [FAULT_503] = 503};

struct seen {
    char *key;
    int64_t calls;
    UT_hash_handle hh;
};
static struct seen *seen;
static int64_t total_calls;

static int64_t count_call(const char *key)
{
    struct seen *s;
    total_calls++;
    HASH_FIND_STR(seen, key, s);
    if (!s) {
        s = mem_zero(sizeof *s);
        s->key = mem_string(key);
        HASH_ADD_KEYPTR(hh, seen, s->key, strlen(s->key), s);
    }
    return ++s->calls;
}

void stub_calls(struct buf *out)
{
    struct seen *s, *next;
    const char *comma = "";
    buf_printf(out, "{\"calls\":%" PRId64 ",\"tasks\":{", total_calls);
    HASH_ITER (hh, seen, s, next) {
        buf_str(out, comma);
        buf_json(out, s->key, strlen(s->key));
        buf_printf(out, ":%" PRId64, s->calls);
        comma = ",";
    }
    buf_str(out, "}}");
}

void stub_calls_reset(void)
{
    struct seen *s, *next;
    HASH_ITER (hh, seen, s, next) {
        HASH_DEL(seen, s);
        free(s->key);
        free(s);
    }
    total_calls = 0;
}

static enum speech speech_of(const char *path)
{
    return strstr(path, "/messages") ? ANTHROPIC : strstr(path, "enerateContent") ? GEMINI : OPENAI;
}

/* The last text among a list's parts. */
static struct json last_part(struct json parts)
{
    struct json part, text = {0};
    size_t pos = 0;
    while (json_is(parts, '[') && json_next_item(parts, &pos, &part))
        if (json_get(part, "text").p)
            text = json_get(part, "text");
    return text;
}

/* The text of the last message (or of "input"), which names the task. */
static void last_text(struct json root, struct buf *out)
{
    struct json messages = json_get(root, "messages"), item, content = json_get(root, "input");
    size_t pos = 0;
    if (!messages.p)
        messages = json_get(root, "contents");
    while (json_is(messages, '[') && json_next_item(messages, &pos, &item))
        content = json_get(item, json_get(item, "parts").p ? "parts" : "content");
    if (json_is(content, '[') && last_part(content).p)
        content = last_part(content);
    if (!json_string(content, out))
        buf_add(out, content.p, content.p ? content.len : 0);
}

/* [[stub:KIND]] or [[stub:KIND:N]] in the prompt. */
static enum fault marked_fault(const char *prompt, int64_t call)
{
    const char *m = strstr(prompt, "[[stub:");
    if (!m)
        return FAULT_NONE;
    m += 7;
    size_t n = strcspn(m, ":]");
    for (int f = 1; f < FAULT_COUNT; f++) {
        if (strlen(fault_names[f]) != n || strncmp(fault_names[f], m, n) != 0)
            continue;
        return m[n] == ':' && call > atoi(m + n + 1) ? FAULT_NONE : (enum fault)f;
    }
    return FAULT_NONE;
}

bool stub_set_fault(struct stub_options *o, const char *text)
{
    for (int f = 1; f < FAULT_COUNT; f++) {
        size_t n = strlen(fault_names[f]);
        if (strncmp(text, fault_names[f], n) == 0 && text[n] == '=') {
            o->fault_rate[f] = atof(text + n + 1);
            return true;
        }
    }
    return false;
}

static enum fault choose_fault(const struct stub_options *o, const char *prompt, int64_t call)
{
    enum fault f = marked_fault(prompt, call);
    double r = drand48();
    for (int i = 1; f == FAULT_NONE && i < FAULT_COUNT; i++) {
        if (r < o->fault_rate[i])
            f = (enum fault)i;
        r -= o->fault_rate[i];
    }
    return f;
}

/* The first sentence of at least 20 characters after the instruction: the "summary". */
static void summary(const char *prompt, struct buf *out)
{
    const char *text = strchr(prompt, ':');
    text = text ? text + 1 : prompt;
    text += strspn(text, " \n\t");
    size_t n = 0;
    while (text[n] && !(n >= 20 && strchr(".!?", text[n])))
        n++;
    n += text[n] != '\0';
    for (size_t i = 0; i < n; i++)
        buf_char(out, text[i] == '\n' ? ' ' : text[i]);
}

static void embeddings(struct reply *r, const char *model, size_t tokens)
{
    struct buf *out = &r->body;
    r->input = (int64_t)tokens;
    buf_printf(out, "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                    "\"embedding\":[0.25,-0.5,0.125]}],\"model\":");
    buf_json(out, model, strlen(model));
    buf_printf(out, ",\"usage\":{\"prompt_tokens\":%zu,\"total_tokens\":%zu}}", tokens, tokens);
}

static void write_openai(struct buf *out, const char *model, const struct buf *text,
                         const struct reply *r)
{
    buf_printf(out,
               "{\"id\":\"chatcmpl-stub-%" PRId64 "\",\"object\":\"chat.completion\","
               "\"created\":1700000000,\"model\":",
               total_calls);
    buf_json(out, model, strlen(model));
    buf_str(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    buf_json(out, text->data, text->len);
    buf_printf(out,
               "},\"finish_reason\":\"stop\"}],\"%s\":{\"prompt_tokens\":%" PRId64
               ",\"completion_tokens\":%" PRId64 ",\"total_tokens\":%" PRId64 "}}",
               r->fault == FAULT_NO_USAGE ? "no_usage" : "usage", r->input, r->output,
               r->input + r->output);
}

static void write_anthropic(struct buf *out, const char *model, const struct buf *text,
                            const struct reply *r)
{
    buf_printf(out,
               "{\"id\":\"msg_stub_%" PRId64 "\",\"type\":\"message\",\"model\":", total_calls);
    buf_json(out, model, strlen(model));
    buf_str(out, ",\"content\":[{\"type\":\"text\",\"text\":");
    buf_json(out, text->data, text->len);
    buf_printf(out,
               "}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":%" PRId64
               ",\"output_tokens\":%" PRId64 "}}",
               r->input, r->output);
}

static void write_gemini(struct buf *out, const char *model, const struct buf *text,
                         const struct reply *r)
{
    buf_str(out, "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":");
    buf_json(out, text->data, text->len);
    buf_printf(out,
               "}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":%" PRId64
               ",\"candidatesTokenCount\":%" PRId64 "},\"modelVersion\":",
               r->input, r->output);
    buf_json(out, model, strlen(model));
    buf_char(out, '}');
}

static void completion(struct reply *r, enum speech speech, const char *model, const char *prompt,
                       size_t input)
{
    static void (*const writers[])(struct buf *, const char *, const struct buf *,
                                   const struct reply *) = {
        [OPENAI] = write_openai, [ANTHROPIC] = write_anthropic, [GEMINI] = write_gemini};
    struct buf text;
    buf_init(&text, BODY_MAX);
    summary(prompt, &text);
    buf_str(&text, "");
    r->input = (int64_t)input;
    r->output = (int64_t)(text.len + 3) / 4;
    if (r->streamed)
        stub_stream(r, speech, model, &text);
    else
        writers[speech](&r->body, model, &text, r);
    buf_free(&text);
}

static void failure(struct buf *out, enum speech speech, enum fault f)
{
    static const char *const codes[FAULT_COUNT] = {
        [FAULT_429] = "rate_limit_exceeded", [FAULT_QUOTA] = "insufficient_quota",
        [FAULT_400] = "invalid_value",       [FAULT_401] = "invalid_api_key",
        [FAULT_500] = "server_error",        [FAULT_503] = "overloaded"};
    const char *name = fault_names[f];
    if (speech == ANTHROPIC)
        buf_printf(out,
                   "{\"type\":\"error\",\"error\":{\"type\":\"stub_%s\",\"message\":"
                   "\"the stub was asked to fail: %s\"}}",
                   name, name);
    else if (speech == GEMINI)
        buf_printf(out,
                   "{\"error\":{\"code\":%d,\"message\":\"the stub was asked to fail: %s\","
                   "\"status\":\"STUB\",\"details\":[{\"retryDelay\":\"1s\"}]}}",
                   fault_status[f], name);
    else
        buf_printf(out,
                   "{\"error\":{\"message\":\"the stub was asked to fail: %s\",\"type\":\"stub\","
                   "\"param\":null,\"code\":\"%s\"}}",
                   name, codes[f]);
}

static void fill_body(struct reply *r, const char *path, struct json root, const char *prompt)
{
    const enum fault f = r->fault;
    struct buf *out = &r->body;
    char *model = json_string_dup(json_get(root, "model"));
    if (fault_status[f])
        failure(out, speech_of(path), f);
    else if (f == FAULT_MALFORMED)
        buf_str(out, "{\"choices\": [{\"message\": <html>oops");
    else if (f == FAULT_EMPTY)
        buf_str(out, "{}");
    else if (f == FAULT_HUGE && buf_reserve(out, HUGE_BODY)) {
        memset(out->data, 'x', HUGE_BODY);
        out->len = HUGE_BODY;
    } else if (strstr(path, "/embeddings"))
        embeddings(r, model ? model : "stub", strlen(prompt) / 4 + 1);
    else
        completion(r, speech_of(path), model ? model : "stub", prompt, root.len / 4);
    free(model);
}

static void fill_head(const struct stub_options *o, struct reply *r)
{
    int status = r->status = fault_status[r->fault] ? fault_status[r->fault] : 200;
    size_t len = r->fault == FAULT_LENGTH ? r->body.len + 1000 : r->body.len;
    buf_printf(&r->head,
               "HTTP/1.1 %d Stub\r\nContent-Type: %s\r\n"
               "x-request-id: req-stub-%" PRId64 "\r\nContent-Length: %zu\r\n",
               status, status == 200 && r->streamed ? "text/event-stream" : "application/json",
               total_calls, len);
    if (r->fault == FAULT_429)
        buf_printf(&r->head, "Retry-After: %d\r\n", o->retry_after);
    buf_str(&r->head, "\r\n");
}

static bool is_true(struct json v)
{
    return json_is(v, 't') && v.p[0] == 't';
}

void stub_answer(const struct stub_options *o, const char *path, const char *body, size_t len,
                 struct reply *out)
{
    struct error err;
    struct buf prompt;
    buf_init(&out->head, HEAD_MAX);
    buf_init(&out->body, BODY_MAX);
    buf_init(&prompt, BODY_MAX);
    bool ok = json_check(body, len, &err);
    struct json root = ok ? json_root(body, len) : (struct json){0};
    if (ok)
        last_text(root, &prompt);
    const char *text = prompt.data ? prompt.data : "";
    (void)snprintf(out->key, sizeof out->key, "%s", text);
    int64_t call = count_call(out->key);
    out->fault = ok ? choose_fault(o, text, call) : FAULT_400;
    out->delay = o->latency + o->jitter * drand48();
    if (o->capacity && o->busy >= o->capacity) {
        out->fault = FAULT_429;
        out->delay = 0;
    }
    out->streamed = is_true(json_get(root, "stream")) || strstr(path, ":streamGenerate");
    fill_body(out, path, root, text);
    fill_head(o, out);
    buf_free(&prompt);
}
