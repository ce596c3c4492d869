/* A text as words, with the classes that a lexicon knows them by, whatever they are dressed up as:
 * case, accents, full width and other compatibility forms (Unicode NFKC), characters without width,
 * letters of other scripts that look alike, digits for letters, letters set apart by spaces or
 * dots. Time is linear in the text's length. Pure. */
#ifndef QUERN_WORDS_H
#define QUERN_WORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guards/lexicon.h"

enum {
    WORD_MAX = 64,      /* bytes of a folded word that are looked at */
    STEM = 6,           /* bytes of a stem */
    WORDS_MAX = 262144, /* of one text; beyond it the text is not read on */
};

enum word_flag {
    WORD_LINE = 1,     /* the first of its line */
    WORD_SENTENCE = 2, /* the first of its sentence, or after a colon or dash */
    WORD_COLON = 4,    /* a colon follows it at once */
    WORD_QUOTED = 8,   /* a quotation mark goes before it */
    WORD_HIDDEN = 16,  /* it was dressed up */
};

struct word {
    uint64_t mask;     /* classes; 0: it is not known */
    uint32_t from, to; /* bytes of the text */
    uint32_t hash;     /* of its folded form */
    uint32_t stem;     /* of what that begins with */
    uint32_t flags;
};

struct words {
    struct word *items;
    size_t count, cap;
};

void words_init(struct words *ws);
void words_free(struct words *ws);
/* Reads a text (UTF-8; bytes that are not are separators), forgetting the one before. */
void words_read(struct words *ws, const struct lexicon *l, const char *text, size_t len);
/* Of a folded form: FNV-1a. */
uint32_t words_hash(const char *folded, size_t len);
/* Of so many words in a row: FNV-1a over their hashes. */
uint64_t words_row(const struct word *first, size_t count);
/* The folded form of one word: its length, in bytes of `out`. */
size_t words_fold(const char *word, size_t len, char out[WORD_MAX]);
#endif
