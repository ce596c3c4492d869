#include "guards/quotes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { QUOTE_LEAST = 12, QUOTE_MAX = 4096 }; /* letters; bytes */

static const char *const marks[][2] = {{"\"", "\""},
                                       {"\xE2\x80\x9C", "\xE2\x80\x9D"},  /* “ ” */
                                       {"\xE2\x80\x9E", "\xE2\x80\x9C"},  /* „ “ */
                                       {"\xE2\x80\x9E", "\xE2\x80\x9D"},  /* „ ” */
                                       {"\xC2\xAB", "\xC2\xBB"},          /* « » */
                                       {"\xC2\xBB", "\xC2\xAB"},          /* » « */
                                       {"\xE3\x80\x8C", "\xE3\x80\x8D"}}; /* 「 」 */

enum { MARKS = sizeof marks / sizeof *marks };

size_t quotes_squeeze(const char *s, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)s[i];
        if (c == 0xE2 || c == 0xC2) /* typographic marks, in UTF-8 */
            i += c == 0xE2 ? 2 : 1;
        else if (isalnum(c) || c >= 0x80)
            out[n++] = (char)tolower(c);
    }
    return n;
}

/* The next ellipsis in the quotation: where it begins; its width. */
static size_t ellipsis(const char *s, size_t len, size_t from, size_t *width)
{
    static const char *const signs[] = {"[...]", "...", "[\xE2\x80\xA6]", "\xE2\x80\xA6"};
    for (size_t at = from; at < len; at++)
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
            *width = strlen(signs[i]);
            if (at + *width <= len && memcmp(s + at, signs[i], *width) == 0)
                return at;
        }
    *width = 0;
    return len;
}

bool quotes_has(const char *squeezed, size_t squeezed_len, const char *quote, size_t len)
{
    char *part = mem_alloc(len + 1);
    bool all = true;
    size_t width;
    for (size_t from = 0; from < len && all;) {
        const size_t end = ellipsis(quote, len, from, &width);
        const size_t n = quotes_squeeze(quote + from, end - from, part);
        all = n == 0 || memmem(squeezed, squeezed_len, part, n) != NULL;
        from = end + width;
    }
    free(part);
    return all;
}

static bool is_mark(const char *s, size_t left, const char *mark)
{
    const size_t n = strlen(mark);
    return left >= n && memcmp(s, mark, n) == 0;
}

/* Where the quotation that begins at `from` ends; 0: nowhere near in its paragraph. No mark ends
 * before `*clear`, as was seen before. */
static size_t close_of(const char *text, size_t len, size_t from, const char *mark, size_t *clear)
{
    size_t i = from > *clear ? from : *clear;
    for (; i < len && i - from < QUOTE_MAX && text[i] != '\n'; i++) {
        if (is_mark(text + i, len - i, mark))
            return i;
        *clear = i + 1;
    }
    return 0;
}

static size_t open_at(const char *text, size_t len, size_t at, size_t *clear, size_t *end)
{
    for (size_t m = 0; m < MARKS; m++) {
        if (!is_mark(text + at, len - at, marks[m][0]))
            continue;
        *end = close_of(text, len, at + strlen(marks[m][0]), marks[m][1], &clear[m]);
        if (*end)
            return m + 1;
    }
    return 0;
}

static bool is_json(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len && isspace((unsigned char)text[at]))
        at++;
    return at < len && (text[at] == '{' || text[at] == '[');
}

static void add(const char *text, size_t from, size_t to, struct spans *out)
{
    size_t letters = 0;
    for (size_t i = from; i < to; i++)
        letters += isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0xC3;
    const bool words = memchr(text + from, ' ', to - from) || (unsigned char)text[from] >= 0xE3;
    if (letters >= QUOTE_LEAST && words && out->count < QUOTES_MAX)
        spans_add(out, 0, from, to);
}

void quotes_read(const char *text, size_t len, struct spans *out)
{
    if (is_json(text, len))
        return;
    size_t clear[MARKS] = {0};
    for (size_t i = 0; i < len;) {
        size_t end, step = 1;
        const size_t m = (unsigned char)text[i] >= 0x80 || text[i] == '"'
                             ? open_at(text, len, i, clear, &end)
                             : 0;
        if (m) {
            add(text, i + strlen(marks[m - 1][0]), end, out);
            step = end + strlen(marks[m - 1][1]) - i;
        }
        i += step;
    }
}
