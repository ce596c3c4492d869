/* Anthropic's Messages API. Sources: its API reference (Messages, Errors, Tool use, Structured
 * outputs, Extended thinking). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "classify.h"

/* ---- the request ---------------------------------------------------------------------------- */

static const enum chat_member refused[] = {CHAT_N, CHAT_SEED, CHAT_FREQUENCY_PENALTY,
                                           CHAT_PRESENCE_PENALTY, CHAT_MEMBERS};

static void path(const struct request *r, struct buf *out)
{
    (void)r;
    buf_str(out, "/messages"); /* base_url ends in /v1 */
}

static void put_text(void *arg, struct json text)
{
    struct chat_writer *w = arg;
    if (text.len == 2)
        return; /* empty blocks are refused */
    chat_next_part(w);
    buf_str(w->out, "{\"type\":\"text\"");
    chat_copy(w->out, "text", text);
    buf_char(w->out, '}');
}

static quern_status put_image(void *arg, const char *url, size_t len, const char *field,
                              struct error *err)
{
    struct chat_writer *w = arg;
    const char *type, *data;
    size_t type_len, data_len;
    bool inlined = chat_data_url(url, len, &type, &type_len, &data, &data_len);
    if (!inlined && strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return chat_refuse(err, field, "neither an http url nor a base64 data url");
    chat_next_part(w);
    buf_str(w->out, "{\"type\":\"image\",\"source\":{\"type\":");
    if (inlined) {
        buf_str(w->out, "\"base64\",\"media_type\":");
        buf_json(w->out, type, type_len);
        buf_str(w->out, ",\"data\":");
        buf_json(w->out, data, data_len);
    } else {
        buf_str(w->out, "\"url\",\"url\":");
        buf_json(w->out, url, len);
    }
    buf_str(w->out, "}}");
    return QUERN_OK;
}

static void put_call(struct chat_writer *w, const struct chat_call *call)
{
    buf_str(w->out, "{\"type\":\"tool_use\"");
    chat_copy(w->out, "id", call->id);
    chat_copy(w->out, "name", call->name);
    chat_copy(w->out, "input", json_root(call->arguments.data, call->arguments.len));
    buf_char(w->out, '}');
}

/* The answer of a function: blocks inside a block. */
static quern_status put_result(struct chat_writer *w, const struct chat_message *m,
                               struct error *err)
{
    struct chat_writer inner = {.out = w->out, .first = true};
    const struct chat_content to = {put_text, put_image, &inner};
    chat_next_part(w);
    buf_str(w->out, "{\"type\":\"tool_result\"");
    chat_copy(w->out, "tool_use_id", m->tool_call_id);
    buf_str(w->out, ",\"content\":[");
    quern_status status = chat_content(m, &to, err);
    buf_str(w->out, "]}");
    return status;
}

static const struct chat_shape shape = {"assistant", "content", put_text,
                                        put_image,   put_call,  put_result};

/* The system messages at the beginning have a place of their own. */
static quern_status put_system(struct buf *out, struct json messages, struct error *err)
{
    struct chat_writer w = {.out = out, .first = true};
    const struct chat_content to = {put_text, NULL, &w};
    struct chat_message m;
    size_t pos = 0;
    int more;
    buf_str(out, ",\"system\":[");
    while ((more = chat_next(messages, &pos, &m, err)) > 0 && chat_is_system(&m))
        if (chat_content(&m, &to, err) != QUERN_OK)
            return QUERN_FAIL;
    buf_str(out, "],\"messages\":[");
    return more >= 0 ? QUERN_OK : QUERN_FAIL;
}

static quern_status put_tools(struct buf *out, struct json tools, struct error *err)
{
    static const char none[] = "{\"type\":\"object\",\"properties\":{}}";
    struct chat_tool t;
    size_t pos = 0;
    const char *comma = "";
    int more;
    if (!tools.p)
        return QUERN_OK;
    buf_str(out, ",\"tools\":[");
    while ((more = chat_next_tool(tools, &pos, &t, err)) > 0) {
        buf_printf(out, "%s{\"name\":", comma);
        buf_add(out, t.name.p, t.name.len);
        chat_copy(out, "description", t.description);
        chat_copy(out, "input_schema",
                  t.parameters.p ? t.parameters : (struct json){none, sizeof none - 1});
        chat_copy(out, "strict", t.strict);
        buf_char(out, '}');
        comma = ",";
    }
    buf_char(out, ']');
    return more == 0 ? QUERN_OK : QUERN_FAIL;
}

static quern_status put_tool_choice(struct buf *out, const struct json m[], struct error *err)
{
    const char *mode;
    struct json name;
    bool alone = m[CHAT_PARALLEL_TOOL_CALLS].p != NULL; /* true would ask for nothing */
    if (chat_tool_choice(m[CHAT_TOOL_CHOICE], &mode, &name, err) != QUERN_OK)
        return QUERN_FAIL;
    if (!m[CHAT_TOOL_CHOICE].p && !alone)
        return QUERN_OK;
    if (!mode && !name.p)
        mode = "auto";
    buf_str(out, ",\"tool_choice\":{\"type\":");
    buf_printf(out, "\"%s\"", !mode ? "tool" : strcmp(mode, "required") == 0 ? "any" : mode);
    if (!mode)
        chat_copy(out, "name", name);
    if (alone && (!mode || strcmp(mode, "none") != 0))
        buf_str(out, ",\"disable_parallel_tool_use\":true");
    buf_char(out, '}');
    return QUERN_OK;
}

static bool asks_to_think(const struct json m[])
{
    return m[CHAT_REASONING_EFFORT].p && !json_equals(m[CHAT_REASONING_EFFORT], "none");
}

/* Effort is said in tokens to think with: at least 1,024, and fewer than max_tokens. */
static quern_status put_thinking(struct buf *out, const struct json m[], int64_t max_tokens,
                                 struct error *err)
{
    static const struct {
        const char *word;
        int64_t budget;
    } budgets[] = {{"minimal", 1024}, {"low", 1024}, {"medium", 4096}, {"high", 16384}};
    enum { BUDGET_MIN = 1024 };
    if (!asks_to_think(m))
        return QUERN_OK;
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        if (!json_equals(m[CHAT_REASONING_EFFORT], budgets[i].word))
            continue;
        int64_t budget = budgets[i].budget < max_tokens ? budgets[i].budget : max_tokens - 1;
        if (budget < BUDGET_MIN)
            return chat_refuse(err, "body.reasoning_effort",
                               "max_tokens must be above 1024 for it with this backend");
        buf_printf(out, ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":%" PRId64 "}",
                   budget);
        return QUERN_OK;
    }
    return chat_refuse(err, "body.reasoning_effort", "none, minimal, low, medium or high expected");
}

static quern_status put_format(struct buf *out, struct json format, struct error *err)
{
    struct json schema;
    bool any;
    if (chat_format(format, &schema, &any, err) != QUERN_OK)
        return QUERN_FAIL;
    if (any)
        return chat_refuse(err, "body.response_format",
                           "json_object: this backend's API needs a schema; use json_schema");
    if (!schema.p)
        return QUERN_OK;
    buf_str(out, ",\"output_config\":{\"format\":{\"type\":\"json_schema\"");
    chat_copy(out, "schema", schema);
    buf_str(out, "}}");
    return QUERN_OK;
}

/* Here temperatures go from 0 to 1. */
static quern_status put_sampling(struct buf *out, const struct json m[], struct error *err)
{
    struct json t = m[CHAT_TEMPERATURE];
    if (t.p && strtod(t.p, NULL) > 1.0)
        return chat_refuse(err, "body.temperature", "this backend's API takes 0 to 1");
    chat_copy(out, "temperature", t);
    chat_copy(out, "top_p", m[CHAT_TOP_P]);
    chat_copy(out, "top_k", m[CHAT_TOP_K]);
    chat_copy_stop(out, "stop_sequences", m[CHAT_STOP]);
    return QUERN_OK;
}

/* A model that thinks takes no temperature but 1, no top_k, and cannot be made to call a tool. */
static quern_status check_thinking(const struct json m[], struct error *err)
{
    static const char why[] = "it cannot stand together with reasoning_effort at this backend";
    const char *mode;
    struct json t = m[CHAT_TEMPERATURE], name;
    if (!asks_to_think(m))
        return QUERN_OK;
    if (t.p && strtod(t.p, NULL) != 1.0)
        return chat_refuse(err, "body.temperature", why);
    if (m[CHAT_TOP_K].p)
        return chat_refuse(err, "body.top_k", why);
    if (chat_tool_choice(m[CHAT_TOOL_CHOICE], &mode, &name, err) != QUERN_OK)
        return QUERN_FAIL;
    return name.p || (mode && strcmp(mode, "required") == 0)
               ? chat_refuse(err, "body.tool_choice", why)
               : QUERN_OK;
}

/* What stands behind the messages. */
static quern_status put_rest(struct buf *out, const struct json m[], int64_t max_tokens,
                             struct error *err)
{
    buf_char(out, ']');
    if (put_sampling(out, m, err) != QUERN_OK || put_tools(out, m[CHAT_TOOLS], err) != QUERN_OK ||
        put_tool_choice(out, m, err) != QUERN_OK ||
        put_format(out, m[CHAT_RESPONSE_FORMAT], err) != QUERN_OK)
        return QUERN_FAIL;
    return check_thinking(m, err) == QUERN_OK ? put_thinking(out, m, max_tokens, err) : QUERN_FAIL;
}

static quern_status request(const struct request *r, struct buf *out, struct error *err)
{
    struct json m[CHAT_MEMBERS];
    int64_t max_tokens = r->max_tokens;
    if (chat_read(r, refused, "Anthropic", m, err) != QUERN_OK)
        return QUERN_FAIL;
    if (m[CHAT_MAX_TOKENS].p && (!json_int64(m[CHAT_MAX_TOKENS], &max_tokens) || max_tokens < 1))
        return chat_refuse(err, "body.max_tokens", "a whole number above 0 is expected");
    buf_char(out, '{');
    buf_json_member(out, "model", r->model);
    buf_printf(out, ",\"max_tokens\":%" PRId64, max_tokens);
    buf_str(out, r->stream ? ",\"stream\":true" : "");
    if (m[CHAT_USER].p) {
        buf_str(out, ",\"metadata\":{\"user_id\":");
        buf_add(out, m[CHAT_USER].p, m[CHAT_USER].len);
        buf_char(out, '}');
    }
    if (put_system(out, m[CHAT_MESSAGES], err) != QUERN_OK ||
        chat_put_messages(out, m[CHAT_MESSAGES], &shape, err) != QUERN_OK ||
        put_rest(out, m, max_tokens, err) != QUERN_OK)
        return QUERN_FAIL;
    buf_char(out, '}');
    return QUERN_OK;
}

/* ---- the reply ------------------------------------------------------------------------------ */

static const struct failure_rule rules[] = {
    {429, "enforced_spend_limit_reached", NULL, "quota_exhausted", ERROR_NEXT_KEY},
    {400, NULL, "credit balance is too low", "quota_exhausted", ERROR_NEXT_KEY},
    {400, NULL, "prompt is too long", "context_length", ERROR_NEXT_CANDIDATE},
    {400, NULL, "exceed context limit", "context_length", ERROR_NEXT_CANDIDATE},
    {400, NULL, "content filtering policy", "content_policy", ERROR_NEXT_CANDIDATE},
    {0, "overloaded_error", NULL, "overloaded", ERROR_RETRY},
    {0, "rate_limit_error", NULL, "rate_limit", ERROR_THROTTLED},
    {200, "invalid_request_error", NULL, "invalid_request", ERROR_PERMANENT}, /* in mid-stream */
    {200, "authentication_error", NULL, "auth", ERROR_NEXT_KEY},
    {200, "permission_error", NULL, "auth", ERROR_NEXT_CANDIDATE},
    {200, "not_found_error", NULL, "invalid_request", ERROR_NEXT_CANDIDATE},
    {0, "timeout_error", NULL, "timeout", ERROR_RETRY},
    {0}};

/* The input counts leave out what was cached; quern's, as OpenAI's, do not. */
static void read_usage(struct json body, struct reply *r)
{
    struct usage *u = &r->usage;
    struct json usage = json_get(body, "usage");
    enum { IN, OUT, CACHED, WRITTEN, COUNTS };
    static const char *const counts[COUNTS] = {
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"};
    struct json told[COUNTS];
    json_get_all(usage, counts, told, COUNTS);
    r->has_usage = classify_counted(told, COUNTS);
    u->cached = classify_number(told[CACHED]);
    u->cache_write = classify_number(told[WRITTEN]);
    u->input = classify_number(told[IN]) + u->cached + u->cache_write;
    u->output = classify_number(told[OUT]);
    u->cache_write_1h =
        classify_count(json_get(usage, "cache_creation"), "ephemeral_1h_input_tokens");
    classify_tier(json_get(usage, "service_tier"), u);
}

static const char *finish_reason(struct json stop)
{
    static const char *const reasons[][2] = {{"max_tokens", "length"},
                                             {"model_context_window_exceeded", "length"},
                                             {"tool_use", "tool_calls"},
                                             {"refusal", "content_filter"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (json_equals(stop, reasons[i][0]))
            return reasons[i][1];
    return "stop";
}

static void read_blocks(struct json content, struct chat_answer *a)
{
    struct json block;
    size_t pos = 0;
    while (json_next_item(content, &pos, &block)) {
        struct json type = json_get(block, "type");
        if (json_equals(type, "text"))
            chat_append(&a->text, json_get(block, "text"));
        else if (json_equals(type, "thinking"))
            chat_append(&a->reasoning, json_get(block, "thinking"));
        else if (json_equals(type, "tool_use"))
            chat_answer_call(a, json_get(block, "id"), json_get(block, "name"),
                             json_get(block, "input"));
    }
}

static void write_answer(const struct reply *r, const char *reason, struct buf *out)
{
    struct chat_answer a;
    chat_answer_init(&a, r->body.len * 6 + 64);
    read_blocks(json_get(r->body, "content"), &a);
    chat_write_head(out, json_get(r->body, "id"), r->model);
    chat_write_choice(out, &a, 0, reason);
    buf_char(out, ']');
    chat_write_usage(out, &r->usage);
    buf_char(out, '}');
    chat_answer_free(&a);
}

static void read_failure(long status, const char *text, size_t len, struct buf *translated,
                         struct reply *out)
{
    struct json error = json_get(out->body, "error");
    struct json code = json_get(json_get(error, "details"), "error_code");
    const struct failure f = {status, code, json_get(error, "type"), json_get(error, "message")};
    classify_failure(rules, &f, text, len, out);
    if (!out->body.p)
        return;
    chat_write_error(translated, f.message, out->error.code, f.type);
    out->body = json_root(translated->data, translated->len);
}

static void reply(long status, const char *text, size_t len, struct buf *translated,
                  struct reply *out)
{
    struct error err;
    bool good = classify_parse(text, len, out, &err);
    read_usage(out->body, out);
    if (status < 200 || status > 299 || json_equals(json_get(out->body, "type"), "error")) {
        read_failure(status, text, len, translated, out);
        return;
    }
    out->model = json_get(out->body, "model");
    if (!json_is(json_get(out->body, "content"), '[')) {
        classify_malformed(out, status, good ? "it has no content" : err.message);
        return;
    }
    struct json stop = json_get(out->body, "stop_reason");
    const char *reason = finish_reason(stop);
    out->success = true;
    if (strcmp(reason, "content_filter") == 0)
        classify_withheld(out, "the model refused", stop);
    write_answer(out, reason, translated);
    out->body = json_root(translated->data, translated->len);
}

/* ---- streams -------------------------------------------------------------------------------- */

static const char *const grows[] = {"text", "thinking", "signature", "partial_json", NULL};

/* A block's beginning, or what it grows by. The delta's type is not the block's. */
static void take_block(struct fold *f, struct json data, struct json piece, bool begins)
{
    struct json_member m;
    int64_t index = -1;
    size_t pos = 0;
    (void)json_int64(json_get(data, "index"), &index);
    struct node *block = fold_item(f, fold_member(f, f->root, "content"), index);
    while (block && json_is(piece, '{') && json_next_member(piece, &pos, &m))
        if (begins || !json_equals(m.key, "type"))
            fold_merge_member(f, block, m, grows);
}

/* A tool's input has come as the pieces of a JSON text. */
static void end_block(struct fold *f, struct json data)
{
    struct error err;
    struct buf raw, text;
    int64_t index = -1;
    (void)json_int64(json_get(data, "index"), &index);
    struct node *block = fold_item(f, fold_member(f, f->root, "content"), index);
    struct node *pieces = block ? fold_member(f, block, "partial_json") : NULL;
    if (!pieces || !fold_text(pieces).len)
        return;
    buf_init(&raw, fold_text(pieces).len + 2);
    buf_init(&text, fold_text(pieces).len + 1);
    fold_write(pieces, &raw);
    const struct json told = {raw.data, raw.len};
    (void)json_string(told, &text);
    bool good = text.len && json_check(text.data, text.len, &err);
    fold_set(f, fold_member(f, block, "input"), good ? json_root(text.data, text.len) : told);
    fold_set(f, pieces, (struct json){"null", 4}); /* done with, good or bad */
    buf_free(&raw);
    buf_free(&text);
}

/* Counts are sums, not steps. */
static void event(struct fold *f, const char *name, struct json data)
{
    struct json type = json_get(data, "type");
    (void)name; /* the data says it too */
    if (json_equals(type, "message_start")) {
        fold_merge(f, f->root, json_get(data, "message"), grows);
    } else if (json_equals(type, "content_block_start")) {
        take_block(f, data, json_get(data, "content_block"), true);
    } else if (json_equals(type, "content_block_delta")) {
        take_block(f, data, json_get(data, "delta"), false);
    } else if (json_equals(type, "content_block_stop")) {
        end_block(f, data);
    } else if (json_equals(type, "message_delta")) {
        fold_merge(f, f->root, json_get(data, "delta"), grows);
        fold_merge(f, fold_member(f, f->root, "usage"), json_get(data, "usage"), grows);
    } else if (json_equals(type, "message_stop")) {
        f->complete = f->closed = true;
    } else if (json_equals(type, "error")) {
        fold_set(f, fold_member(f, f->root, "type"), type);
        fold_set(f, fold_member(f, f->root, "error"), json_get(data, "error"));
        f->complete = f->closed = true;
    }
}

static const char *const headers[] = {"anthropic-version: 2023-06-01", NULL};

const struct dialect dialect_anthropic = {"anthropic", "x-api-key: ", headers, path,
                                          request,     event,         reply};
