#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/compress.h"
#include "common/segment.h"
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

/* Elements that only say how text looks or what it is. */
static const char inline_names[] =
    " a abbr address area aside audio b base bdi bdo body button canvas caption center cite code "
    "col "
    "colgroup data datalist dd del details dfn dialog dl dt em embed fieldset figcaption figure "
    "font "
    "footer form header html i iframe img input ins kbd label legend link main map mark menu meta "
    "nav object optgroup option output param picture progress q s samp select small source span "
    "strike strong sub summary sup tbody textarea tfoot thead time title track tt u var video wbr ";

static bool is_element(const char *name, size_t len)
{
    enum { NAME_MOST = 12 };
    char word[NAME_MOST + 3] = " ";
    if (find_element(name, len))
        return true;
    if (len == 0 || len > NAME_MOST)
        return false;
    for (size_t i = 0; i < len; i++)
        word[i + 1] = (char)(name[i] | 32);
    word[len + 1] = ' ';
    return strstr(inline_names, word) != NULL;
}

/* Behind an attribute at `i`, with its value; 0: there is none. */
static size_t attribute_end(const char *p, size_t left, size_t i)
{
    const size_t from = i;
    while (i < left && !strchr(" \t\r\n\f\"'<>/=`&|", p[i]))
        i++;
    if (i == from || i == left || p[i] != '=')
        return i == from ? 0 : i;
    i++;
    if (i < left && (p[i] == '"' || p[i] == '\'')) {
        const char *end = memchr(p + i + 1, p[i], left - i - 1);
        return end ? (size_t)(end - p) + 1 : 0;
    }
    while (i < left && !strchr(" \t\r\n\"'<>`", p[i]))
        i++;
    return i;
}

/* The tag at '<', if its name is an element's and its attributes are well formed; else 0. */
static size_t tag_length(const char *p, size_t left)
{
    const size_t at = left > 1 && p[1] == '/' ? 2 : 1;
    size_t i = at + (at < left ? name_length(p + at, left - at) : 0);
    if (!is_element(p + at, i - at))
        return 0;
    while (i < left) {
        const size_t before = i;
        while (i < left && strchr(" \t\r\n\f/", p[i]))
            i++;
        if (i < left && p[i] == '>')
            return i + 1;
        if (i == before || (i = attribute_end(p, left, i)) == 0)
            return 0;
    }
    return 0;
}

/* "<!DOCTYPE html>", "<?xml … ?>" */
static size_t declaration_length(const char *p, size_t left)
{
    const char *end = left > 2 && (p[1] == '?' || strncasecmp(p + 1, "!doctype", 8) == 0)
                          ? memchr(p, '>', left < 512 ? left : 512)
                          : NULL;
    return end ? (size_t)(end - p) + 1 : 0;
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

size_t html_element(const char *p, size_t left)
{
    if (left > 4 && memcmp(p, "<!--", 4) == 0)
        return comment_length(p, left);
    const size_t declaration = declaration_length(p, left);
    const size_t len = declaration ? declaration : tag_length(p, left);
    const struct element *e =
        len && p[1] != '/' ? find_element(p + 1, name_length(p + 1, left - 1)) : NULL;
    return e && e->drop ? dropped_length(p, left, e) : len;
}

bool html_is_document(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", text[i]))
        i++;
    return i < len && text[i] == '<' && html_element(text + i, len - i) > 0;
}

static size_t take_tag(const char *p, size_t left, struct buf *out, bool *pre)
{
    const size_t len = html_element(p, left);
    const bool closing = left > 1 && p[1] == '/';
    const size_t at = closing ? 2 : 1;
    const struct element *e = len ? find_element(p + at, name_length(p + at, left - at)) : NULL;
    if (!e)
        return len;
    buf_str(out, closing ? e->close : e->open);
    if (e->pre)
        *pre = !closing;
    return len;
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

static void take_prose(const char *html, size_t len, struct buf *out, bool document, bool *pre)
{
    for (size_t i = 0; i < len;) {
        size_t n = html[i] == '<'   ? take_tag(html + i, len - i, out, pre)
                   : html[i] == '&' ? take_entity(html + i, len - i, out)
                                    : 0;
        if (n == 0) {
            const bool space = document && !*pre && strchr(" \t\r\n", html[i]) && html[i];
            const char last = out->len ? out->data[out->len - 1] : '\n';
            if (!space)
                buf_char(out, html[i]);
            else if (last != ' ' && last != '\n')
                buf_char(out, ' ');
            n = 1;
        }
        i += n;
    }
}

void html_to_text(const char *html, size_t len, struct buf *out)
{
    struct segments s;
    struct segment run;
    bool pre = false;
    segments_begin_html(&s, html, len);
    while (segments_next(&s, &run)) {
        if (run.kept)
            buf_add(out, run.p, run.len);
        else
            take_prose(run.p, run.len, out, s.document, &pre);
    }
}
