/* What the checks of numbers share. Digits come as text. */
#ifndef QUERN_CHECKDIGIT_PRIVATE_H
#define QUERN_CHECKDIGIT_PRIVATE_H
#include <stdint.h>

#include "guards/checkdigit.h"

static inline int digit(char c)
{
    return c - '0';
}

static inline int64_t number(const char *s, size_t n)
{
    int64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + digit(s[i]);
    return v;
}

/* 'X' weighs ten. */
static inline int weighted(const char *s, const char *weights)
{
    int sum = 0;
    for (size_t i = 0; weights[i]; i++)
        sum += digit(s[i]) * (weights[i] == 'X' ? 10 : digit(weights[i]));
    return sum;
}

static inline bool is_date(int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static inline bool all_alike(const char *s, size_t n)
{
    size_t i = 1;
    while (i < n && s[i] == s[0])
        i++;
    return i >= n;
}
#endif
