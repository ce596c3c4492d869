#include "guards/mask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void mask_free(struct mask *m)
{
    for (size_t i = 0; i < m->count; i++) {
        explicit_bzero(m->items[i].text, m->items[i].len);
        free(m->items[i].text);
    }
    free(m->items);
    *m = (struct mask){0};
}

static struct masked *find(const struct mask *m, const char *text, size_t len)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->items[i].len == len && memcmp(m->items[i].text, text, len) == 0)
            return &m->items[i];
    return NULL;
}

static struct masked *add(struct mask *m, const char *text, size_t len)
{
    if (m->count == MASK_MAX)
        return NULL;
    m->items = mem_array(m->items, m->count + 1, sizeof *m->items);
    m->items[m->count] = (struct masked){.text = mem_copy(text, len), .len = len};
    return &m->items[m->count++];
}

static void make_name(struct mask *m, const char *kind, struct masked *item, struct json body)
{
    do {
        (void)snprintf(item->name, sizeof item->name, "[%.20s_%zu]", kind, ++m->number);
        for (char *c = item->name; *c; c++)
            *c = (char)toupper((unsigned char)*c);
    } while (body.p && memmem(body.p, body.len, item->name, strlen(item->name)));
}

const char *mask_name(struct mask *m, const char *kind, const char *text, size_t len,
                      struct json body)
{
    struct masked *item = find(m, text, len);
    if (!item)
        item = add(m, text, len);
    if (!item)
        return NULL;
    if (!item->name[0])
        make_name(m, kind, item, body);
    item->sent = true;
    return item->name;
}

bool mask_knows(const struct mask *m, const char *text, size_t len)
{
    return find(m, text, len) != NULL;
}

void mask_note(struct mask *m, const char *text, size_t len)
{
    if (!find(m, text, len))
        (void)add(m, text, len);
}

void mask_scrub(const struct mask *m, char *text, size_t len)
{
    for (size_t i = 0; i < m->count; i++)
        for (char *at = text; (at = memmem(at, len - (size_t)(at - text), m->items[i].text,
                                           m->items[i].len)) != NULL;)
            at = (char *)memset(at, '*', m->items[i].len) + m->items[i].len;
}

static const struct masked *named(const struct mask *m, const char *p, size_t left)
{
    for (size_t i = 0; i < m->count; i++) {
        const size_t n = strlen(m->items[i].name);
        if (m->items[i].sent && n <= left && memcmp(m->items[i].name, p, n) == 0)
            return &m->items[i];
    }
    return NULL;
}

/* A value between the quotes that are there. */
static void add_escaped(const struct masked *item, struct buf *out)
{
    struct buf quoted;
    buf_init(&quoted, item->len * 6 + 2);
    buf_json(&quoted, item->text, item->len);
    buf_add(out, quoted.data + 1, quoted.len - 2);
    explicit_bzero(quoted.data, quoted.len);
    buf_free(&quoted);
}

bool mask_restore(const struct mask *m, struct json v, struct buf *out)
{
    const size_t begin = out->len;
    bool any = false;
    size_t from = 0;
    for (size_t i = 0; i < v.len && m->count;) {
        const char *open = memchr(v.p + i, '[', v.len - i);
        if (!open)
            break;
        i = (size_t)(open - v.p);
        const struct masked *item = named(m, open, v.len - i);
        if (!item) {
            i++;
            continue;
        }
        buf_add(out, v.p + from, i - from);
        add_escaped(item, out);
        i = from = i + strlen(item->name);
        any = true;
    }
    if (any)
        buf_add(out, v.p + from, v.len - from);
    else
        out->len = begin;
    return any;
}
