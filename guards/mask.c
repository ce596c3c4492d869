#include "guards/mask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { CUT_LEAST = 6 }; /* bytes of a value that a message may end in */

void mask_free(struct mask *m)
{
    struct masked *item, *next;
    HASH_ITER (hh, m->by_text, item, next) {
        HASH_DEL(m->by_text, item); // NOLINT(clang-analyzer-unix.Malloc): it is not freed yet
        explicit_bzero(item->text, item->len);
        free(item->text);
        free(item);
    }
    free(m->items);
    *m = (struct mask){0};
}

static struct masked *find(const struct mask *m, const char *text, size_t len)
{
    struct masked *item;
    HASH_FIND(hh, m->by_text, text, len, item);
    return item;
}

static struct masked *add(struct mask *m, const char *text, size_t len)
{
    if (m->count == MASK_MAX)
        return NULL;
    struct masked *item = mem_zero(sizeof *item);
    item->text = mem_copy(text, len);
    item->len = len;
    HASH_ADD_KEYPTR(hh, m->by_text, item->text, len, item);
    m->count++;
    return item;
}

/* The first number that no "_NUMBER]" in the body has, nor any above it, however the rest is
 * written. */
static size_t first_number(struct json body)
{
    enum { MOST = 1000000000 };
    size_t most = 0;
    const char *end = body.p + body.len;
    for (const char *p = body.p; p && (p = memchr(p, '_', (size_t)(end - p))) != NULL;) {
        size_t n = 0;
        const char *digits = ++p;
        while (p < end && isdigit((unsigned char)*p) && n < MOST)
            n = n * 10 + (size_t)(*p++ - '0');
        if (p > digits && n > most)
            most = n;
    }
    return most + 1;
}

static void make_name(struct mask *m, const char *kind, struct masked *item, struct json body)
{
    if (m->first == 0)
        m->first = first_number(body);
    item->number = m->first + m->named;
    m->items = mem_array(m->items, m->named + 1, sizeof *m->items);
    m->items[m->named++] = item;
    (void)snprintf(item->name, sizeof item->name, "[%.16s_%zu]", kind, item->number);
    for (char *c = item->name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
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

/* A message that was cut within a value ends with a part of it. */
static void scrub_end(const struct masked *item, char *text, size_t len)
{
    size_t n = item->len < len ? item->len : len;
    for (; n >= CUT_LEAST; n--)
        if (memcmp(text + len - n, item->text, n) == 0) {
            memset(text + len - n, '*', n);
            return;
        }
}

void mask_scrub(const struct mask *m, char *text, size_t len)
{
    const struct masked *item, *next;
    HASH_ITER (hh, m->by_text, item, next) {
        for (char *at = text;
             (at = memmem(at, len - (size_t)(at - text), item->text, item->len)) != NULL;)
            at = (char *)memset(at, '*', item->len) + item->len;
        scrub_end(item, text, len);
    }
}

/* The one whose placeholder begins at '['. */
static const struct masked *named(const struct mask *m, const char *p, size_t left)
{
    size_t i = 1, n = 0, digits = 0;
    while (i < left && i < MASK_NAME_MAX && (isupper((unsigned char)p[i]) || p[i] == '_'))
        i++;
    for (; i < left && isdigit((unsigned char)p[i]) && digits < 10; digits++)
        n = n * 10 + (size_t)(p[i++] - '0');
    if (digits == 0 || n < m->first || n - m->first >= m->named)
        return NULL;
    const struct masked *item = m->items[n - m->first];
    const size_t len = strlen(item->name);
    return len <= left && memcmp(item->name, p, len) == 0 ? item : NULL;
}

bool mask_restore(const struct mask *m, const char *text, size_t len, struct buf *out)
{
    size_t from = 0;
    bool any = false;
    for (size_t i = 0; i < len && m->named;) {
        const char *open = memchr(text + i, '[', len - i);
        if (!open)
            break;
        i = (size_t)(open - text);
        const struct masked *item = named(m, open, len - i);
        if (!item) {
            i++;
            continue;
        }
        buf_add(out, text + from, i - from);
        buf_add(out, item->text, item->len);
        i = from = i + strlen(item->name);
        any = true;
    }
    if (any)
        buf_add(out, text + from, len - from);
    return any;
}
