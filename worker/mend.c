#include "mend.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE_LEN = 6 }; /* \uXXXX */

/* The value of the escape at `p`; -1: there is none. */
static long unit_at(const char *p, const char *end)
{
    char hex[ESCAPE_LEN - 1] = "";
    if (end - p < ESCAPE_LEN || p[0] != '\\' || p[1] != 'u')
        return -1;
    memcpy(hex, p + 2, ESCAPE_LEN - 2);
    return strspn(hex, "0123456789abcdefABCDEF") == ESCAPE_LEN - 2 ? strtol(hex, NULL, 16) : -1;
}

static bool is_half(long v, long first)
{
    return v >= first && v < first + 0x400;
}

void mend_escapes(char *text, size_t len)
{
    char *p = text, *end = text + len;
    while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        long v = unit_at(p, end);
        bool high = is_half(v, 0xD800), low = is_half(v, 0xDC00);
        if (high && is_half(unit_at(p + ESCAPE_LEN, end), 0xDC00))
            p += ESCAPE_LEN; /* the first half of a pair */
        else if (v == 0 || high || low)
            memcpy(p, "\\ufffd", ESCAPE_LEN);
        p += v < 0 ? 2 : ESCAPE_LEN;
    }
}
