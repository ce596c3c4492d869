#include "guards/leak.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/texts.h"

enum { SYSTEM_MAX = 1 << 20 };

/* Of the words from each on, `n` in a row; sorted. */
struct rows {
    uint64_t *hashes;
    size_t count;
};

static uint64_t hash_row(const struct word *w, size_t n)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < n; i++)
        h = (h ^ w[i].hash) * 1099511628211ULL;
    return h;
}

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

static struct rows rows_of(struct leak_scratch *s, struct json body, size_t n)
{
    struct rows rows = {0};
    struct buf text, nothing;
    buf_init(&text, SYSTEM_MAX);
    buf_init(&nothing, body.len);
    texts_rewrite(body, add_system, &text, &nothing);
    words_read(&s->words, s->empty, text.data ? text.data : "", text.len);
    if (s->words.count >= n) {
        rows.hashes = mem_array(NULL, s->words.count, sizeof *rows.hashes);
        for (size_t i = 0; i + n <= s->words.count; i++)
            rows.hashes[rows.count++] = hash_row(&s->words.items[i], n);
        qsort(rows.hashes, rows.count, sizeof *rows.hashes, compare);
    }
    buf_free(&text);
    buf_free(&nothing);
    return rows;
}

bool leak_find(struct leak_scratch *s, struct json body, const char *answer, size_t len,
               size_t least, size_t *from, size_t *to)
{
    struct rows rows = rows_of(s, body, least);
    size_t best = 0, run = 0;
    if (rows.count)
        words_read(&s->words, s->empty, answer, len);
    for (size_t i = 0; rows.count && i + least <= s->words.count; i++) {
        const uint64_t h = hash_row(&s->words.items[i], least);
        const bool known = bsearch(&h, rows.hashes, rows.count, sizeof h, compare) != NULL;
        run = known ? run + 1 : 0;
        if (run > best) {
            best = run;
            *from = s->words.items[i + 1 - run].from;
            *to = s->words.items[i + least - 1].to;
        }
    }
    free(rows.hashes);
    return best > 0;
}
