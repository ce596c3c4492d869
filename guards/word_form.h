/* What one word may be read as, while it is read: its folded bytes, with their hashes. And what
 * readers of words know of characters. */
#ifndef QUERN_WORD_FORM_H
#define QUERN_WORD_FORM_H
#include <utf8proc.h>

#include "guards/words.h"

enum { DECOMPOSED_MAX = 8 };

/* FNV-1a, as long as a text is, and its stem. */
struct word_hashes {
    uint32_t whole, stem;
};

static const struct word_hashes word_no_bytes = {2166136261U, 2166136261U};

/* What one word may be read as. */
struct word_form {
    char text[WORD_MAX];
    size_t len;
    struct word_hashes hashes; /* of the text */
};

/* `at`: how many bytes went before `c`. */
static inline struct word_hashes word_hash_on(struct word_hashes h, char c, size_t at)
{
    h.whole = (h.whole ^ (unsigned char)c) * 16777619U;
    h.stem = at < STEM ? h.whole : h.stem;
    return h;
}

struct word_hashes word_hashes_of(const char *folded, size_t len);

static inline void form_clear(struct word_form *f)
{
    f->len = 0;
    f->hashes = word_no_bytes;
}

static inline void form_put_char(struct word_form *f, char c)
{
    if (f->len == WORD_MAX)
        return;
    f->hashes = word_hash_on(f->hashes, c, f->len);
    f->text[f->len++] = c;
}

/* Several bytes, all of them or, if they do not fit, none. */
void form_put(struct word_form *f, const char *bytes, size_t len);
/* A character. */
void form_put_code(struct word_form *f, utf8proc_int32_t c);

/* A character without case and accents, of its compatibility forms: how many it is then; 0: none
 * that is seen. */
size_t word_decompose(utf8proc_int32_t c, utf8proc_int32_t out[DECOMPOSED_MAX]);
/* The letter of ASCII that a folded one looks like; 0: none. */
char word_looks_like(utf8proc_int32_t c);
/* Is it of a script that puts no spaces between words? */
bool word_is_unspaced(utf8proc_int32_t c);
#endif
