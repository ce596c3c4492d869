/* The check is one pass over the text with an explicit stack of brackets: depth costs a bit each,
 * and no input can make it recurse. */
#include "common/json.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"

struct scan {
    const char *at, *end;
    const char *why; /* set at the first mistake */
};

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && space(*s->at))
        s->at++;
}

static bool fail(struct scan *s, const char *why)
{
    s->why = why;
    return false;
}

int json_code_unit(const char *p, const char *end)
{
    int v = 0;
    if (end - p < JSON_UNIT_LEN || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < JSON_UNIT_LEN; i++) {
        char c = p[i];
        int d = digit(c)               ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* At the backslash; steps over the escape. */
static bool scan_escape(struct scan *s)
{
    if (s->end - s->at < 2)
        return fail(s, "the text ends inside a string");
    char c = s->at[1];
    if (c != 'u') {
        s->at += 2;
        return strchr("\"\\/bfnrt", c) && c ? true : fail(s, "an unknown escape in a string");
    }
    int v = json_code_unit(s->at, s->end);
    if (v < 0)
        return fail(s, "\\u needs four hex digits");
    if (v == 0)
        return fail(s, "\\u0000 cannot be stored as text");
    s->at += JSON_UNIT_LEN;
    if (v >= 0xDC00 && v <= 0xDFFF)
        return fail(s, "a lone surrogate in a string");
    if (v >= 0xD800 && v <= 0xDBFF) {
        int low = json_code_unit(s->at, s->end);
        if (low < 0xDC00 || low > 0xDFFF)
            return fail(s, "a lone surrogate in a string");
        s->at += JSON_UNIT_LEN;
    }
    return true;
}

/* Bytes that need a look inside a string: quotes, backslash, control characters. */
static bool plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

enum { BLOCK = 16 };

/* The place of the first byte of a word in memory that is not 0. */
static size_t first_byte(uint64_t word)
{
    return (size_t)__builtin_ctzll(le64toh(word)) / CHAR_BIT;
}

/* How many plain bytes a block begins with; BLOCK: all of them are. */
static size_t plain_in_block(const char *p)
{
    typedef unsigned char block __attribute__((vector_size(BLOCK)));
    typedef uint64_t halves __attribute__((vector_size(BLOCK)));
    block b;
    memcpy(&b, p, sizeof b);
    const halves odd = (halves)((b < 0x20) | (b == '"') | (b == '\\')); /* 0xFF for each byte */
    return odd[0] ? first_byte(odd[0]) : odd[1] ? BLOCK / 2 + first_byte(odd[1]) : BLOCK;
}

/* Steps over plain bytes: most of a text, so a block at a time. */
static const char *skip_plain(const char *p, const char *end)
{
    while (end - p >= BLOCK) {
        const size_t n = plain_in_block(p);
        p += n;
        if (n < BLOCK)
            return p;
    }
    while (p < end && plain((unsigned char)*p))
        p++;
    return p;
}

static bool scan_string(struct scan *s)
{
    s->at++;
    for (;;) {
        s->at = skip_plain(s->at, s->end);
        if (s->at == s->end)
            return fail(s, "the text ends inside a string");
        if (*s->at == '"') {
            s->at++;
            return true;
        }
        if (*s->at != '\\')
            return fail(s, "a control character in a string");
        if (!scan_escape(s))
            return false;
    }
}

static void scan_digits(struct scan *s)
{
    while (s->at < s->end && digit(*s->at))
        s->at++;
}

static bool scan_number(struct scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at == s->end || !digit(*s->at))
        return fail(s, "a number needs a digit");
    if (*s->at == '0')
        s->at++;
    else
        scan_digits(s);
    if (s->at < s->end && *s->at == '.') {
        const char *dot = s->at++;
        scan_digits(s);
        if (s->at == dot + 1)
            return fail(s, "a number needs a digit after the point");
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        const char *first = s->at;
        scan_digits(s);
        if (s->at == first)
            return fail(s, "a number needs a digit in its exponent");
    }
    return true;
}

static bool scan_scalar(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};
    if (*s->at == '"')
        return scan_string(s);
    if (*s->at == '-' || digit(*s->at))
        return scan_number(s);
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(s->end - s->at) >= n && memcmp(s->at, words[i], n) == 0) {
            s->at += n;
            return true;
        }
    }
    return fail(s, "no JSON value begins here");
}

/* In an object, the key and colon before a value. */
static bool scan_key(struct scan *s)
{
    skip_space(s);
    if (s->at == s->end || *s->at != '"')
        return fail(s, "a key in quotes was expected");
    if (!scan_string(s))
        return false;
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return fail(s, "a colon was expected");
    s->at++;
    return true;
}

/* After a value: closes brackets until one goes on with a comma. Leaves *depth 0 at the end. */
static bool scan_after(struct scan *s, const char *stack, int *depth)
{
    while (*depth > 0) {
        skip_space(s);
        if (s->at == s->end)
            return fail(s, "the text ends before its brackets are closed");
        char open = stack[*depth - 1], c = *s->at++;
        if (c == ',')
            return open == '{' ? scan_key(s) : true;
        if (c != (open == '{' ? '}' : ']')) {
            s->at--;
            return fail(s, "a comma or a closing bracket was expected");
        }
        --*depth;
    }
    return true;
}

/* At an opening bracket: true with *empty if it closes at once. */
static bool scan_open(struct scan *s, char *stack, int *depth, bool *empty)
{
    if (*depth == JSON_DEPTH_MAX)
        return fail(s, "nested too deep (64 levels at most)");
    char open = *s->at++;
    skip_space(s);
    *empty = s->at < s->end && *s->at == (open == '{' ? '}' : ']');
    if (*empty) {
        s->at++;
        return true;
    }
    stack[(*depth)++] = open;
    return open == '{' ? scan_key(s) : true;
}

/* One value with everything in it. */
static bool scan_value(struct scan *s)
{
    char stack[JSON_DEPTH_MAX];
    int depth = 0;
    do {
        skip_space(s);
        if (s->at == s->end)
            return fail(s, "the text ends where a value was expected");
        bool whole = true;
        if (*s->at == '{' || *s->at == '[') {
            if (!scan_open(s, stack, &depth, &whole))
                return false;
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (whole && !scan_after(s, stack, &depth))
            return false;
    } while (depth > 0);
    return true;
}

bool json_check(const char *text, size_t len, struct error *err)
{
    size_t bad;
    if (!utf8_valid(text, len, &bad)) {
        (void)error_set(err, ERROR_PERMANENT, "invalid_json", "invalid UTF-8 at byte %zu", bad + 1);
        return false;
    }
    struct scan s = {.at = text, .end = text + len};
    if (scan_value(&s)) {
        skip_space(&s);
        if (s.at == s.end)
            return true;
        (void)fail(&s, "more text after the value");
    }
    (void)error_set(err, ERROR_PERMANENT, "invalid_json", "not valid JSON at byte %zu: %s",
                    (size_t)(s.at - text) + 1, s.why);
    return false;
}

/* The walkers below trust the check: they only match brackets and quotes. */

/* Names and short texts end in their first block. Long ones are most of a body: looks for the
 * quote, then whether it is an escaped one. */
static const char *after_string(const char *p, const char *end)
{
    if (end - ++p >= BLOCK) {
        const size_t n = plain_in_block(p);
        if (n < BLOCK && p[n] == '"')
            return p + n + 1;
    }
    for (;; p++) {
        const char *quote = rawmemchr(p, '"'), *before = quote;
        while (before > p && before[-1] == '\\')
            before--;
        p = quote;
        if ((quote - before) % 2 == 0)
            return quote + 1;
    }
}

static const char *after_value(const char *p, const char *end)
{
    if (*p == '"')
        return after_string(p, end);
    if (*p != '{' && *p != '[') {
        while (p < end && !space(*p) && *p != ',' && *p != '}' && *p != ']')
            p++;
        return p;
    }
    int depth = 0;
    do {
        if (*p == '"') {
            p = after_string(p, end);
            continue;
        }
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    } while (depth > 0);
    return p;
}

struct json json_root(const char *text, size_t len)
{
    while (len && space(*text))
        text++, len--;
    while (len && space(text[len - 1]))
        len--;
    return (struct json){text, len};
}

bool json_is(struct json v, char kind)
{
    if (!v.p || v.len == 0)
        return false;
    char c = v.p[0];
    if (kind == '0')
        return c == '-' || digit(c);
    return kind == 't' ? c == 't' || c == 'f' : c == kind;
}

static size_t skip(struct json v, size_t i)
{
    while (i < v.len && (space(v.p[i]) || v.p[i] == ',' || v.p[i] == ':'))
        i++;
    return i;
}

bool json_next_item(struct json array, size_t *pos, struct json *out)
{
    size_t i = skip(array, *pos ? *pos : 1);
    if (i + 1 >= array.len) /* the closing bracket */
        return false;
    const char *end = after_value(array.p + i, array.p + array.len);
    *out = (struct json){array.p + i, (size_t)(end - array.p) - i};
    *pos = (size_t)(end - array.p);
    return true;
}

bool json_next_member(struct json object, size_t *pos, struct json_member *out)
{
    return json_next_item(object, pos, &out->key) && json_next_item(object, pos, &out->value);
}

/* Each name stands in the key as it is, or in escapes. */
static size_t find_key(struct json key, const char *const names[], const size_t lengths[],
                       size_t count)
{
    size_t i = 0;
    while (i < count && (key.len != lengths[i] + 2 || memcmp(key.p + 1, names[i], lengths[i]) != 0))
        i++;
    if (i == count && memchr(key.p, '\\', key.len))
        for (i = 0; i < count && !json_equals(key, names[i]);)
            i++;
    return i;
}

struct json json_get(struct json object, const char *key)
{
    struct json_member m;
    size_t pos = 0, len = strlen(key);
    if (json_is(object, '{'))
        while (json_next_member(object, &pos, &m))
            if (find_key(m.key, &key, &len, 1) == 0)
                return m.value;
    return (struct json){0};
}

void json_get_all(struct json object, const char *const keys[], struct json out[], size_t count)
{
    struct json_member m;
    size_t pos = 0, lengths[JSON_KEYS_MAX];
    memset(out, 0, count * sizeof *out);
    if (!json_is(object, '{'))
        return;
    for (size_t i = 0; i < count; i++)
        lengths[i] = strlen(keys[i]);
    while (json_next_member(object, &pos, &m)) {
        size_t i = find_key(m.key, keys, lengths, count);
        if (i < count && !out[i].p)
            out[i] = m.value;
    }
}

static void add_code_point(struct buf *out, unsigned v)
{
    char u[4];
    size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; v >>= 6)
        u[i] = (char)(0x80 | (v & 0x3F));
    u[0] = (char)(lead[n] | v);
    buf_add(out, u, n);
}

/* Decodes the escape at p (the backslash); returns what follows it. */
static const char *unescape(const char *p, const char *end, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p[1] != 'u') {
        buf_char(out, to[strchr(from, p[1]) - from]);
        return p + 2;
    }
    unsigned v = (unsigned)json_code_unit(p, end);
    p += JSON_UNIT_LEN;
    if (v >= 0xD800 && v <= 0xDBFF) {
        v = 0x10000 + ((v - 0xD800) << 10) + ((unsigned)json_code_unit(p, end) - 0xDC00);
        p += JSON_UNIT_LEN;
    }
    add_code_point(out, v);
    return p;
}

bool json_string(struct json v, struct buf *out)
{
    if (!json_is(v, '"'))
        return false;
    const char *p = v.p + 1, *end = v.p + v.len - 1;
    while (p < end) {
        const char *next = memchr(p, '\\', (size_t)(end - p));
        buf_add(out, p, (size_t)((next ? next : end) - p));
        p = next ? unescape(next, end, out) : end;
    }
    return true;
}

char *json_string_dup(struct json v)
{
    struct buf b;
    buf_init(&b, v.len);
    if (!json_string(v, &b))
        return NULL;
    return b.data ? b.data : mem_copy("", 0);
}

bool json_equals(struct json v, const char *s)
{
    if (!json_is(v, '"'))
        return false;
    if (!memchr(v.p, '\\', v.len))
        return v.len == strlen(s) + 2 && memcmp(v.p + 1, s, v.len - 2) == 0;
    char *text = json_string_dup(v);
    bool same = strcmp(text, s) == 0;
    free(text);
    return same;
}

bool json_int64(struct json v, int64_t *out)
{
    int64_t n = 0;
    if (!json_is(v, '0'))
        return false;
    bool negative = v.p[0] == '-';
    for (size_t i = negative; i < v.len; i++)
        if (!digit(v.p[i]) || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_sub_overflow(n, v.p[i] - '0', &n)) /* downwards: INT64_MIN fits */
            return false;
    if (!negative && n == INT64_MIN)
        return false;
    *out = negative ? n : -n;
    return true;
}

void json_minify(struct json v, struct buf *out)
{
    const char *p = v.p, *end = v.p + v.len;
    while (p < end) {
        const char *from = p;
        while (p < end && !space(*p))
            p = *p == '"' ? after_string(p, end) : p + 1;
        buf_add(out, from, (size_t)(p - from));
        while (p < end && space(*p))
            p++;
    }
}
