/* Dates of a text, as far as it says them: 3 March 2024, 18.5., May, Tuesday, Q3 2025. Pure; linear
 * in the text's length. */
#ifndef QUERN_DATES_H
#define QUERN_DATES_H
#include "guards/tokens.h"

struct date {
    int year, month, day; /* 0: not said */
    int weekday, quarter; /* 1: Monday; 0: not said */
    uint32_t from, to;    /* bytes */
    bool either;          /* day and month may be the other way round: 3/4/2024 */
    bool guess;           /* it may be a number too: 3/4, 18.5 */
};

struct dates {
    struct date *items;
    size_t count, cap;
};

/* Marks the tokens of what can be nothing but a date as used. */
void dates_read(struct dates *d, struct tokens *t);
void dates_free(struct dates *d);
/* 1 (Monday) to 7 of a day in the Gregorian calendar. */
int date_weekday(int year, int month, int day);
#endif
