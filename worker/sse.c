#include "sse.h"

#include <string.h>

void sse_init(struct sse *s, size_t max)
{
    *s = (struct sse){.begun = false};
    buf_init(&s->line, max);
    buf_init(&s->data, max);
}

void sse_free(struct sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
}

static void dispatch(struct sse *s, sse_event *tell, void *arg)
{
    if (s->has_data) {
        buf_str(&s->data, "");
        tell(arg, s->name, s->data.data, s->data.len);
    }
    buf_clear(&s->data);
    s->has_data = false;
    s->name[0] = '\0';
}

static void take_name(struct sse *s, const char *value, size_t len)
{
    len = len < SSE_NAME_MAX ? len : SSE_NAME_MAX - 1;
    memcpy(s->name, value, len);
    s->name[len] = '\0';
}

static void take_data(struct sse *s, const char *value, size_t len)
{
    if (s->has_data)
        buf_char(&s->data, '\n');
    buf_add(&s->data, value, len);
    s->has_data = true;
}

/* A line is whole. Comments, ids, reconnection times and unknown fields mean nothing here. */
static void take_line(struct sse *s, sse_event *tell, void *arg)
{
    const char *p = s->line.data;
    size_t len = s->line.len;
    if (!s->begun && len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
        p += 3;
        len -= 3;
    }
    s->begun = true;
    if (len == 0) {
        dispatch(s, tell, arg);
        return;
    }
    const char *colon = memchr(p, ':', len);
    size_t name = colon ? (size_t)(colon - p) : len;
    const char *value = p + name + (colon != NULL);
    size_t n = len - name - (colon != NULL);
    if (n && *value == ' ') {
        value++;
        n--;
    }
    if (name == 4 && memcmp(p, "data", 4) == 0)
        take_data(s, value, n);
    else if (name == 5 && memcmp(p, "event", 5) == 0)
        take_name(s, value, n);
}

static size_t line_length(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] != '\n' && p[n] != '\r')
        n++;
    return n;
}

bool sse_feed(struct sse *s, const char *bytes, size_t len, sse_event *tell, void *arg)
{
    while (len) {
        if (s->after_cr && *bytes == '\n') { /* the second half of a line's end */
            bytes++;
            len--;
            s->after_cr = false;
            continue;
        }
        s->after_cr = false;
        size_t n = line_length(bytes, len);
        buf_add(&s->line, bytes, n);
        if (s->line.overflow || s->data.overflow)
            return false;
        if (n == len)
            return true;
        s->after_cr = bytes[n] == '\r';
        take_line(s, tell, arg);
        buf_clear(&s->line);
        bytes += n + 1;
        len -= n + 1;
    }
    return !s->data.overflow;
}

void sse_end(struct sse *s, sse_event *tell, void *arg)
{
    if (s->line.len)
        take_line(s, tell, arg);
    dispatch(s, tell, arg);
}
