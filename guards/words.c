#include "guards/words.h"

#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"
#include "guards/bytes.h"
#include "guards/word_form.h"

enum { GLUED_LEAST = 16, RUN_MAX = 192, SET_APART_LEAST = 3 };

/* Where the reader is. */
struct reader {
    struct words *ws;
    const struct lexicon *lexicon;
    const char *text;
    size_t len;
    /* The word that is being read. */
    struct word_form plain,
        alike; /* as it is; with letters of other scripts as those they look like */
    uint32_t from, to;
    bool open, foreign, digits, letters, hidden;
    uint32_t flags;
    /* Letters that stand alone, one after the other. */
    char run[RUN_MAX];
    uint32_t run_from[RUN_MAX], run_to[RUN_MAX];
    size_t run_len, run_gap;
};

static bool is_letter(utf8proc_category_t k)
{
    return k <= UTF8PROC_CATEGORY_LO || k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC ||
           k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO ||
           k == UTF8PROC_CATEGORY_SO; /* letters in circles and squares, once decomposed */
}

/* ---- what was read ----------------------------------------------------------------------------
 */

static void emit(struct reader *r, uint64_t mask, struct word_hashes h, uint32_t from, uint32_t to,
                 uint32_t flags)
{
    struct words *ws = r->ws;
    if (ws->count == WORDS_MAX)
        return;
    if (ws->count == ws->cap) {
        ws->cap = ws->cap ? ws->cap * 2 : 64;
        ws->items = mem_array(ws->items, ws->cap, sizeof *ws->items);
    }
    ws->items[ws->count++] = (struct word){
        .mask = mask, .from = from, .to = to, .hash = h.whole, .stem = h.stem, .flags = flags};
}

static uint64_t find_form(const struct lexicon *l, const struct word_form *f)
{
    return lexicon_find(l, f->text, f->len, f->hashes.whole);
}

/* Digits and signs as the letters they stand for; '1' is i or l. */
static uint64_t find_leet(const struct lexicon *l, const struct word_form *f, char one)
{
    static const char from[] = "0345789@$", to[] = "oeastbgas";
    struct word_form letters;
    form_clear(&letters);
    for (size_t i = 0; i < f->len; i++) {
        const char *at = strchr(from, f->text[i]);
        const bool bar = f->text[i] == '1' || f->text[i] == '!' || f->text[i] == '|';
        form_put_char(&letters, bar ? one : at && *at ? to[at - from] : f->text[i]);
    }
    return find_form(l, &letters);
}

static uint64_t find(const struct reader *r, bool *hidden)
{
    uint64_t mask = find_form(r->lexicon, &r->plain);
    if (mask)
        return mask;
    *hidden = true;
    if (r->foreign)
        mask = find_form(r->lexicon, &r->alike);
    const struct word_form *f = r->foreign ? &r->alike : &r->plain;
    if (!mask && r->digits && r->letters && f->len > 2) {
        mask = find_leet(r->lexicon, f, 'i');
        mask = mask ? mask : find_leet(r->lexicon, f, 'l');
    }
    return mask;
}

/* Words of a run of letters without spaces, longest first, from each place that one begins at. */
static void read_unspaced(struct reader *r, const char *s, size_t len, const uint32_t *from,
                          const uint32_t *to, uint32_t flags)
{
    for (size_t i = 0; i < len;) {
        uint64_t mask = 0;
        const size_t n = lexicon_longest(r->lexicon, s + i, len - i, &mask);
        if (n > 2 || (n && (unsigned char)s[i] >= 0x80)) {
            emit(r, mask, word_hashes_of(s + i, n), from[i], to[i + n - 1], flags);
            i += n;
        } else {
            size_t width = 1;
            while (i + width < len && ((unsigned char)s[i + width] & 0xC0) == 0x80)
                width++;
            if (width > 1)
                emit(r, 0, word_hashes_of(s + i, width), from[i], to[i + width - 1], flags);
            i += width;
        }
    }
}

static void end_run(struct reader *r)
{
    if (r->run_len >= SET_APART_LEAST) {
        const struct word_hashes h = word_hashes_of(r->run, r->run_len);
        const uint64_t mask = lexicon_find(r->lexicon, r->run, r->run_len, h.whole);
        if (mask)
            emit(r, mask, h, r->run_from[0], r->run_to[r->run_len - 1], WORD_HIDDEN);
        else if (r->run_len > SET_APART_LEAST)
            read_unspaced(r, r->run, r->run_len, r->run_from, r->run_to, WORD_HIDDEN);
    } else {
        for (size_t i = 0; i < r->run_len; i++) { /* a, I */
            const struct word_hashes h = word_hashes_of(r->run + i, 1);
            emit(r, lexicon_find(r->lexicon, r->run + i, 1, h.whole), h, r->run_from[i],
                 r->run_to[i], 0);
        }
    }
    r->run_len = 0;
}

/* "ignoreallpreviousinstructions": true if it is known words and little else. */
static bool read_glued(struct reader *r)
{
    size_t known = 0, words = 0;
    const struct word_form *f = &r->plain;
    uint32_t from[WORD_MAX], to[WORD_MAX];
    for (size_t i = 0; i < f->len;) {
        uint64_t mask;
        const size_t n = lexicon_longest(r->lexicon, f->text + i, f->len - i, &mask);
        known += n > 2 ? n : 0;
        words += n > 2;
        i += n > 2 ? n : 1;
    }
    if (words < 3 || known * 5 < f->len * 4)
        return false;
    for (size_t i = 0; i < f->len; i++) {
        from[i] = r->from;
        to[i] = r->to;
    }
    read_unspaced(r, f->text, f->len, from, to, WORD_HIDDEN);
    r->flags = 0;
    return true;
}

/* A word of one letter: the next of a run, if it is as far from the last as that from the one
 * before. */
static void add_to_run(struct reader *r)
{
    const struct word_form *f = r->foreign && r->alike.len == 1 ? &r->alike : &r->plain;
    const size_t gap = r->run_len ? r->from - r->run_to[r->run_len - 1] : 0;
    if (r->run_len == RUN_MAX || gap > 3 || (r->run_len > 1 && gap != r->run_gap))
        end_run(r);
    r->run_gap = gap;
    r->run[r->run_len] = f->text[0];
    r->run_from[r->run_len] = r->from;
    r->run_to[r->run_len++] = r->to;
}

static void end_word(struct reader *r)
{
    if (!r->open)
        return;
    r->open = false;
    if (r->plain.len == 1 || (r->foreign && r->alike.len == 1)) {
        add_to_run(r);
    } else {
        if (r->run_len)
            end_run(r);
        bool dressed = false;
        const uint64_t mask = find(r, &dressed);
        const bool hidden = r->hidden || (mask && dressed);
        const struct word_form *f = hidden && r->foreign ? &r->alike : &r->plain;
        if (!mask && r->plain.len >= GLUED_LEAST && read_glued(r))
            return;
        emit(r, mask, f->hashes, r->from, r->to,
             r->flags | (hidden ? WORD_HIDDEN : 0) |
                 (r->to < r->len && r->text[r->to] == ':' ? WORD_COLON : 0));
    }
    r->flags = 0;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void begin_word(struct reader *r, size_t at)
{
    if (r->open)
        return;
    r->open = true;
    form_clear(&r->plain);
    form_clear(&r->alike);
    r->foreign = r->digits = r->letters = r->hidden = false;
    r->from = (uint32_t)at;
}

/* What a byte of ASCII is. */
enum ascii {
    A_OTHER,
    A_LETTER, /* `true` in the table */
    A_DIGIT,
    A_SIGN,
    A_APOSTROPHE,
    A_SPACE,
    A_LINE,
    A_SENTENCE,
    A_QUOTE
};

static const unsigned char kinds[256] = {
    BYTES_LETTERS,      ['0'] = A_DIGIT,    ['1'] = A_DIGIT,    ['2'] = A_DIGIT,
    ['3'] = A_DIGIT,    ['4'] = A_DIGIT,    ['5'] = A_DIGIT,    ['6'] = A_DIGIT,
    ['7'] = A_DIGIT,    ['8'] = A_DIGIT,    ['9'] = A_DIGIT,    ['\t'] = A_SPACE,
    [' '] = A_SPACE,    ['#'] = A_SPACE,    ['\n'] = A_LINE,    ['.'] = A_SENTENCE,
    ['?'] = A_SENTENCE, [':'] = A_SENTENCE, [';'] = A_SENTENCE, ['-'] = A_SENTENCE,
    ['*'] = A_SENTENCE, ['>'] = A_SENTENCE, ['('] = A_SENTENCE, ['['] = A_SENTENCE,
    ['{'] = A_SENTENCE, ['"'] = A_QUOTE,    ['`'] = A_QUOTE,    ['\''] = A_APOSTROPHE,
    ['@'] = A_SIGN,     ['$'] = A_SIGN,     ['!'] = A_SIGN,     ['|'] = A_SIGN};

static inline unsigned char kind_of(char c)
{
    return kinds[(unsigned char)c];
}

static void read_gap(struct reader *r, unsigned char kind, char c)
{
    end_word(r);
    if (kind == A_LINE)
        r->flags = WORD_LINE | WORD_SENTENCE;
    else if (kind == A_SENTENCE || c == '!')
        r->flags |= WORD_SENTENCE;
    else if (kind == A_QUOTE || kind == A_APOSTROPHE)
        r->flags |= WORD_QUOTED;
    else if (kind != A_SPACE)
        r->flags &= ~(uint32_t)WORD_LINE;
}

/* A sign of ASCII: within a word it may stand for a letter. */
static void read_sign(struct reader *r, size_t at, unsigned char kind)
{
    const char c = r->text[at];
    const bool inside = at + 1 < r->len && kind_of(r->text[at + 1]) == A_LETTER;
    const bool dollar = c == '$' && r->open && r->letters;
    if ((!inside && !dollar) || (kind != A_SIGN && (kind != A_APOSTROPHE || !r->open))) {
        read_gap(r, kind, c);
        return;
    }
    begin_word(r, at);
    form_put_char(&r->plain, c);
    if (r->foreign)
        form_put_char(&r->alike, c);
    r->digits |= kind == A_SIGN;
    r->to = (uint32_t)at + 1;
}

/* Letters and digits of ASCII, most of most texts, as lower case (a digit has that bit anyhow).
 * Returns where it goes on. */
static size_t read_letters(struct reader *r, size_t at)
{
    begin_word(r, at);
    struct word_form *f = &r->plain;
    struct word_hashes h = f->hashes;
    size_t i = at, len = f->len;
    unsigned seen = 0;
    for (unsigned char kind; i < r->len; i++) {
        kind = kind_of(r->text[i]);
        if (kind != A_LETTER && kind != A_DIGIT)
            break;
        seen |= kind;
        if (len == WORD_MAX)
            continue;
        f->text[len] = (char)(r->text[i] | 32);
        h = word_hash_on(h, f->text[len], len);
        len++;
    }
    f->len = len;
    f->hashes = h;
    for (size_t k = at; k < i && r->foreign; k++)
        form_put_char(&r->alike, (char)(r->text[k] | 32));
    r->letters |= (seen & A_LETTER) != 0;
    r->digits |= (seen & A_DIGIT) != 0;
    r->to = (uint32_t)i;
    return i;
}

/* A run of a script without spaces goes through the lexicon as a whole. */
static size_t read_run(struct reader *r, size_t at)
{
    char s[RUN_MAX];
    uint32_t from[RUN_MAX], to[RUN_MAX];
    size_t n = 0;
    utf8proc_int32_t c;
    while (at < r->len && n + 4 <= RUN_MAX) {
        const utf8proc_ssize_t w = utf8proc_iterate((const utf8proc_uint8_t *)r->text + at,
                                                    (utf8proc_ssize_t)(r->len - at), &c);
        if (w <= 0 || !word_is_unspaced(c))
            break;
        for (utf8proc_ssize_t i = 0; i < w; i++, n++) {
            s[n] = r->text[at + (size_t)i];
            from[n] = (uint32_t)at;
            to[n] = (uint32_t)(at + (size_t)w);
        }
        at += (size_t)w;
    }
    read_unspaced(r, s, n, from, to, r->flags);
    r->flags = 0;
    return at;
}

static void add_code(struct reader *r, utf8proc_int32_t c, size_t at, size_t width)
{
    begin_word(r, at);
    if (!r->foreign)
        r->alike = r->plain;
    form_put_code(&r->plain, c);
    const char ascii = c < 0x80 ? (char)c : word_looks_like(c);
    if (ascii)
        form_put(&r->alike, &ascii, 1);
    else
        form_put_code(&r->alike, c);
    r->foreign = true;
    r->letters = true;
    r->digits |= c >= '0' && c <= '9';
    r->to = (uint32_t)(at + width);
}

/* Returns where it goes on. */
static size_t read_wide(struct reader *r, size_t at)
{
    utf8proc_int32_t c, parts[DECOMPOSED_MAX];
    const utf8proc_ssize_t w = utf8proc_iterate((const utf8proc_uint8_t *)r->text + at,
                                                (utf8proc_ssize_t)(r->len - at), &c);
    if (w <= 0) {
        end_word(r);
        return at + 1;
    }
    if (word_is_unspaced(c)) {
        end_word(r);
        end_run(r);
        return read_run(r, at);
    }
    if (c == 0x2019 && r->open) { /* don’t */
        form_put_char(&r->plain, '\'');
        form_put_char(&r->alike, '\'');
        return at + (size_t)w;
    }
    const utf8proc_category_t k = utf8proc_category(c);
    const size_t n = word_decompose(c, parts);
    if (c == 0xE0020) {
        end_word(r);
        return at + (size_t)w;
    }
    if (c > 0xE0020 && c <= 0xE007E) { /* tags: ASCII that is not seen */
        const utf8proc_int32_t ascii = c - 0xE0000;
        add_code(r, ascii >= 'A' && ascii <= 'Z' ? ascii | 32 : ascii, at, (size_t)w);
        r->hidden = true;
        return at + (size_t)w;
    }
    if (n == 0) { /* no width: it does not part a word */
        r->hidden |= r->open && k == UTF8PROC_CATEGORY_CF;
        return at + (size_t)w;
    }
    if (!is_letter(k) || (n == 1 && parts[0] < 0x80 && parts[0] == ' ')) {
        end_word(r);
        r->flags |= k == UTF8PROC_CATEGORY_PI || k == UTF8PROC_CATEGORY_PF   ? WORD_QUOTED
                    : k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO ? WORD_SENTENCE
                                                                             : 0;
        return at + (size_t)w;
    }
    for (size_t i = 0; i < n; i++)
        add_code(r, parts[i], at, (size_t)w);
    r->hidden |= c >= 0x2000; /* full width, mathematical, in circles */
    return at + (size_t)w;
}

void words_init(struct words *ws)
{
    *ws = (struct words){0};
}

uint64_t words_row(const struct word *first, size_t count)
{
    uint64_t h = HASH_START;
    for (size_t i = 0; i < count; i++)
        h = (h ^ first[i].hash) * 1099511628211ULL;
    return h;
}

void words_free(struct words *ws)
{
    free(ws->items);
    words_init(ws);
}

void words_read(struct words *ws, const struct lexicon *l, const char *text, size_t len)
{
    struct reader r;
    r.ws = ws;
    r.lexicon = l;
    r.text = text;
    r.len = len;
    r.open = r.hidden = r.foreign = false;
    r.run_len = r.run_gap = 0;
    r.flags = WORD_LINE | WORD_SENTENCE;
    ws->count = 0;
    for (size_t at = 0; at < len && ws->count < WORDS_MAX;) {
        const unsigned char kind = kind_of(text[at]);
        if ((unsigned char)text[at] >= 0x80)
            at = read_wide(&r, at);
        else if (kind == A_LETTER || kind == A_DIGIT)
            at = read_letters(&r, at);
        else
            read_sign(&r, at++, kind);
    }
    end_word(&r);
    end_run(&r);
}
