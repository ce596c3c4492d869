#include "common/utf8.h"

#include <stdint.h>
#include <string.h>

static bool tail(const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return false;
    return true;
}

size_t utf8_sequence(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return len >= 2 && tail(s + 1, 1) ? 2 : 0;
    if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        if (len < 3 || !tail(s + 1, 2) || (s[0] == 0xE0 && s[1] < 0xA0) ||
            (s[0] == 0xED && s[1] > 0x9F))
            return 0;
        return 3;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        if (len < 4 || !tail(s + 1, 3) || (s[0] == 0xF0 && s[1] < 0x90) ||
            (s[0] == 0xF4 && s[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

enum { WORD = sizeof(uint64_t), BLOCK = 4 * WORD };

/* How many bytes of ASCII are there for certain, of so many: a block, a word, none. */
static size_t ascii(const char *s, size_t len)
{
    const uint64_t high = 0x8080808080808080ULL;
    uint64_t w[BLOCK / WORD];
    if (len >= BLOCK) {
        memcpy(w, s, BLOCK);
        return !((w[0] | w[1] | w[2] | w[3]) & high) ? BLOCK : !(w[0] & high) ? WORD : 0;
    }
    if (len >= WORD)
        memcpy(w, s, WORD);
    return len >= WORD && !(w[0] & high) ? WORD : 0;
}

bool utf8_valid(const char *s, size_t len, size_t *bad)
{
    size_t i = 0;
    while (i < len) {
        size_t n = ascii(s + i, len - i); /* most text is that */
        if (n == 0)
            n = utf8_sequence(s + i, len - i);
        if (n == 0) {
            if (bad)
                *bad = i;
            return false;
        }
        i += n;
    }
    return true;
}

void utf8_clean(char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = utf8_sequence(s + i, len - i);
        unsigned char c = (unsigned char)s[i];
        if (n == 0 || (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
            s[i] = '?';
        i += n ? n : 1;
    }
}

void utf8_append(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        buf_char(out, (char)(0xC0 | c >> 6));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_char(out, (char)(0xE0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(out, (char)(0xF0 | c >> 18));
        buf_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    }
}
