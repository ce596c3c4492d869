#include "lines.h"

#include <string.h>

void lines_init(struct lines *l, FILE *file, size_t max)
{
    *l = (struct lines){.file = file, .max = max};
    buf_init(&l->line, max + 2); /* and its line break */
}

void lines_free(struct lines *l)
{
    buf_free(&l->line);
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

enum lines_result lines_next(struct lines *l)
{
    bool any = false;
    int c = 0;
    buf_clear(&l->line);
    flockfile(l->file);
    while (c != '\n' && (c = getc_unlocked(l->file)) != EOF) {
        any = true;
        if (l->line.len + 1 < l->line.cap && l->line.len < l->line.max) {
            l->line.data[l->line.len++] = (char)c;
        } else {
            buf_char(&l->line, (char)c);
        }
    }
    funlockfile(l->file);
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
