/* Writing an answer in the shape of OpenAI's chat completions. */
#include <inttypes.h>

#include "chat.h"
#include "common/units.h"

void chat_answer_init(struct chat_answer *a, size_t max)
{
    a->call_count = 0;
    buf_init(&a->text, max);
    buf_init(&a->reasoning, max);
    buf_init(&a->calls, max);
}

void chat_answer_free(struct chat_answer *a)
{
    buf_free(&a->text);
    buf_free(&a->reasoning);
    buf_free(&a->calls);
}

void chat_append(struct buf *out, struct json string)
{
    if (json_is(string, '"'))
        buf_add(out, string.p + 1, string.len - 2);
}

void chat_answer_call(struct chat_answer *a, struct json id, struct json name,
                      struct json arguments)
{
    struct buf *out = &a->calls;
    buf_printf(out, "%s{\"id\":", a->call_count ? "," : "");
    if (json_is(id, '"'))
        buf_add(out, id.p, id.len);
    else
        buf_printf(out, "\"call_%zu\"", a->call_count);
    buf_str(out, ",\"type\":\"function\",\"function\":{\"name\":");
    buf_add(out, json_is(name, '"') ? name.p : "\"\"", json_is(name, '"') ? name.len : 2);
    buf_str(out, ",\"arguments\":");
    if (json_is(arguments, '"')) /* a text already: cut off, it was no JSON */
        buf_add(out, arguments.p, arguments.len);
    else
        buf_json(out, arguments.p ? arguments.p : "{}", arguments.p ? arguments.len : 2);
    buf_str(out, "}}");
    a->call_count++;
}

void chat_write_head(struct buf *out, struct json id, struct json model)
{
    buf_printf(out, "{\"object\":\"chat.completion\",\"created\":%" PRId64,
               units_now_us() / 1000000);
    chat_copy(out, "id", id);
    chat_copy(out, "model", model);
    buf_str(out, ",\"choices\":[");
}

static void write_text(struct buf *out, const char *key, const struct buf *text)
{
    buf_printf(out, ",\"%s\":\"", key);
    buf_add(out, text->data, text->len);
    buf_char(out, '"');
}

void chat_write_choice(struct buf *out, const struct chat_answer *a, int64_t index,
                       const char *finish_reason)
{
    buf_printf(out, "{\"index\":%" PRId64 ",\"message\":{\"role\":\"assistant\"", index);
    if (a->text.len || a->call_count == 0)
        write_text(out, "content", &a->text);
    else
        buf_str(out, ",\"content\":null");
    if (a->reasoning.len)
        write_text(out, "reasoning_content", &a->reasoning);
    if (a->call_count) {
        buf_str(out, ",\"tool_calls\":[");
        buf_add(out, a->calls.data, a->calls.len);
        buf_char(out, ']');
    }
    buf_printf(out, "},\"finish_reason\":\"%s\"}", finish_reason);
}

void chat_write_usage(struct buf *out, const struct usage *u)
{
    buf_printf(out,
               ",\"usage\":{\"prompt_tokens\":%" PRId64 ",\"completion_tokens\":%" PRId64
               ",\"total_tokens\":%" PRId64 ",\"prompt_tokens_details\":{\"cached_tokens\":%" PRId64
               ",\"cache_write_tokens\":%" PRId64
               "},\"completion_tokens_details\":{\"reasoning_tokens\":%" PRId64 "}}",
               u->input, u->output, u->input + u->output, u->cached, u->cache_write, u->reasoning);
}

void chat_write_error(struct buf *out, struct json message, const char *type, struct json code)
{
    buf_str(out, "{\"error\":{\"message\":");
    buf_add(out, json_is(message, '"') ? message.p : "\"\"",
            json_is(message, '"') ? message.len : 2);
    buf_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":", type);
    buf_add(out, json_is(code, '"') ? code.p : "null", json_is(code, '"') ? code.len : 4);
    buf_str(out, "}}");
}
