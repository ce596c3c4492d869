#include "common/buf.h"

#include <endian.h>
#include <stdarg.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { BUF_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->data)
        b->data[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t n)
{
    if (b->overflow || n > b->max || b->len > b->max - n) {
        b->overflow = true;
        return false;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : BUF_FIRST;
        while (cap < need)
            cap *= 2;
        b->data = mem_resize(b->data, cap);
        b->cap = cap;
    }
    return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n >= 0 && buf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

static void json_escape(struct buf *b, unsigned char c)
{
    static const char names[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof names && names[c]) {
        const char two[2] = {'\\', names[c]};
        buf_add(b, two, 2);
    } else {
        buf_printf(b, "\\u%04x", c);
    }
}

void buf_json(struct buf *b, const char *s, size_t len)
{
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, s + from, i - from);
        json_escape(b, c);
        from = i + 1;
    }
    buf_add(b, s + from, len - from);
    buf_char(b, '"');
}

void buf_json_member(struct buf *b, const char *key, const char *s)
{
    buf_json(b, key, strlen(key));
    buf_char(b, ':');
    if (s)
        buf_json(b, s, strlen(s));
    else
        buf_str(b, "null");
}

/* A few bytes whose number is known: no call to copy them. */
#define ADD_FIXED(b, v)                                                                            \
    do {                                                                                           \
        if (!buf_reserve(b, sizeof(v)))                                                            \
            return;                                                                                \
        memcpy((b)->data + (b)->len, &(v), sizeof(v));                                             \
        (b)->len += sizeof(v);                                                                     \
        (b)->data[(b)->len] = '\0';                                                                \
    } while (0)

void buf_be16(struct buf *b, uint16_t v)
{
    v = htobe16(v);
    ADD_FIXED(b, v);
}

void buf_be32(struct buf *b, uint32_t v)
{
    v = htobe32(v);
    ADD_FIXED(b, v);
}

void buf_be64(struct buf *b, uint64_t v)
{
    v = htobe64(v);
    ADD_FIXED(b, v);
}

void buf_url_segment(struct buf *b, const char *s)
{
    for (const char *at = s; *at; at++) {
        bool dot = *at == '.' && at > s && at[-1] != '.' && at[1] != '.';
        if (dot || isalnum((unsigned char)*at) || strchr("-_~", *at))
            buf_char(b, *at);
        else
            buf_printf(b, "%%%02X", (unsigned char)*at);
    }
}
