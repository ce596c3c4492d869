#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mend.h"

/* Written, an answer has commas, quotes and braces beside what the fold counts. */
enum { WRITTEN_MAX = 2, WRITTEN_MORE = 4096 };

struct stream *stream_new(const struct dialect *d, size_t max)
{
    struct stream *s = mem_zero(sizeof *s);
    s->dialect = d;
    sse_init(&s->sse, max);
    fold_init(&s->fold, max);
    buf_init(&s->whole, max * WRITTEN_MAX + WRITTEN_MORE);
    return s;
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    sse_free(&s->sse);
    fold_free(&s->fold);
    buf_free(&s->whole);
    free(s);
}

static void on_event(void *arg, const char *name, char *data, size_t len)
{
    struct stream *s = arg;
    struct error err;
    if (s->fault || s->fold.closed || len == 0) /* an empty one keeps the connection alive */
        return;
    if (strcmp(data, "[DONE]") == 0) { /* OpenAI's, and of most that copy its API */
        s->fold.complete = s->fold.closed = true;
        return;
    }
    mend_escapes(data, len);
    if (!json_check(data, len, &err) || !json_is(json_root(data, len), '{'))
        s->fault = "an event of its stream is no JSON object";
    else
        s->dialect->event(&s->fold, name, json_root(data, len));
    if (s->fold.full)
        s->fault = "the answer is longer than worker.response_max";
}

enum stream_news stream_feed(struct stream *s, const char *bytes, size_t len)
{
    size_t grown = s->fold.grown;
    if (!sse_feed(&s->sse, bytes, len, on_event, s) && !s->fault)
        s->fault = "an event of its stream is longer than worker.response_max";
    if (s->fault)
        return STREAM_BROKEN;
    if (s->fold.closed)
        return STREAM_WHOLE;
    return s->fold.grown > grown ? STREAM_TOKENS : STREAM_NOTHING;
}

size_t stream_bytes(const struct stream *s)
{
    return s->fold.bytes + s->sse.line.cap + s->sse.data.cap;
}

bool stream_is_whole(const struct stream *s)
{
    return s->fold.complete && !s->fault;
}

bool stream_end(struct stream *s)
{
    sse_end(&s->sse, on_event, s);
    fold_write(s->fold.root, &s->whole);
    if (!s->fault && !s->fold.complete)
        s->fault = "its stream ended before the answer did";
    return stream_is_whole(s);
}
