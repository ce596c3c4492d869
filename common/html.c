#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/compress.h"
#include "common/utf8.h"

/* What an element's tags become. `drop`: what is inside goes too. */
static const struct element {
    const char *name, *open, *close;
    bool drop, pre;
} elements[] = {{"script", "", "", true, false},
                {"style", "", "", true, false},
                {"head", "", "", true, false},
                {"noscript", "", "", true, false},
                {"template", "", "", true, false},
                {"svg", "", "", true, false},
                {"pre", "\n```\n", "\n```\n", false, true},
                {"li", "\n- ", "", false, false},
                {"br", "\n", "", false, false},
                {"hr", "\n---\n", "", false, false},
                {"td", " ", " ", false, false},
                {"th", " ", " ", false, false},
                {"tr", "\n", "", false, false},
                {"p", "\n\n", "\n\n", false, false},
                {"div", "\n", "\n", false, false},
                {"section", "\n\n", "\n\n", false, false},
                {"article", "\n\n", "\n\n", false, false},
                {"ul", "\n", "\n", false, false},
                {"ol", "\n", "\n", false, false},
                {"table", "\n\n", "\n\n", false, false},
                {"blockquote", "\n\n", "\n\n", false, false},
                {"h1", "\n\n", "\n\n", false, false},
                {"h2", "\n\n", "\n\n", false, false},
                {"h3", "\n\n", "\n\n", false, false},
                {"h4", "\n\n", "\n\n", false, false},
                {"h5", "\n\n", "\n\n", false, false},
                {"h6", "\n\n", "\n\n", false, false}};

static const struct {
    const char *name, *text;
} entities[] = {{"amp;", "&"},
                {"lt;", "<"},
                {"gt;", ">"},
                {"quot;", "\""},
                {"apos;", "'"},
                {"nbsp;", " "},
                {"ndash;", "\xE2\x80\x93"},
                {"mdash;", "\xE2\x80\x94"},
                {"hellip;", "\xE2\x80\xA6"},
                {"copy;", "\xC2\xA9"},
                {"euro;", "\xE2\x82\xAC"}};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t name_length(const char *p, size_t left)
{
    size_t n = 0;
    while (n < left && (is_letter(p[n]) || (n && p[n] >= '0' && p[n] <= '9')))
        n++;
    return n;
}

static const struct element *find_element(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (strlen(elements[i].name) == len && strncasecmp(elements[i].name, name, len) == 0)
            return &elements[i];
    return NULL;
}

bool html_is(const char *text, size_t len)
{
    for (size_t i = 0; i + 3 < len; i++)
        if (text[i] == '<' && text[i + 1] == '/' && is_letter(text[i + 2]))
            return true;
    return false;
}

/* The tag's end, from '<' on; '>' in a quoted attribute is none. 0: it does not end. */
static size_t tag_length(const char *p, size_t left)
{
    char quote = 0;
    for (size_t i = 1; i < left; i++) {
        if (quote)
            quote = p[i] == quote ? 0 : quote;
        else if (p[i] == '"' || p[i] == '\'')
            quote = p[i];
        else if (p[i] == '>')
            return i + 1;
    }
    return 0;
}

static size_t comment_length(const char *p, size_t left)
{
    const char *end = memmem(p, left, "-->", 3);
    return end ? (size_t)(end - p) + 3 : left;
}

/* From a dropped element's tag to behind its closing one, or to the end. */
static size_t dropped_length(const char *p, size_t left, const struct element *e)
{
    const size_t n = strlen(e->name);
    for (size_t i = 0; i + n + 2 <= left; i++)
        if (p[i] == '<' && p[i + 1] == '/' && strncasecmp(p + i + 2, e->name, n) == 0) {
            size_t tag = tag_length(p + i, left - i);
            return tag ? i + tag : left;
        }
    return left;
}

static size_t take_tag(const char *p, size_t left, struct buf *out, bool *pre, bool *endless)
{
    if (left > 4 && memcmp(p, "<!--", 4) == 0)
        return comment_length(p, left);
    const bool closing = left > 1 && p[1] == '/';
    const size_t at = closing ? 2 : 1;
    const size_t n = at < left ? name_length(p + at, left - at) : 0;
    if (n == 0 && !(left > 1 && (p[1] == '!' || p[1] == '?')))
        return 0; /* "a < b" */
    size_t len = *endless ? 0 : tag_length(p, left);
    *endless = len == 0; /* looked for once: no later one ends either */
    const struct element *e = find_element(p + at, n);
    if (len == 0 || !e)
        return len;
    buf_str(out, closing ? e->close : e->open);
    if (e->pre)
        *pre = !closing;
    return e->drop && !closing ? dropped_length(p, left, e) : len;
}

static size_t take_number(const char *p, size_t left, struct buf *out)
{
    char *end, text[12] = "";
    const bool hex = left > 2 && (p[2] == 'x' || p[2] == 'X');
    const size_t at = hex ? 3 : 2, n = left - at < sizeof text - 1 ? left - at : sizeof text - 1;
    memcpy(text, p + at, n);
    const unsigned long code = strtoul(text, &end, hex ? 16 : 10);
    const bool good = end > text && *end == ';' && code >= 0x20 && code <= 0x10FFFF &&
                      !(code >= 0xD800 && code <= 0xDFFF);
    if (!good)
        return 0;
    utf8_append(out, (uint32_t)code);
    return at + (size_t)(end - text) + 1;
}

static size_t take_entity(const char *p, size_t left, struct buf *out)
{
    if (left > 3 && p[1] == '#')
        return take_number(p, left, out);
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        const size_t n = strlen(entities[i].name);
        if (left > n && memcmp(p + 1, entities[i].name, n) == 0) {
            buf_str(out, entities[i].text);
            return n + 1;
        }
    }
    return 0;
}

void html_to_text(const char *html, size_t len, struct buf *out)
{
    bool pre = false, endless = false;
    for (size_t i = 0; i < len;) {
        size_t n = html[i] == '<'   ? take_tag(html + i, len - i, out, &pre, &endless)
                   : html[i] == '&' ? take_entity(html + i, len - i, out)
                                    : 0;
        if (n == 0) {
            const bool space = !pre && (html[i] == '\n' || html[i] == '\t' || html[i] == '\r');
            buf_char(out, space ? ' ' : html[i]);
            n = 1;
        }
        i += n;
    }
}
