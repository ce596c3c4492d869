/* Inside of the search for sensitive data: the scan, and what sensitive.c and sensitive_numbers.c
 * share. */
#ifndef QUERN_SENSITIVE_SCAN_H
#define QUERN_SENSITIVE_SCAN_H
#include "guards/sensitive.h"

struct scan {
    const char *text;
    size_t len;
    uint32_t mask;
    struct spans *out;
};

static inline bool scan_wants(const struct scan *s, enum sensitive_kind k)
{
    return s->mask & 1U << k;
}

static inline char scan_at(const struct scan *s, size_t i)
{
    return i < s->len ? s->text[i] : '\0';
}

/* Letters of any script, digits and underscores: what goes on with a word. */
static inline bool scan_same_token(char c)
{
    static const uint32_t token[8] = {0,          0x03FF0000, 0x87FFFFFE, 0x07FFFFFE,
                                      UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    return token[(unsigned char)c / 32] >> (unsigned char)c % 32 & 1;
}

static inline bool scan_is_alnum(char c)
{
    return scan_same_token(c) && c != '_';
}

static inline bool scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool scan_has_cue(const struct scan *s, size_t pos, size_t bytes, const char *cues);

/* In sensitive_numbers.c. What begins at `from`, is added; where it ends, 0: nothing is there. */
size_t scan_digits(struct scan *s, size_t from);          /* a digit; never 0 */
size_t scan_plus_phone(struct scan *s, size_t plus);      /* '+' */
size_t scan_bracketed_phone(struct scan *s, size_t open); /* '(' */
/* Finnish and Spanish ids; adds nothing. */
size_t scan_lettered(struct scan *s, size_t from);
#endif
