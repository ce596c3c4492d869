#include "common/segment.h"

#include <string.h>

#include "common/compress.h"
#include "common/json.h"

enum { EFFORT = 8, JSON_LEAST = 2 };

void segments_begin(struct segments *s, const char *text, size_t len)
{
    *s = (struct segments){.text = text, .len = len, .effort = len * EFFORT};
}

void segments_begin_html(struct segments *s, const char *text, size_t len)
{
    segments_begin(s, text, len);
    s->html = true;
    s->document = html_is_document(text, len);
}

static bool at_line_start(const struct segments *s, size_t i)
{
    return i == 0 || s->text[i - 1] == '\n';
}

static size_t line_end(const struct segments *s, size_t i)
{
    const char *end = memchr(s->text + i, '\n', s->len - i);
    return end ? (size_t)(end - s->text) + 1 : s->len;
}

static bool begins(const struct segments *s, size_t i, const char *what)
{
    const size_t n = strlen(what);
    return s->len - i >= n && memcmp(s->text + i, what, n) == 0;
}

/* A fence closes at the next line that begins alike, or at the end of the text. */
static size_t fenced(const struct segments *s, size_t i)
{
    const char *mark = begins(s, i, "```") ? "```" : begins(s, i, "~~~") ? "~~~" : NULL;
    size_t end;
    if (!mark || !at_line_start(s, i))
        return 0;
    for (end = line_end(s, i); end < s->len && !begins(s, end, mark);)
        end = line_end(s, end);
    return (end < s->len ? line_end(s, end) : s->len) - i;
}

static size_t whole_line(const struct segments *s, size_t i)
{
    const bool kept = begins(s, i, "    ") || s->text[i] == '\t' || s->text[i] == '>';
    return kept && at_line_start(s, i) ? line_end(s, i) - i : 0;
}

/* To the closing mark, before the paragraph ends. */
static size_t enclosed(struct segments *s, size_t i, const char *open, const char *close)
{
    const size_t n = strlen(open), m = strlen(close);
    if (!begins(s, i, open))
        return 0;
    for (size_t j = i + n; j < s->len && s->effort > 0; j++, s->effort--) {
        if (begins(s, j, close))
            return j + m - i;
        if (begins(s, j, "\n\n"))
            return 0;
    }
    return 0;
}

/* An apostrophe is no quotation mark: a word stands before it. */
static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           ((unsigned char)c & 0x80);
}

static size_t quoted(struct segments *s, size_t i)
{
    static const char *const marks[][2] = {{"`", "`"},
                                           {"\"", "\""},
                                           {"\xE2\x80\x9C", "\xE2\x80\x9D"},
                                           {"\xE2\x80\x9E", "\xE2\x80\x9C"},
                                           {"\xC2\xAB", "\xC2\xBB"}};
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        size_t n = enclosed(s, i, marks[k][0], marks[k][1]);
        if (n)
            return n;
    }
    return i > 0 && is_word(s->text[i - 1]) ? 0 : enclosed(s, i, "'", "'");
}

/* The end of the brackets that open here, outside of strings; 0: they do not close. */
static size_t bracketed(struct segments *s, size_t i)
{
    size_t depth = 0;
    bool string = false;
    for (size_t j = i; j < s->len && s->effort > 0; j++, s->effort--) {
        const char c = s->text[j];
        if (string && c == '\\')
            j++;
        else if (c == '"')
            string = !string;
        else if (!string && (c == '{' || c == '['))
            depth++;
        else if (!string && (c == '}' || c == ']') && --depth == 0)
            return j + 1 - i;
    }
    return 0;
}

static size_t json_here(struct segments *s, size_t i)
{
    struct error ignored;
    if (s->text[i] != '{' && s->text[i] != '[')
        return 0;
    const size_t n = bracketed(s, i);
    s->effort -= n < s->effort ? n : s->effort;
    return n >= JSON_LEAST && json_check(s->text + i, n, &ignored) ? n : 0;
}

static size_t kept_here(struct segments *s, size_t i)
{
    size_t n = 0;
    if (s->effort == 0)
        return s->len - i; /* nobody can tell what is what any more: it stays as it is */
    if (at_line_start(s, i) && (n = fenced(s, i)) == 0 && !s->document)
        n = whole_line(s, i);
    if (n == 0)
        n = json_here(s, i);
    return n ? n : quoted(s, i);
}

/* Where something may begin that is kept; all other bytes are skipped fast. */
static bool may_begin(const struct segments *s, size_t i)
{
    return at_line_start(s, i) || strchr("`\"'{[\xE2\xC2", s->text[i]) != NULL;
}

bool segments_next(struct segments *s, struct segment *out)
{
    const size_t from = s->pos;
    size_t n = 0;
    if (from >= s->len)
        return false;
    while (s->pos < s->len) {
        const size_t tag =
            s->html && s->text[s->pos] == '<' ? html_element(s->text + s->pos, s->len - s->pos) : 0;
        if (!tag && may_begin(s, s->pos) && (n = kept_here(s, s->pos)) != 0)
            break;
        s->pos += tag ? tag : 1;
    }
    if (s->pos == from) {
        s->pos += n;
        *out = (struct segment){s->text + from, n, true};
    } else {
        *out = (struct segment){s->text + from, s->pos - from, false};
    }
    return true;
}
