/* Google's Gemini API (generateContent). Sources: its API reference (Generating content, Function
 * calling, Structured output, Thinking), google.rpc.RetryInfo. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "classify.h"

/* ---- the request ---------------------------------------------------------------------------- */

static const enum chat_member refused[] = {CHAT_USER, CHAT_PARALLEL_TOOL_CALLS, CHAT_MEMBERS};

/* The model's name stands in the path, where it may be a task's: nothing of it is taken as a
 * separator. base_url ends in /v1beta. */
static void path(const struct request *r, struct buf *out)
{
    buf_str(out, "/models/");
    buf_url_segment(out, strncmp(r->model, "models/", 7) == 0 ? r->model + 7 : r->model);
    buf_str(out, r->stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

static void put_text(void *arg, struct json text)
{
    struct chat_writer *w = arg;
    chat_next_part(w);
    buf_str(w->out, "{\"text\":");
    buf_add(w->out, text.p, text.len);
    buf_char(w->out, '}');
}

static quern_status put_image(void *arg, const char *url, size_t len, const char *field,
                              struct error *err)
{
    struct chat_writer *w = arg;
    const char *type, *data;
    size_t type_len, data_len;
    if (!chat_data_url(url, len, &type, &type_len, &data, &data_len))
        return chat_refuse(err, field,
                           "this backend's API fetches no url: give the image as a "
                           "base64 data url");
    chat_next_part(w);
    buf_str(w->out, "{\"inlineData\":{\"mimeType\":");
    buf_json(w->out, type, type_len);
    buf_str(w->out, ",\"data\":");
    buf_json(w->out, data, data_len);
    buf_str(w->out, "}}");
    return QUERN_OK;
}

static void put_call(struct chat_writer *w, const struct chat_call *call)
{
    buf_str(w->out, "{\"functionCall\":{\"name\":");
    buf_add(w->out, call->name.p, call->name.len);
    chat_copy(w->out, "args", json_root(call->arguments.data, call->arguments.len));
    buf_str(w->out, "}}");
}

/* The name of the function that was called with this id: results are told by name here. The last
 * call before the result, for an id may come again in a later turn. */
static struct json called_name(struct json messages, struct json id)
{
    struct json message, call, name = {0};
    size_t i = 0;
    while (json_next_item(messages, &i, &message) && message.p < id.p) {
        struct json calls = json_get(message, "tool_calls");
        size_t j = 0;
        while (json_is(calls, '[') && json_next_item(calls, &j, &call)) {
            struct json other = json_get(call, "id");
            if (other.p && other.len == id.len && memcmp(other.p, id.p, id.len) == 0)
                name = json_get(json_get(call, "function"), "name");
        }
    }
    return name;
}

static void collect_text(void *arg, struct json text)
{
    (void)json_string(text, arg);
}

/* A function's answer is an object here: the one that the text is, or one around the text. */
static quern_status put_result(struct chat_writer *w, const struct chat_message *m,
                               struct error *err)
{
    struct buf text;
    struct error ignored;
    struct json name = called_name(w->messages, m->tool_call_id);
    if (!json_is(name, '"'))
        return chat_refuse(err, "body.messages.tool_call_id", "no earlier call has this id");
    buf_init(&text, m->content.len + 1);
    const struct chat_content to = {collect_text, NULL, &text};
    quern_status status = chat_content(m, &to, err);
    buf_str(&text, "");
    chat_next_part(w);
    buf_str(w->out, "{\"functionResponse\":{\"name\":");
    buf_add(w->out, name.p, name.len);
    buf_str(w->out, ",\"response\":");
    if (json_check(text.data, text.len, &ignored) && json_is(json_root(text.data, text.len), '{')) {
        buf_add(w->out, text.data, text.len);
    } else {
        buf_str(w->out, "{\"result\":");
        buf_json(w->out, text.data, text.len);
        buf_char(w->out, '}');
    }
    buf_str(w->out, "}}");
    buf_free(&text);
    return status;
}

static const struct chat_shape shape = {"model",   "parts",  put_text,
                                        put_image, put_call, put_result};

static quern_status put_system(struct buf *out, struct json messages, struct error *err)
{
    struct chat_writer w = {.out = out, .first = true};
    const struct chat_content to = {put_text, NULL, &w};
    struct chat_message m;
    size_t pos = 0;
    bool open = false;
    int more;
    while ((more = chat_next(messages, &pos, &m, err)) > 0 && chat_is_system(&m)) {
        buf_str(out, open ? "" : "\"systemInstruction\":{\"parts\":[");
        open = true;
        if (chat_content(&m, &to, err) != QUERN_OK)
            return QUERN_FAIL;
    }
    buf_str(out, open ? "]},\"contents\":[" : "\"contents\":[");
    return more >= 0 ? QUERN_OK : QUERN_FAIL;
}

static quern_status put_tools(struct buf *out, struct json tools, struct error *err)
{
    struct chat_tool t;
    size_t pos = 0;
    const char *comma = "";
    int more;
    if (!tools.p)
        return QUERN_OK;
    buf_str(out, ",\"tools\":[{\"functionDeclarations\":[");
    while ((more = chat_next_tool(tools, &pos, &t, err)) > 0) {
        if (json_is(t.strict, 't') && t.strict.p[0] == 't')
            return chat_refuse(err, "body.tools.function.strict",
                               "this backend's API has nothing like it");
        buf_printf(out, "%s{\"name\":", comma);
        buf_add(out, t.name.p, t.name.len);
        chat_copy(out, "description", t.description);
        chat_copy(out, "parametersJsonSchema", t.parameters);
        buf_char(out, '}');
        comma = ",";
    }
    buf_str(out, "]}]");
    return more == 0 ? QUERN_OK : QUERN_FAIL;
}

static quern_status put_tool_choice(struct buf *out, struct json choice, struct error *err)
{
    const char *mode;
    struct json name;
    if (!choice.p)
        return QUERN_OK;
    if (chat_tool_choice(choice, &mode, &name, err) != QUERN_OK)
        return QUERN_FAIL;
    bool automatic = mode && strcmp(mode, "auto") == 0, none = mode && strcmp(mode, "none") == 0;
    buf_printf(out, ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"%s\"",
               automatic ? "AUTO"
               : none    ? "NONE"
                         : "ANY");
    if (!mode) {
        buf_str(out, ",\"allowedFunctionNames\":[");
        buf_add(out, name.p, name.len);
        buf_char(out, ']');
    }
    buf_str(out, "}}");
    return QUERN_OK;
}

static quern_status put_format(struct buf *out, struct json format, struct error *err)
{
    struct json schema;
    bool any;
    if (chat_format(format, &schema, &any, err) != QUERN_OK)
        return QUERN_FAIL;
    if (any || schema.p)
        buf_str(out, ",\"responseMimeType\":\"application/json\"");
    chat_copy(out, "responseJsonSchema", schema);
    return QUERN_OK;
}

static quern_status put_thinking(struct buf *out, struct json effort, struct error *err)
{
    static const struct {
        const char *word;
        int budget;
    } budgets[] = {{"none", 0}, {"minimal", 512}, {"low", 1024}, {"medium", 8192}, {"high", 24576}};
    for (size_t i = 0; effort.p && i < sizeof budgets / sizeof *budgets; i++) {
        if (!json_equals(effort, budgets[i].word))
            continue;
        buf_printf(out, ",\"thinkingConfig\":{\"thinkingBudget\":%d}", budgets[i].budget);
        return QUERN_OK;
    }
    return effort.p ? chat_refuse(err, "body.reasoning_effort",
                                  "none, minimal, low, medium or high expected")
                    : QUERN_OK;
}

static quern_status put_generation(struct buf *out, const struct json m[], struct error *err)
{
    static const struct {
        const char *key;
        enum chat_member member;
    } copied[] = {{"maxOutputTokens", CHAT_MAX_TOKENS},
                  {"temperature", CHAT_TEMPERATURE},
                  {"topP", CHAT_TOP_P},
                  {"topK", CHAT_TOP_K},
                  {"candidateCount", CHAT_N},
                  {"seed", CHAT_SEED},
                  {"frequencyPenalty", CHAT_FREQUENCY_PENALTY},
                  {"presencePenalty", CHAT_PRESENCE_PENALTY}};
    const size_t start = out->len;
    buf_str(out, ",\"generationConfig\":{");
    const size_t open = out->len;
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        chat_copy(out, copied[i].key, m[copied[i].member]);
    chat_copy_stop(out, "stopSequences", m[CHAT_STOP]);
    if (put_format(out, m[CHAT_RESPONSE_FORMAT], err) != QUERN_OK ||
        put_thinking(out, m[CHAT_REASONING_EFFORT], err) != QUERN_OK)
        return QUERN_FAIL;
    if (out->overflow)
        return QUERN_OK;
    if (out->len == open) { /* nothing was asked for */
        out->len = start;
        return QUERN_OK;
    }
    memmove(out->data + open, out->data + open + 1, out->len - open); /* the first comma */
    out->len--;
    buf_char(out, '}');
    return QUERN_OK;
}

static quern_status request(const struct request *r, struct buf *out, struct error *err)
{
    struct json m[CHAT_MEMBERS];
    if (chat_read(r, refused, "Gemini", m, err) != QUERN_OK)
        return QUERN_FAIL;
    buf_char(out, '{');
    if (put_system(out, m[CHAT_MESSAGES], err) != QUERN_OK ||
        chat_put_messages(out, m[CHAT_MESSAGES], &shape, err) != QUERN_OK)
        return QUERN_FAIL;
    buf_char(out, ']');
    if (put_generation(out, m, err) != QUERN_OK || put_tools(out, m[CHAT_TOOLS], err) != QUERN_OK ||
        put_tool_choice(out, m[CHAT_TOOL_CHOICE], err) != QUERN_OK)
        return QUERN_FAIL;
    buf_char(out, '}');
    return QUERN_OK;
}

/* ---- the reply ------------------------------------------------------------------------------ */

static const struct failure_rule rules[] = {
    {429, NULL, "limit: 0", "quota_exhausted", ERROR_NEXT_KEY},
    {400, NULL, "api key not valid", "auth", ERROR_NEXT_KEY},
    {400, NULL, "api key expired", "auth", ERROR_NEXT_KEY},
    {400, NULL, "exceeds the maximum number of tokens", "context_length", ERROR_NEXT_CANDIDATE},
    {403, NULL, "reported as leaked", "auth", ERROR_NEXT_KEY}, /* that key alone */
    {400, "FAILED_PRECONDITION", NULL, "quota_exhausted", ERROR_NEXT_KEY},
    {499, NULL, NULL, "api_error", ERROR_RETRY},
    {0}};

/* Thoughts stand apart from the candidates' tokens, and are billed as output. */
static void read_usage(struct json body, struct reply *r)
{
    struct usage *u = &r->usage;
    struct json usage = json_get(body, "usageMetadata");
    enum { PROMPT, TOOLS, CACHED, THOUGHTS, ANSWER, COUNTS };
    static const char *const counts[COUNTS] = {"promptTokenCount", "toolUsePromptTokenCount",
                                               "cachedContentTokenCount", "thoughtsTokenCount",
                                               "candidatesTokenCount"};
    struct json told[COUNTS];
    json_get_all(usage, counts, told, COUNTS);
    r->has_usage = classify_counted(told, COUNTS);
    u->input = classify_number(told[PROMPT]) + classify_number(told[TOOLS]);
    u->cached = classify_number(told[CACHED]);
    u->reasoning = classify_number(told[THOUGHTS]);
    u->output = classify_number(told[ANSWER]) + u->reasoning;
}

/* RetryInfo's delay, "46s" or "1.5s", in ms; -1: none. */
static int64_t retry_delay(struct json details)
{
    enum { DAY_S = 86400 };
    struct json item;
    size_t pos = 0;
    while (json_is(details, '[') && json_next_item(details, &pos, &item)) {
        struct json delay = json_get(item, "retryDelay");
        double s = json_is(delay, '"') ? strtod(delay.p + 1, NULL) : -1;
        if (s >= 0)
            return (int64_t)((s < DAY_S ? s : DAY_S) * 1000);
    }
    return -1;
}

static void read_failure(long status, const char *text, size_t len, struct buf *translated,
                         struct reply *out)
{
    struct json error = json_get(out->body, "error");
    const struct failure f = {classify_status(status, json_get(error, "code")),
                              json_get(error, "status"),
                              {0},
                              json_get(error, "message")};
    classify_failure(rules, &f, text, len, out);
    out->retry_after_ms = retry_delay(json_get(error, "details"));
    if (!out->body.p)
        return;
    chat_write_error(translated, f.message, out->error.code, f.code);
    out->body = json_root(translated->data, translated->len);
}

/* What a candidate's end means: the word for it here, OpenAI's, and whether it is an answer. */
static const struct finish {
    const char *word, *reason;
} finishes[] = {{"STOP", "stop"},
                {"MAX_TOKENS", "length"},
                {"SAFETY", "content_filter"},
                {"RECITATION", "content_filter"},
                {"LANGUAGE", "content_filter"},
                {"BLOCKLIST", "content_filter"},
                {"PROHIBITED_CONTENT", "content_filter"},
                {"SPII", "content_filter"},
                {"IMAGE_SAFETY", "content_filter"},
                {NULL, NULL}}; /* others: no answer (MALFORMED_FUNCTION_CALL, OTHER …) */

static const struct finish *find_finish(struct json word)
{
    const struct finish *f = finishes;
    while (f->word && !json_equals(word, f->word))
        f++;
    return f;
}

static void read_parts(struct json parts, struct chat_answer *a)
{
    struct json part;
    size_t pos = 0;
    while (json_is(parts, '[') && json_next_item(parts, &pos, &part)) {
        struct json thought = json_get(part, "thought"), call = json_get(part, "functionCall");
        bool thinks = json_is(thought, 't') && thought.p[0] == 't';
        chat_append(thinks ? &a->reasoning : &a->text, json_get(part, "text"));
        if (call.p)
            chat_answer_call(a, json_get(call, "id"), json_get(call, "name"),
                             json_get(call, "args"));
    }
}

static void refuse_finish(struct reply *out, struct json word)
{
    enum { SHOWN = 60 };
    char why[SHOWN + 40];
    (void)snprintf(why, sizeof why, "its finishReason is %.*s",
                   (int)(word.len < SHOWN ? word.len : SHOWN), word.p);
    classify_malformed(out, 200, why);
}

/* Writes one candidate and judges it. */
static void read_candidate(struct json candidate, int64_t index, size_t max, struct buf *to,
                           struct reply *out)
{
    struct json word = json_get(candidate, "finishReason");
    const struct finish *f = find_finish(word);
    struct chat_answer a;
    chat_answer_init(&a, max);
    read_parts(json_get(json_get(candidate, "content"), "parts"), &a);
    const char *reason = f->reason ? f->reason : "stop";
    if (a.call_count && strcmp(reason, "stop") == 0)
        reason = "tool_calls";
    buf_str(to, index ? "," : "");
    chat_write_choice(to, &a, index, reason);
    chat_answer_free(&a);
    if (strcmp(reason, "content_filter") == 0)
        classify_withheld(out, "the answer was withheld", word);
    else if (word.p && !f->word)
        refuse_finish(out, word);
}

static void read_answer(struct json candidates, struct buf *translated, struct reply *out)
{
    struct json item;
    size_t pos = 0, max = out->body.len * 6 + 64;
    int64_t count = 0;
    out->success = true;
    chat_write_head(translated, json_get(out->body, "responseId"), out->model);
    while (json_is(candidates, '[') && json_next_item(candidates, &pos, &item))
        read_candidate(item, count++, max, translated, out);
    buf_char(translated, ']');
    chat_write_usage(translated, &out->usage);
    buf_char(translated, '}');
    struct json blocked = json_get(json_get(out->body, "promptFeedback"), "blockReason");
    if (count == 0 && blocked.p)
        classify_withheld(out, "the prompt was blocked", blocked);
    else if (count == 0)
        classify_malformed(out, 200, "it has no candidates");
    out->body = json_root(translated->data, translated->len);
}

static void reply(long status, const char *text, size_t len, struct buf *translated,
                  struct reply *out)
{
    struct error err;
    bool good = classify_parse(text, len, out, &err);
    read_usage(out->body, out);
    if (status < 200 || status > 299 || json_is(json_get(out->body, "error"), '{')) {
        read_failure(status, text, len, translated, out);
        return;
    }
    if (!good) {
        classify_malformed(out, status, err.message);
        return;
    }
    out->model = json_get(out->body, "modelVersion");
    read_answer(json_get(out->body, "candidates"), translated, out);
}

/* ---- streams: every event is an answer with the next parts ----------------------------------- */

enum { CANDIDATES_MAX = 128 };

static void take_candidate(struct fold *f, struct json candidate)
{
    static const char *const grows[] = {NULL};
    struct node *candidates = fold_member(f, f->root, "candidates");
    struct json_member m;
    int64_t index = 0;
    size_t pos = 0;
    (void)json_int64(json_get(candidate, "index"), &index);
    struct node *n = index < CANDIDATES_MAX ? fold_item(f, candidates, index) : NULL;
    struct json parts = json_get(json_get(candidate, "content"), "parts"), part;
    while (n && json_is(candidate, '{') && json_next_member(candidate, &pos, &m))
        if (!json_equals(m.key, "content"))
            fold_merge_member(f, n, m, grows);
    for (pos = 0; n && json_is(parts, '[') && json_next_item(parts, &pos, &part);) {
        struct node *list = fold_member(f, fold_member(f, n, "content"), "parts");
        struct node *last = fold_append(f, list);
        if (last)
            fold_set(f, last, part);
        f->grown += part.len;
    }
    f->complete = fold_all_have(candidates, "finishReason");
}

static void event(struct fold *f, const char *name, struct json data)
{
    struct json_member m;
    struct json candidate;
    size_t pos = 0;
    (void)name; /* it has none */
    while (json_next_member(data, &pos, &m)) {
        size_t at = 0;
        if (!json_equals(m.key, "candidates"))
            fold_set(f, fold_raw_member(f, f->root, m.key), m.value);
        while (json_equals(m.key, "candidates") && json_is(m.value, '[') &&
               json_next_item(m.value, &at, &candidate))
            take_candidate(f, candidate);
        if (json_equals(m.key, "error"))
            f->complete = f->closed = true;
        if (json_equals(m.key, "promptFeedback") && json_get(m.value, "blockReason").p)
            f->complete = true;
    }
}

static const char *const headers[] = {NULL};

const struct dialect dialect_gemini = {"gemini", "x-goog-api-key: ", headers, path, request, event,
                                       reply};
