#include "mend.h"

#include <stdbool.h>
#include <string.h>

#include "common/json.h"

static bool is_half(int v, int first)
{
    return v >= first && v < first + 0x400;
}

void mend_escapes(char *text, size_t len)
{
    char *p = text, *end = text + len;
    while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        const int v = json_code_unit(p, end);
        bool high = is_half(v, 0xD800), low = is_half(v, 0xDC00);
        if (high && is_half(json_code_unit(p + JSON_UNIT_LEN, end), 0xDC00))
            p += JSON_UNIT_LEN; /* the first half of a pair */
        else if (v == 0 || high || low)
            memcpy(p, "\\ufffd", JSON_UNIT_LEN);
        p += v < 0 ? 2 : JSON_UNIT_LEN;
    }
}
