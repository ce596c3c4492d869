#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { CHUNK = 64 << 10 };

void lines_init(struct lines *l, FILE *file, size_t max)
{
    *l = (struct lines){.file = file, .max = max};
    l->chunk = mem_alloc(CHUNK);
    buf_init(&l->line, max + 2); /* and its line break */
}

void lines_free(struct lines *l)
{
    buf_free(&l->line);
    free(l->chunk);
}

static void chomp(struct buf *b)
{
    if (b->len && b->data[b->len - 1] == '\n')
        b->len--;
    if (b->len && b->data[b->len - 1] == '\r')
        b->len--;
    if (b->data)
        b->data[b->len] = '\0';
}

/* A byte order mark, as spreadsheets and some editors write it. */
static void drop_mark(struct buf *b)
{
    if (b->len < 3 || memcmp(b->data, "\xEF\xBB\xBF", 3) != 0)
        return;
    b->len -= 3;
    memmove(b->data, b->data + 3, b->len + 1);
}

/* Is there more in the chunk? */
static bool fill(struct lines *l)
{
    if (l->pos < l->have)
        return true;
    l->pos = 0;
    l->have = fread(l->chunk, 1, CHUNK, l->file);
    return l->have > 0;
}

enum lines_result lines_next(struct lines *l)
{
    const char *end = NULL;
    bool any = false;
    buf_clear(&l->line);
    while (!end && fill(l)) {
        const char *from = l->chunk + l->pos;
        const size_t left = l->have - l->pos;
        end = memchr(from, '\n', left);
        const size_t n = end ? (size_t)(end - from) + 1 : left;
        buf_add(&l->line, from, n);
        l->pos += n;
        any = true;
    }
    if (ferror(l->file))
        return LINES_ERROR;
    if (!any)
        return LINES_END;
    l->number++;
    if (l->line.overflow)
        return LINES_TOO_LONG;
    chomp(&l->line);
    if (l->number == 1)
        drop_mark(&l->line);
    return l->line.len > l->max ? LINES_TOO_LONG : LINES_LINE;
}

bool lines_rewind(struct lines *l)
{
    l->number = 0;
    l->pos = l->have = 0;
    return fseek(l->file, 0, SEEK_SET) == 0;
}
