#include "guards/terms.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/file.h"
#include "common/mem.h"

/* Terms that begin with the same word. */
struct term {
    UT_hash_handle hh; /* of the first of them */
    uint32_t first;
    struct term *next;
    size_t count;
    uint32_t words[]; /* hashes, with the first */
};

struct terms {
    struct lexicon *lexicon; /* of their words, for scripts without spaces */
    struct term *by_first;
};

void terms_free(struct terms *t)
{
    struct term *e, *following;
    if (!t)
        return;
    HASH_ITER (hh, t->by_first, e, following) {
        HASH_DEL(t->by_first, e); // NOLINT(clang-analyzer-unix.Malloc): e is not freed yet
        for (struct term *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    lexicon_free(t->lexicon);
    free(t);
}

static void add_term(struct terms *t, struct words *words, const char *line, size_t len)
{
    struct term *e, *first;
    char *text = mem_copy(line, len);
    lexicon_add(t->lexicon, text, 1);
    free(text);
    words_read(words, t->lexicon, line, len);
    if (words->count == 0 || words->count > TERM_WORDS_MAX)
        return;
    e = mem_zero(sizeof *e + words->count * sizeof e->words[0]);
    e->first = words->items[0].hash;
    e->count = words->count;
    for (size_t i = 0; i < words->count; i++)
        e->words[i] = words->items[i].hash;
    HASH_FIND(hh, t->by_first, &e->first, sizeof e->first, first);
    if (first) {
        e->next = first->next;
        first->next = e;
    } else {
        HASH_ADD(hh, t->by_first, first, sizeof e->first, e);
    }
}

struct terms *terms_read(const char *path, struct error *err)
{
    struct buf text;
    struct words words;
    buf_init(&text, TERMS_FILE_MAX);
    if (file_read(path, &text, err) != QUERN_OK) {
        buf_free(&text);
        return NULL;
    }
    struct terms *t = mem_zero(sizeof *t);
    t->lexicon = lexicon_new();
    words_init(&words);
    const char *p = text.data ? text.data : "", *end = p + text.len;
    for (size_t count = 0; p < end && count < TERMS_MAX; count++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        const size_t len = (size_t)((stop ? stop : end) - p);
        if (len && *p != '#')
            add_term(t, &words, p, len);
        p += len + 1;
    }
    words_free(&words);
    buf_free(&text);
    return t;
}

/* The longest that begins at word `at`: its words; 0: none. */
static size_t longest(const struct terms *t, const struct words *ws, size_t at)
{
    const struct term *e;
    size_t most = 0;
    HASH_FIND(hh, t->by_first, &ws->items[at].hash, sizeof ws->items[at].hash, e);
    for (; e; e = e->next) {
        size_t k = 0;
        while (k < e->count && at + k < ws->count && ws->items[at + k].hash == e->words[k])
            k++;
        if (k == e->count && k > most)
            most = k;
    }
    return most;
}

void terms_find(const struct terms *t, struct words *words, const char *text, size_t len,
                struct spans *out)
{
    words_read(words, t->lexicon, text, len);
    for (size_t i = 0, n; i < words->count; i += n ? n : 1)
        if ((n = longest(t, words, i)) != 0)
            spans_add(out, 0, words->items[i].from, words->items[i + n - 1].to);
}
