#include "guards/leak.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/texts.h"

enum { SYSTEM_MAX = 1 << 20 };

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void add_system(void *arg, struct text_place place, struct json v, struct buf *out)
{
    struct buf *all = arg;
    (void)out;
    if (place.role != TEXT_SYSTEM || !place.prose)
        return;
    (void)json_string(v, all);
    buf_char(all, '\n');
}

void leak_begin(struct leak_scratch *s, struct json body, size_t least)
{
    struct buf text, nothing;
    buf_init(&text, SYSTEM_MAX);
    buf_init(&nothing, body.len * 2 + 64);
    texts_rewrite(body, add_system, &text, &nothing);
    words_read(&s->words, s->empty, text.data ? text.data : "", text.len);
    leak_end(s);
    s->least = least;
    if (s->words.count >= least) {
        s->rows = mem_array(NULL, s->words.count, sizeof *s->rows);
        for (size_t i = 0; i + least <= s->words.count; i++)
            s->rows[s->row_count++] = words_row(&s->words.items[i], least);
        qsort(s->rows, s->row_count, sizeof *s->rows, compare);
    }
    buf_free(&text);
    buf_free(&nothing);
}

void leak_end(struct leak_scratch *s)
{
    free(s->rows);
    s->rows = NULL;
    s->row_count = 0;
}

bool leak_find(struct leak_scratch *s, const char *answer, size_t len, size_t *from, size_t *to)
{
    size_t best = 0, run = 0;
    if (s->row_count == 0 || len < s->least * 2)
        return false;
    words_read(&s->words, s->empty, answer, len);
    for (size_t i = 0; i + s->least <= s->words.count; i++) {
        const uint64_t h = words_row(&s->words.items[i], s->least);
        run = bsearch(&h, s->rows, s->row_count, sizeof h, compare) ? run + 1 : 0;
        if (run > best) {
            best = run;
            *from = s->words.items[i + 1 - run].from;
            *to = s->words.items[i + s->least - 1].to;
        }
    }
    return best > 0;
}
