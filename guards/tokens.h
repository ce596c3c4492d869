/* A text as words and numbers, for what it claims. Pure; linear in the text's length. */
#ifndef QUERN_TOKENS_H
#define QUERN_TOKENS_H
#include "guards/glossary.h"

enum { TOKENS_MAX = 1 << 20, TOKEN_FOLDED_MAX = 32 }; /* of one text; it is not read on */

enum token_kind {
    TOKEN_WORD,
    TOKEN_DIGITS, /* with what stands between them: 1,250.00 */
    TOKEN_CODE    /* a word with digits in it: A100 */
};

struct token {
    uint32_t from, to; /* bytes of the text */
    uint32_t hash;     /* of the folded form */
    uint8_t kind, len;
    uint8_t meanings;              /* of its glosses, how many, */
    const struct gloss *glosses;   /* and the first */
    bool capital, upper;           /* begins with a capital; is in capitals */
    bool start;                    /* begins a sentence */
    bool used;                     /* by a date, a number or a quotation */
    char folded[TOKEN_FOLDED_MAX]; /* lower case without accents; not all of a long one */
};

struct tokens {
    const struct glossary *glossary;
    const char *text;
    size_t len;
    struct token *items;
    size_t count, cap;
    enum language language; /* that most of its words are of */
    unsigned languages;     /* that one, and English, as bits; all, if too few words tell */
};

/* `text` (UTF-8) must stay until tokens_free(). */
void tokens_read(struct tokens *t, const struct glossary *g, const char *text, size_t len);
void tokens_free(struct tokens *t);
/* What the token is in one of these languages (bits; LANGS_ALL); NULL: nothing of the kind. */
const struct gloss *token_means(const struct tokens *t, size_t at, enum meaning meaning,
                                unsigned languages);
/* Are there just these bytes between it and the next? */
bool token_gap_is(const struct tokens *t, size_t at, const char *gap);
/* Is the next one so near that both may be of one expression: at most a space, a hyphen, a point
 * and a space? */
bool token_is_near(const struct tokens *t, size_t at);
#endif
