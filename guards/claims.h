/* What a text claims that can be held against another: numbers, dates, names and quotations, in
 * English, German and French. Pure; linear in the text's length. */
#ifndef QUERN_CLAIMS_H
#define QUERN_CLAIMS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum claim_kind { CLAIM_NUMBER, CLAIM_DATE, CLAIM_NAME, CLAIM_QUOTE, CLAIM_KINDS };
extern const char *const claim_names[CLAIM_KINDS];

enum { CLAIMS_MAX = 20000, CLAIM_FOLDED_MAX = 32 };

/* A word or a number of a text. */
struct token {
    uint32_t from, to;
    char folded[CLAIM_FOLDED_MAX]; /* lower case without accents; "" for numbers */
    double value[2];               /* of a number: as written, and with '.' and ',' the other way */
    double unit;                   /* of its last digit: 0.1 for 2.5, with a multiplier in it */
    bool number, word_number;      /* in digits; in words */
    bool capital, start;           /* begins with a capital; a sentence */
    bool time;                     /* 14:30, 4:01.37 */
    bool used;                     /* by a date or a quotation */
};

struct date {
    int year, month, day; /* 0: not said */
    uint32_t from, to;
};

struct claims {
    struct token *tokens;
    size_t count, cap;
    struct date *dates;
    size_t date_count, date_cap;
    bool german; /* nouns have capitals */
};

void claims_read(struct claims *c, const char *text, size_t len); /* c was zero, or read before */
void claims_free(struct claims *c);
#endif
