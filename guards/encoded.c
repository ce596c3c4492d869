#include "guards/encoded.h"

#include <string.h>

#include "common/utf8.h"
#include "guards/bytes.h"

enum {
    RUN_LEAST = 12,    /* bytes of a run without spaces */
    PERCENT_LEAST = 4, /* escapes in one */
    UNITS_LEAST = 8,   /* characters as numbers, in a row */
    UNITS_BYTES = 23   /* and so many bytes: "49 67 …" */
};

enum unit {
    UNIT_X,
    UNIT_U,
    UNIT_HEX_ENTITY,
    UNIT_ENTITY,
    UNIT_BITS,
    UNIT_HEX,
    UNIT_DECIMAL,
    UNIT_PLUS,
    UNITS
};

static int value64(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* RFC 4648: A to Z, 2 to 7. */
static int value32(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static int value16(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of two hexadecimal digits. */
static char byte16(const char *s)
{
    return (char)(((unsigned)value16((unsigned char)s[0]) & 15) << 4 |
                  ((unsigned)value16((unsigned char)s[1]) & 15));
}

/* Words, with spaces between them? */
static bool is_text(const struct buf *b)
{
    size_t letters = 0, spaces = 0;
    if (b->len < 8 || !utf8_valid(b->data, b->len, NULL))
        return false;
    for (size_t i = 0; i < b->len; i++) {
        const unsigned char c = (unsigned char)b->data[i];
        if (c < 32 && c != '\n' && c != '\t' && c != '\r')
            return false;
        letters += c >= 0x80 || ((c | 32) >= 'a' && (c | 32) <= 'z');
        spaces += c == ' ' || c == '\n' || c >= 0xE0;
    }
    return letters * 10 >= b->len * 6 && spaces > 0;
}

/* Characters of so many bits each, up to the first that is none. */
static void decode_bits(const char *s, size_t len, int (*value)(unsigned char c), unsigned width,
                        struct buf *out)
{
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < len && value((unsigned char)s[i]) >= 0; i++) {
        bits = bits << width | (unsigned)value((unsigned char)s[i]);
        count += width;
        if (count >= 8) {
            count -= 8;
            buf_char(out, (char)(bits >> count & 0xFF));
        }
    }
}

static void decode64(const char *s, size_t len, struct buf *out)
{
    decode_bits(s, len, value64, 6, out);
}

static void decode16(const char *s, size_t len, struct buf *out)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        buf_char(out, byte16(s + i));
}

static size_t decode_percent(const char *s, size_t len, struct buf *out)
{
    size_t escapes = 0;
    for (size_t i = 0; i < len; i++) {
        const bool escape = s[i] == '%' && i + 2 < len && value16((unsigned char)s[i + 1]) >= 0 &&
                            value16((unsigned char)s[i + 2]) >= 0;
        buf_char(out, escape ? byte16(s + i + 1) : s[i] == '+' ? ' ' : s[i]);
        i += escape ? 2 : 0;
        escapes += escape || s[i] == '+';
    }
    return escapes;
}

/* ---- characters as numbers: \\x41, \\u0041, &#65;, &#x41;, 41 (hexadecimal), 01000001, 65 ---- */

static bool is_edge(char c)
{
    return c == ' ' || c == ',' || c == '-' || c == ':';
}

/* A number of exactly or at most so many digits; its length, 0: none. */
static size_t number(const char *s, size_t len, int base, size_t least, size_t most, uint32_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < len && n < most) {
        const int v = value16((unsigned char)s[n]);
        if (v < 0 || v >= base)
            break;
        *out = *out * (uint32_t)base + (uint32_t)v;
        n++;
    }
    const bool longer = n < len && value16((unsigned char)s[n]) >= 0;
    return n >= least && !(longer && base != 10 && least == most) ? n : 0;
}

/* One character by number, with what goes before and behind it; 0: there is none. */
static size_t one_unit(const char *s, size_t len, enum unit kind, uint32_t *code)
{
    static const struct {
        const char *before;
        int base;
        size_t least, most;
        char after; /* ' ': an edge or the end */
    } kinds[UNITS] = {{"\\x", 16, 2, 2, 0},  {"\\u", 16, 4, 4, 0}, {"&#x", 16, 1, 6, ';'},
                      {"&#", 10, 1, 7, ';'}, {"", 2, 8, 8, ' '},   {"", 16, 2, 2, ' '},
                      {"", 10, 2, 3, ' '},   {"U+", 16, 4, 5, ' '}};
    const size_t k = strlen(kinds[kind].before);
    if (len < k || memcmp(s, kinds[kind].before, k) != 0)
        return 0;
    const size_t n =
        number(s + k, len - k, kinds[kind].base, kinds[kind].least, kinds[kind].most, code);
    size_t at = k + n;
    if (n == 0)
        return 0;
    if (kinds[kind].after == ';')
        return at < len && s[at] == ';' ? at + 1 : 0;
    if (kinds[kind].after == ' ') {
        if (at < len && !is_edge(s[at]))
            return at == len || !(value16((unsigned char)s[at]) >= 0 || s[at] == '.') ? at : 0;
        while (at < len && is_edge(s[at]))
            at++;
    }
    return at;
}

/* A run of them that begins here; its length, 0: none. *good: it is a text. */
static size_t unit_run(const char *s, size_t len, struct buf *out, bool *good)
{
    size_t longest = 0;
    for (int kind = 0; kind < UNITS; kind++) {
        size_t at = 0, n, count = 0;
        uint32_t code;
        buf_clear(out);
        while (at < len && at < ENCODED_MAX &&
               (n = one_unit(s + at, len - at, (enum unit)kind, &code)) != 0 && code >= 9 &&
               code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF)) {
            utf8_append(out, code);
            at += n;
            count++;
        }
        if (count < UNITS_LEAST)
            continue;
        *good = is_text(out);
        if (*good)
            return at;
        longest = at > longest ? at : longest;
    }
    return longest; /* what is none is not read again from its second unit on */
}

/* ---- runs without spaces ---- */

static const byte_set in_run = {
    BYTES_LETTERS, BYTES_DIGITS, ['+'] = true, ['-'] = true, ['/'] = true,
    ['_'] = true,  ['='] = true, ['%'] = true, ['.'] = true, ['~'] = true};

/* All of one alphabet? */
static bool is_all(const char *s, size_t len, int (*value)(unsigned char c))
{
    for (size_t i = 0; i < len; i++)
        if (value((unsigned char)s[i]) < 0)
            return false;
    return len > 0;
}

/* "token=…", "0x…", "….": what is around it goes. */
static void trim(const char **s, size_t *len)
{
    while (*len && strchr(".=~", (*s)[*len - 1]))
        --*len;
    const char *name = memrchr(*s, '=', *len);
    const size_t before = name ? (size_t)(name + 1 - *s) : 0;
    *s += before;
    *len -= before;
    if (*len > 2 && (*s)[0] == '0' && (*s)[1] == 'x') {
        *s += 2;
        *len -= 2;
    }
}

/* Base64, or base64 of base64. */
static bool decode64_twice(const char *s, size_t len, struct buf *out)
{
    decode64(s, len, out);
    size_t n = out->len;
    while (n && out->data[n - 1] == '=')
        n--;
    if (is_text(out) || n < ENCODED_LEAST || !is_all(out->data, n, value64))
        return is_text(out);
    struct buf inner;
    buf_init(&inner, ENCODED_MAX);
    decode64(out->data, n, &inner);
    buf_clear(out);
    if (inner.len)
        buf_add(out, inner.data, inner.len);
    buf_free(&inner);
    return is_text(out);
}

static bool decode(const char *s, size_t len, struct buf *out)
{
    buf_clear(out);
    if (memchr(s, '%', len))
        return decode_percent(s, len, out) >= PERCENT_LEAST && is_text(out);
    trim(&s, &len);
    if (len < ENCODED_LEAST)
        return false;
    if (len % 2 == 0 && is_all(s, len, value16)) {
        decode16(s, len, out);
        if (is_text(out))
            return true;
        buf_clear(out);
    }
    if (is_all(s, len, value32)) {
        decode_bits(s, len, value32, 5, out);
        if (is_text(out))
            return true;
        buf_clear(out);
    }
    return decode64_twice(s, len, out);
}

/* May characters as numbers begin here? Two digits and an edge, or two and more; or a mark. */
static bool may_begin(const char *s, size_t i, size_t len)
{
    static const byte_set first = {BYTES_HEX, ['\\'] = true, ['&'] = true, ['U'] = true};
    const char c = s[i];
    if (!bytes_has(first, c) || i + 2 >= len)
        return false;
    if (c == '\\')
        return s[i + 1] == 'x' || s[i + 1] == 'u';
    if (c == '&')
        return s[i + 1] == '#';
    if (i > 0 && bytes_has(in_run, s[i - 1]))
        return false; /* within a run */
    if (c == 'U')
        return s[i + 1] == '+';
    return value16((unsigned char)c) >= 0 && value16((unsigned char)s[i + 1]) >= 0 &&
           (is_edge(s[i + 2]) || (c <= '9' && s[i + 1] <= '9'));
}

/* Few bytes of a text are near a run that is long enough. The first that may begin one, at or
 * behind `at`, and where to look for the next (*until); `len`: there is none. Each second byte is
 * looked at, without a branch that depends on it: a bit for each tells what the last ones were. */
static size_t next_candidate(const char *text, size_t len, size_t at, size_t *until)
{
    static const byte_set in_units = {
        BYTES_HEX,    ['\\'] = true, ['x'] = true, ['u'] = true, ['U'] = true,
        ['+'] = true, ['&'] = true,  ['#'] = true, [';'] = true, [' '] = true,
        [','] = true, ['-'] = true,  [':'] = true};
    const uint32_t enough_run = (1U << RUN_LEAST / 2) - 1,
                   enough_units = (1U << UNITS_BYTES / 2) - 1;
    uint32_t runs = 0, units = 0;
    for (size_t i = at; i < len; i += 2) {
        runs = runs << 1 | bytes_has(in_run, text[i]);
        units = units << 1 | bytes_has(in_units, text[i]);
        if ((runs & enough_run) != enough_run && (units & enough_units) != enough_units)
            continue;
        const size_t r = (size_t)__builtin_ctz(~runs), u = (size_t)__builtin_ctz(~units),
                     back = 2 * (r > u ? r : u) - 1; /* they are looks in a row */
        *until = i + 1;
        return i - at > back ? i - back : at;
    }
    return len;
}

bool encoded_next(const char *text, size_t len, size_t *at, size_t *from, size_t *to,
                  struct buf *out)
{
    size_t n, until = *at;
    for (size_t i = *at; i < len;) {
        if (i >= until) {
            i = next_candidate(text, len, i, &until);
            continue;
        }
        const size_t begin = i;
        bool whole = false;
        if (may_begin(text, i, len) && (n = unit_run(text + i, len - i, out, &whole)) != 0) {
            i += n;
            if (!whole)
                continue;
        } else {
            while (i < len && bytes_has(in_run, text[i]))
                i++;
            n = i - begin;
            if (n < RUN_LEAST || !decode(text + begin, n < ENCODED_MAX ? n : ENCODED_MAX, out)) {
                i += n == 0;
                continue;
            }
        }
        *at = i;
        *from = begin;
        *to = i;
        return true;
    }
    *at = len;
    return false;
}
