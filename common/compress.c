#include "common/compress.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"
#include "common/segment.h"
#include "common/texts.h"

enum {
    PARAGRAPH_LEAST = 80, /* bytes of one that is worth looking for again */
    SEEN_MAX = 1024,
    TEXTS_MAX = 512, /* of one request; the others stay as they are */
    BYTES_PER_TOKEN = 4,
    UNIT_MOST = 240, /* bytes of a sentence that goes or stays as a whole */
    RULED_LEAST = 4,
    INDENT_MOST = 3
};

/* ---- prose ---------------------------------------------------------------------------------- */

/* Paragraphs that were there; kept as hashes, compared byte for byte in `text`. */
struct seen {
    struct {
        uint64_t hash;
        char *text;
        size_t len;
    } items[SEEN_MAX];
    size_t count;
};

static void free_seen(struct seen *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i].text);
    free(s);
}

/* True if it was there before; else it is from now on. */
static bool seen_before(struct seen *s, const char *p, size_t len)
{
    const uint64_t h = hash_add(HASH_START, p, len);
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].hash == h && s->items[i].len == len &&
            memcmp(s->items[i].text, p, len) == 0)
            return true;
    if (s->count == SEEN_MAX)
        return false;
    s->items[s->count].hash = h;
    s->items[s->count].text = mem_copy(p, len);
    s->items[s->count++].len = len;
    return false;
}

/* A line of one sign, as between the parts of a document: three of them do. Returns its length. */
static size_t ruled(const char *p, size_t left)
{
    size_t n = 1;
    if (!strchr("-=*_#~", p[0]) || p[0] == '\0')
        return 0;
    while (n < left && p[n] == p[0])
        n++;
    return n >= RULED_LEAST && (n == left || p[n] == '\n') ? n : 0;
}

struct prose {
    const struct config_compress_rule *rule;
    struct buf *out;
    size_t begin, start; /* of the text, and of this run, in `out` */
    bool capital;        /* the next letter, for a phrase went that began a sentence */
    bool line_start;
};

static void add_char(struct prose *w, char c)
{
    if (w->capital && c != ' ') {
        c = (char)toupper((unsigned char)c);
        w->capital = false;
    }
    buf_char(w->out, c);
    w->line_start = c == '\n';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Newlines: two at most. Spaces before them go; an indent of a few stays. */
static size_t take_space(struct prose *w, const char *p, size_t left)
{
    size_t n = 0, lines = 0, column = 0;
    while (n < left && is_space(p[n])) {
        lines += p[n] == '\n';
        column = p[n] == '\n' ? 0 : column + 1;
        n++;
    }
    if (w->out->len == w->begin) /* nothing before it */
        return n;
    size_t indent = lines || w->line_start ? column : 1;
    for (size_t i = 0; i < lines && i < 2; i++)
        add_char(w, '\n');
    for (size_t i = 0; i < indent && i < INDENT_MOST; i++)
        add_char(w, ' ');
    return n;
}

static void squeeze(struct prose *w, const char *p, size_t len)
{
    bool word_start = true;
    for (size_t i = 0, n; i < len; i += n) {
        const char *brief;
        n = 1;
        if (w->rule->whitespace && is_space(p[i])) {
            n = take_space(w, p + i, len - i);
            word_start = true;
            continue;
        }
        if (w->rule->whitespace && w->line_start && (n = ruled(p + i, len - i)) > 0) {
            for (int k = 0; k < 3; k++)
                add_char(w, p[i]);
            continue;
        }
        n = 1;
        if (w->rule->verbose && word_start && (brief = phrase_short(p + i, len - i, &n)) != NULL) {
            w->capital = w->capital || isupper((unsigned char)p[i]);
            for (const char *c = brief; *c; c++)
                add_char(w, *c);
            word_start = p[i + n - 1] == ' ';
            continue;
        }
        n = 1;
        add_char(w, p[i]);
        word_start = is_space(p[i]) || strchr("(,;:.!?-", p[i]) != NULL;
    }
}

/* Paragraphs of `text` from `from` on that were there before go. Only whole ones, between blank
 * lines.
 */
static void drop_repeats(struct seen *seen, struct buf *text, size_t from, bool first, bool last)
{
    size_t to = from, pos = from;
    bool bounded = first;
    while (pos < text->len) {
        char *end = memmem(text->data + pos, text->len - pos, "\n\n", 2);
        const size_t len = (end ? (size_t)(end - text->data) : text->len) - pos;
        const size_t whole = len + (end ? 2 : 0);
        const bool complete = bounded && (end || last);
        if (!complete || len < PARAGRAPH_LEAST || !seen_before(seen, text->data + pos, len)) {
            memmove(text->data + to, text->data + pos, whole);
            to += whole;
        }
        pos += whole;
        bounded = true;
    }
    text->len = to;
    if (text->data)
        text->data[to] = '\0';
}

static void compress_one(const struct config_compress_rule *r, const char *text, size_t len,
                         struct seen *seen, struct buf *out)
{
    struct segments s;
    struct segment run;
    struct buf plain;
    const size_t begin = out->len;
    bool kept = false;
    buf_init(&plain, COMPRESS_TEXT_MAX);
    if (r->html && html_is(text, len)) {
        html_to_text(text, len, &plain);
        text = plain.data ? plain.data : "";
        len = plain.len;
    }
    segments_begin(&s, text, len);
    while (segments_next(&s, &run)) {
        struct prose w = {.rule = r,
                          .out = out,
                          .begin = begin,
                          .start = out->len,
                          .line_start = out->len == begin || out->data[out->len - 1] == '\n'};
        const bool first = out->len == begin;
        kept = run.kept;
        if (run.kept) {
            buf_add(out, run.p, run.len);
            continue;
        }
        squeeze(&w, run.p, run.len);
        if (r->repeats)
            drop_repeats(seen, out, w.start, first, s.pos == s.len);
    }
    while (!kept && r->whitespace && out->len > begin && is_space(out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    buf_free(&plain);
}

void compress_text(const struct config_compress_rule *r, const char *text, size_t len,
                   struct buf *out)
{
    struct seen *seen = mem_zero(sizeof *seen);
    compress_one(r, text, len, seen, out);
    free_seen(seen);
}

/* ---- the budget of tokens ------------------------------------------------------------------- */

/* A sentence, or what must stay whole. */
struct unit {
    const char *p;
    size_t len;
    bool kept, gone;
};

struct units {
    struct unit *items;
    size_t count, room;
};

static void add_unit(struct units *u, const char *p, size_t len, bool kept)
{
    if (u->count == u->room)
        u->items = mem_array(u->items, u->room = u->room ? u->room * 2 : 64, sizeof *u->items);
    u->items[u->count++] = (struct unit){p, len, kept, false};
}

/* The full stops of Chinese and Japanese end a sentence without a space: U+3002, U+FF01, U+FF1F. */
static bool is_wide_stop(const char *p, size_t left)
{
    return left > 3 && (memcmp(p, "\xE3\x80\x82", 3) == 0 || memcmp(p, "\xEF\xBC\x81", 3) == 0 ||
                        memcmp(p, "\xEF\xBC\x9F", 3) == 0);
}

/* To behind the next end of a sentence or line; of a long one, of a word or character. */
static size_t sentence(const char *p, size_t left)
{
    size_t word = 0, i;
    for (i = 0; i < left && i < UNIT_MOST; i++) {
        if (p[i] == '\n' || (strchr(".!?", p[i]) && p[i] && (i + 1 == left || p[i + 1] == ' ')))
            return i + 1 < left && p[i] != '\n' ? i + 2 : i + 1;
        if (is_wide_stop(p + i, left - i))
            return i + 3;
        word = p[i] == ' ' ? i + 1 : word;
    }
    if (i == left || word)
        return i == left ? left : word;
    while (i < left && ((unsigned char)p[i] & 0xC0) == 0x80)
        i++;
    return i;
}

static void split(struct units *u, const struct buf *text)
{
    struct segments s;
    struct segment run;
    segments_begin(&s, text->data, text->len);
    while (segments_next(&s, &run)) {
        for (size_t i = 0, n; i < run.len; i += n) {
            n = run.kept ? run.len : sentence(run.p + i, run.len - i);
            add_unit(u, run.p + i, n, run.kept);
        }
    }
}

static size_t drop_unit(struct unit *u)
{
    if (u->kept || u->gone)
        return 0;
    u->gone = true;
    return u->len;
}

/* From the end, from the beginning, or from the middle to both sides, until `excess` bytes are
 * gone.
 */
static void drop_units(struct units *u, size_t excess, enum compress_cut cut)
{
    size_t gone = 0, middle = u->count / 2;
    for (size_t i = 0; i < u->count && gone < excess; i++) {
        const size_t step = (i + 1) / 2;
        const size_t at = cut == CUT_TAIL   ? u->count - 1 - i
                          : cut == CUT_HEAD ? i
                          : i % 2           ? middle - step
                                            : middle + step;
        if (at < u->count)
            gone += drop_unit(&u->items[at]);
    }
}

static void cut_text(struct buf *text, size_t excess, enum compress_cut cut)
{
    static const char mark[] = "[\xE2\x80\xA6] ";
    struct units u = {0};
    struct buf out;
    bool marked = false;
    split(&u, text);
    drop_units(&u, excess + sizeof mark, cut);
    buf_init(&out, COMPRESS_TEXT_MAX);
    for (size_t i = 0; i < u.count; i++) {
        if (!u.items[i].gone)
            buf_add(&out, u.items[i].p, u.items[i].len);
        else if (!marked)
            buf_str(&out, mark);
        marked = u.items[i].gone;
    }
    free(u.items);
    buf_free(text);
    *text = out;
}

/* ---- requests ------------------------------------------------------------------------------- */

/* The texts of a request, found in one walk and written in a second. */
struct work {
    const struct config_compress_rule *rule;
    const struct config_list *forms;
    struct seen *seen;
    struct buf texts[TEXTS_MAX];
    size_t count, at;
    bool writing, changed;
};

static bool same_words(const char *a, const char *b, size_t len)
{
    const char *end = b + len;
    for (;;) {
        while (is_space(*a))
            a++;
        while (b < end && is_space(*b))
            b++;
        if (*a == '\0' || b == end)
            return *a == '\0' && b == end;
        if (*a++ != *b++)
            return false;
    }
}

static const char *short_form(const struct config_list *forms, const struct buf *text)
{
    const struct config_short_form *f = forms ? forms->items : NULL;
    for (size_t i = 0; forms && i < forms->count; i++)
        if (text->data && same_words(f[i].text, text->data, text->len))
            return f[i].brief;
    return NULL;
}

static void read_text(struct work *w, struct json v, bool system)
{
    struct buf text, *out = &w->texts[w->count++];
    buf_init(&text, v.len);
    buf_init(out, COMPRESS_TEXT_MAX);
    (void)json_string(v, &text);
    const char *brief = system ? short_form(w->forms, &text) : NULL;
    if (brief)
        buf_str(out, brief);
    else
        compress_one(w->rule, text.data ? text.data : "", text.len, w->seen, out);
    if (out->overflow || out->len >= text.len) { /* no gain: as it was */
        buf_clear(out);
        buf_add(out, text.data ? text.data : "", text.len);
    } else {
        w->changed = true;
    }
    buf_free(&text);
}

/* What the model said itself, and what tools answered, stays as it was. */
static void take_text(void *arg, struct text_place place, struct json v, struct buf *out)
{
    struct work *w = arg;
    const bool system = place.role == TEXT_SYSTEM;
    const bool taken = place.prose && (system || place.role == TEXT_USER);
    if (taken && !w->writing && w->count < TEXTS_MAX) {
        read_text(w, v, system);
    } else if (taken && w->writing && w->at < w->count) {
        const struct buf *text = &w->texts[w->at++];
        buf_json(out, text->data ? text->data : "", text->len);
    } else if (w->writing) {
        buf_add(out, v.p, v.len);
    }
}

/* The longest text pays for all. */
static void keep_budget(struct work *w)
{
    const size_t most = (size_t)w->rule->max_tokens * BYTES_PER_TOKEN;
    size_t total = 0, longest = 0;
    for (size_t i = 0; i < w->count; i++) {
        total += w->texts[i].len;
        longest = w->texts[i].len > w->texts[longest].len ? i : longest;
    }
    if (most == 0 || total <= most)
        return;
    const size_t before = w->texts[longest].len;
    cut_text(&w->texts[longest], total - most, (enum compress_cut)w->rule->cut);
    w->changed = w->changed || w->texts[longest].len < before;
}

bool compress_body(const struct config_compress_rule *r, const struct config_list *forms,
                   struct json body, struct buf *out)
{
    struct work *w = mem_zero(sizeof *w);
    struct buf nothing;
    const size_t begin = out->len;
    w->rule = r;
    w->forms = forms;
    w->seen = mem_zero(sizeof *w->seen);
    buf_init(&nothing, body.len + 4096);
    texts_rewrite(body, take_text, w, &nothing);
    buf_free(&nothing);
    keep_budget(w);
    w->writing = true;
    if (w->changed)
        texts_rewrite(body, take_text, w, out);
    for (size_t i = 0; i < w->count; i++)
        buf_free(&w->texts[i]);
    free_seen(w->seen);
    bool gained = w->changed && !out->overflow && out->len - begin < body.len;
    free(w);
    if (!gained)
        out->len = begin;
    return gained;
}
