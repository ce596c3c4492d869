/* The stub's answers in pieces, as each API streams them. */
#include <inttypes.h>
#include <string.h>

#include "stub.h"

static void event(struct buf *out, const char *name)
{
    if (name)
        buf_printf(out, "event: %s\n", name);
    buf_str(out, "data: ");
}

static void openai(struct buf *out, const struct stub_piece *p, const struct reply *r)
{
    event(out, NULL);
    buf_str(out, "{\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion.chunk\",\"model\":");
    buf_json(out, p->model, strlen(p->model));
    if (p->kind == PIECE_END && r->fault != FAULT_NO_USAGE)
        buf_printf(out,
                   ",\"usage\":{\"prompt_tokens\":%" PRId64 ",\"completion_tokens\":%" PRId64 "}",
                   r->input, r->output);
    buf_str(out, ",\"choices\":[{\"index\":0,\"delta\":{");
    if (p->kind == PIECE_BEGIN)
        buf_str(out, "\"role\":\"assistant\",\"content\":\"\"");
    if (p->kind == PIECE_TEXT) {
        buf_str(out, "\"content\":");
        buf_json(out, p->text, p->len);
    }
    buf_printf(out, "},\"finish_reason\":%s}]}\n\n", p->kind == PIECE_END ? "\"stop\"" : "null");
    if (p->kind == PIECE_END)
        buf_str(out, "data: [DONE]\n\n");
}

static void anthropic_begin(struct buf *out, const struct stub_piece *p, const struct reply *r)
{
    event(out, "message_start");
    buf_str(out,
            "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_stub\",\"type\":\"message\","
            "\"role\":\"assistant\",\"content\":[],\"model\":");
    buf_json(out, p->model, strlen(p->model));
    if (r->fault != FAULT_NO_USAGE)
        buf_printf(out, ",\"usage\":{\"input_tokens\":%" PRId64 ",\"output_tokens\":1}", r->input);
    buf_str(out, "}}\n\n");
    event(out, "content_block_start");
    buf_str(out, "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
                 "{\"type\":\"text\",\"text\":\"\"}}\n\n");
}

static void anthropic(struct buf *out, const struct stub_piece *p, const struct reply *r)
{
    if (p->kind == PIECE_BEGIN) {
        anthropic_begin(out, p, r);
    } else if (p->kind == PIECE_TEXT) {
        event(out, "content_block_delta");
        buf_str(out, "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                     "{\"type\":\"text_delta\",\"text\":");
        buf_json(out, p->text, p->len);
        buf_str(out, "}}\n\n");
    } else {
        event(out, "content_block_stop");
        buf_str(out, "{\"type\":\"content_block_stop\",\"index\":0}\n\n");
        event(out, "message_delta");
        buf_str(out, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}");
        if (r->fault != FAULT_NO_USAGE)
            buf_printf(out, ",\"usage\":{\"output_tokens\":%" PRId64 "}", r->output);
        buf_str(out, "}\n\n");
        event(out, "message_stop");
        buf_str(out, "{\"type\":\"message_stop\"}\n\n");
    }
}

static void gemini(struct buf *out, const struct stub_piece *p, const struct reply *r)
{
    if (p->kind == PIECE_BEGIN)
        return;
    event(out, NULL);
    buf_str(out, "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":");
    buf_json(out, p->text ? p->text : "", p->len);
    buf_str(out, "}]}");
    buf_str(out, p->kind == PIECE_END ? ",\"finishReason\":\"STOP\"}]" : "}]");
    if (r->fault != FAULT_NO_USAGE)
        buf_printf(out,
                   ",\"usageMetadata\":{\"promptTokenCount\":%" PRId64
                   ",\"candidatesTokenCount\":%" PRId64 "}",
                   r->input, p->kind == PIECE_END ? r->output : 1);
    buf_str(out, "}\r\n\r\n");
}

static void failure(struct buf *out, enum speech speech)
{
    event(out, speech == ANTHROPIC ? "error" : NULL);
    buf_str(out, speech == ANTHROPIC
                     ? "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
                       "\"the stub broke off\"}}\n\n"
                     : "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\",\"message\":"
                       "\"the stub broke off\"}}\n\n");
}

void stub_stream(struct reply *r, enum speech speech, const char *model, const struct buf *text)
{
    static void (*const writers[])(struct buf *, const struct stub_piece *,
                                   const struct reply *) = {
        [OPENAI] = openai, [ANTHROPIC] = anthropic, [GEMINI] = gemini};
    struct stub_piece p = {PIECE_BEGIN, model, NULL, 0};
    const size_t middle = text->len / 2;
    writers[speech](&r->body, &p, r);
    p.kind = PIECE_TEXT;
    for (size_t at = 0; at < text->len; at += p.len) {
        if (r->fault == FAULT_MIDWAY && at >= middle) {
            failure(&r->body, speech);
            return;
        }
        p.text = text->data + at;
        const char *space = memchr(p.text + 1, ' ', text->len - at - 1);
        p.len = space ? (size_t)(space - p.text) : text->len - at;
        writers[speech](&r->body, &p, r);
    }
    p = (struct stub_piece){PIECE_END, model, NULL, 0};
    writers[speech](&r->body, &p, r);
}
