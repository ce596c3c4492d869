/* What a text counts and measures: each number with all that it may be read as, so that 1.8 tonnes
 * and 1,800 kg, two thirds and 67 %, 6 pm and 18:00 meet. Pure; linear in the text's length. */
#ifndef QUERN_QUANTITIES_H
#define QUERN_QUANTITIES_H
#include "guards/tokens.h"

enum { READINGS_MAX = 8 };

struct reading {
    double value, grain; /* of its last digit: 0.1 for 2.5, 1e5 for 2.5 million */
    uint8_t dimension;
};

struct quantity {
    uint32_t from, to;    /* bytes */
    uint32_t first, last; /* tokens */
    struct reading readings[READINGS_MAX];
    uint8_t count;
    uint8_t dimension;      /* that the text says; DIM_NONE: none */
    uint8_t currency;       /* DIM_DOLLARS, …; DIM_NONE: it says none */
    double factor;          /* what a multiplier and a unit make of the number */
    bool words;             /* in words */
    bool ordinal, fraction; /* third; two thirds */
    bool implied;           /* "an hour": no number is said */
    bool about;             /* the text says that it is rounded */
    bool summed;            /* its last reading is the sum with the next: 1 h 15 min */
};

struct quantities {
    struct quantity *items;
    size_t count, cap;
};

/* Of all tokens that nothing else has used; number words of these languages (bits). */
void quantities_read(struct quantities *q, const struct tokens *t, unsigned languages);
void quantities_free(struct quantities *q);
#endif
