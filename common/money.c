#include "common/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXPONENT_MAX = 40 };

/* The exponent after 'e', bounded; false if malformed. */
static bool parse_exponent(const char *s, size_t len, int *out)
{
    bool negative = len && *s == '-';
    if (len && (*s == '-' || *s == '+'))
        s++, len--;
    if (len == 0 || len > 3)
        return false;
    int v = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = negative ? -v : v;
    return true;
}

/* Digits with at most one point -> integer and how many of them stood behind the point. */
static bool parse_digits(const char *s, size_t len, int64_t *digits, int *places)
{
    bool any = false, point = false;
    *digits = 0;
    *places = 0;
    while (len > 1 && s[len - 1] == '0' && memchr(s, '.', len)) /* zeros at the end say nothing */
        len--;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(*digits, 10, digits) ||
            __builtin_add_overflow(*digits, s[i] - '0', digits))
            return false;
        any = true;
        *places += point;
    }
    return any;
}

/* *rest: the digits below the scale, as 0 or the first of them (1 if only later ones are set). */
static bool parse(const char *s, size_t len, int scale, int64_t *out, int *rest)
{
    int64_t v;
    int places, exponent = 0;
    const char *e = memchr(s, 'e', len);
    if (!e)
        e = memchr(s, 'E', len);
    size_t mantissa = e ? (size_t)(e - s) : len;
    if (!parse_digits(s, mantissa, &v, &places) ||
        (e && !parse_exponent(e + 1, len - mantissa - 1, &exponent)))
        return false;
    int shift = exponent - places + scale;
    if (v == 0)
        shift = 0;
    if (shift > EXPONENT_MAX || shift < -EXPONENT_MAX)
        return false;
    for (; shift > 0; shift--)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    *rest = 0;
    for (; shift < 0; shift++, v /= 10)
        *rest = v % 10 ? (int)(v % 10) : *rest != 0;
    *out = v;
    return true;
}

bool money_parse(const char *s, size_t len, int scale, int64_t *out)
{
    int rest;
    return parse(s, len, scale, out, &rest) && rest == 0;
}

bool money_parse_rounded(const char *s, size_t len, int scale, int64_t *out)
{
    int rest;
    if (!parse(s, len, scale, out, &rest))
        return false;
    *out += rest >= 5;
    return true;
}

char *money_format(int64_t pico, char *out)
{
    uint64_t v = pico < 0 ? 0 - (uint64_t)pico : (uint64_t)pico;
    const uint64_t one = 1000000000000;
    int n = snprintf(out, MONEY_TEXT_MAX, "%s%" PRIu64 ".%012" PRIu64, pico < 0 ? "-" : "", v / one,
                     v % one);
    for (int dropped = 0; dropped < 6 && out[n - 1] == '0'; dropped++)
        out[--n] = '\0';
    return out;
}

int64_t money_from_half_atto(__int128 n)
{
    const __int128 unit = 2000000;
    __int128 whole = n / unit, rest = n % unit;
    if (rest * 2 > unit || (rest * 2 == unit && (whole & 1)))
        whole++;
    return whole > INT64_MAX ? INT64_MAX : (int64_t)whole;
}
