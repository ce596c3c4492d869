#include "guards/tokens.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "common/mem.h"
#include "guards/word_form.h"

enum { NUMBER_MAX = 64 }; /* bytes of a number; a longer one ends where one may */

struct reader {
    struct tokens *t;
    size_t at;
    bool start;
};

/* ---- characters -------------------------------------------------------------------------------
 */

enum sort { SORT_OTHER, SORT_LOWER, SORT_CAPITAL, SORT_DIGIT, SORT_ALONE };

/* What the character at `at` is, and its width in bytes. */
static enum sort sort_at(const struct tokens *t, size_t at, size_t *width)
{
    const unsigned char byte = (unsigned char)t->text[at];
    utf8proc_int32_t c;
    *width = 1;
    if (byte < 0x80)
        return isdigit(byte)   ? SORT_DIGIT
               : islower(byte) ? SORT_LOWER
               : isupper(byte) ? SORT_CAPITAL
                               : SORT_OTHER;
    const utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)t->text + at,
                                                (utf8proc_ssize_t)(t->len - at), &c);
    if (n <= 0)
        return SORT_OTHER;
    *width = (size_t)n;
    if (word_is_unspaced(c))
        return SORT_ALONE;
    const utf8proc_category_t k = utf8proc_category(c);
    if (k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LT)
        return SORT_CAPITAL;
    return k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_LO ||
                   k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC
               ? SORT_LOWER
               : SORT_OTHER;
}

/* ½ and its like, as words. */
static const char *fraction_at(const struct tokens *t, size_t at)
{
    static const char *const signs[][2] = {{"\xC2\xBD", "half"},
                                           {"\xC2\xBC", "quarter"},
                                           {"\xC2\xBE", "dreiviertel"},
                                           {"\xE2\x85\x93", "third"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const size_t n = strlen(signs[i][0]);
        if (t->len - at >= n && memcmp(t->text + at, signs[i][0], n) == 0)
            return signs[i][1];
    }
    return NULL;
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static void add(struct reader *r, size_t to, enum token_kind kind, const char *folded, size_t len)
{
    struct tokens *t = r->t;
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 128;
        t->items = mem_array(t->items, t->cap, sizeof *t->items);
    }
    struct token *w = &t->items[t->count++];
    size_t meanings = 0;
    *w = (struct token){.from = (uint32_t)r->at,
                        .to = (uint32_t)to,
                        .hash = words_hash(folded, len),
                        .kind = (uint8_t)kind,
                        .start = r->start};
    w->len = (uint8_t)(len < TOKEN_FOLDED_MAX - 1 ? len : TOKEN_FOLDED_MAX - 1);
    memcpy(w->folded, folded, w->len);
    if (kind != TOKEN_DIGITS)
        w->glosses = glossary_find(t->glossary, w->hash, &meanings);
    w->meanings = (uint8_t)meanings;
    r->at = to;
    r->start = false;
}

static bool digit_at(const struct tokens *t, size_t at)
{
    return at < t->len && isdigit((unsigned char)t->text[at]);
}

/* A space that parts thousands: it has three digits behind it, and one to three before. */
static size_t thousands_space(const struct tokens *t, size_t at, size_t digits)
{
    const char *s = t->text + at;
    const size_t left = t->len - at;
    const size_t n =
        left > 0 && *s == ' '                                                                  ? 1
        : left > 1 && memcmp(s, "\xC2\xA0", 2) == 0                                            ? 2
        : left > 2 && (memcmp(s, "\xE2\x80\xAF", 3) == 0 || memcmp(s, "\xE2\x80\x89", 3) == 0) ? 3
                                                                                               : 0;
    const bool three = n && digit_at(t, at + n) && digit_at(t, at + n + 1) &&
                       digit_at(t, at + n + 2) && !digit_at(t, at + n + 3);
    return three && digits <= 3 ? n : 0;
}

/* "12,13,14" is a list, not a number: where its first ends. */
static size_t list_end(const struct tokens *t, size_t from, size_t to)
{
    size_t commas = 0, first = to, run = 0;
    bool threes = true;
    for (size_t i = from; i < to; i++) {
        if (t->text[i] != ',') {
            run++;
            continue;
        }
        first = commas++ ? first : i;
        threes = threes && (commas > 1 ? run == 3 : run <= 3);
        run = 0;
    }
    return commas > 1 && !(threes && (run == 3 || memchr(t->text + from, '.', to - from))) ? first
                                                                                           : to;
}

static void read_digits(struct reader *r)
{
    const struct tokens *t = r->t;
    size_t i = r->at, digits = 0, n;
    while (i < t->len) {
        if (i - r->at > NUMBER_MAX && !digit_at(t, i)) {
            const char *comma = memchr(t->text + r->at, ',', i - r->at); /* a long list */
            i = comma ? (size_t)(comma - t->text) : i;
            break;
        }
        if (digit_at(t, i)) {
            digits++;
            i++;
        } else if (strchr(".,'", t->text[i]) && digit_at(t, i + 1)) {
            digits = 0;
            i++;
        } else if ((n = thousands_space(t, i, digits)) > 0) {
            digits = 0;
            i += n;
        } else {
            break;
        }
    }
    i = list_end(t, r->at, i);
    add(r, i, TOKEN_DIGITS, t->text + r->at, i - r->at);
}

static void read_word(struct reader *r)
{
    const struct tokens *t = r->t;
    const bool behind_digits = t->count && t->items[t->count - 1].to == r->at &&
                               t->items[t->count - 1].kind == TOKEN_DIGITS;
    char folded[WORD_MAX];
    size_t i = r->at, width, letters = 0, capitals = 0, digits = 0;
    bool capital = false;
    for (; i < t->len; i += width) {
        const enum sort sort = sort_at(t, i, &width);
        if (digits && t->text[i] == '.' && digit_at(t, i + 1)) /* v5.3.1 */
            continue;
        if (sort != SORT_LOWER && sort != SORT_CAPITAL && (sort != SORT_DIGIT || behind_digits))
            break;
        capital |= i == r->at && sort == SORT_CAPITAL;
        letters += sort != SORT_DIGIT;
        capitals += sort == SORT_CAPITAL;
        digits += sort == SORT_DIGIT;
    }
    const size_t size = i - r->at,
                 n = words_fold(t->text + r->at, size < WORD_MAX ? size : WORD_MAX, folded);
    const size_t had = t->count;
    add(r, i, digits ? TOKEN_CODE : TOKEN_WORD, folded, n);
    r->t->items[had].capital = capital;
    r->t->items[had].upper = capitals == letters && letters > 1;
}

/* Does the point at `at` belong to the word before it: Dr., J.? */
static bool is_of_word(const struct tokens *t, size_t at)
{
    if (t->count == 0 || t->items[t->count - 1].to != at)
        return false;
    const struct token *w = &t->items[t->count - 1];
    return (w->capital && w->len == 1) ||
           (w->len > 1 && token_means(t, t->count - 1, MEANS_TITLE, LANGS_ALL));
}

static void read_other(struct reader *r, size_t width)
{
    const char c = r->t->text[r->at];
    const char *fraction = fraction_at(r->t, r->at);
    if (fraction) {
        add(r, r->at + width, TOKEN_WORD, fraction, strlen(fraction));
        return;
    }
    if (c && strchr("!?:\n", c))
        r->start = true;
    else if (c == '.')
        r->start = r->start || !is_of_word(r->t, r->at);
    r->at += width;
}

static void read_language(struct tokens *t)
{
    size_t hits[LANGUAGES] = {0};
    for (size_t i = 0; i < t->count; i++) {
        const struct gloss *g = token_means(t, i, MEANS_FREQUENT, LANGS_ALL);
        for (; g && g < t->items[i].glosses + t->items[i].meanings; g++)
            if (g->meaning == MEANS_FREQUENT)
                hits[__builtin_ctz(g->languages)]++;
    }
    t->language = LANG_EN;
    for (int i = 0; i < LANGUAGES; i++)
        if (hits[i] > hits[t->language])
            t->language = (enum language)i;
    t->languages = hits[t->language] < 2 ? LANGS_ALL : 1U << t->language | 1U << LANG_EN;
}

void tokens_read(struct tokens *t, const struct glossary *g, const char *text, size_t len)
{
    struct reader r = {.t = t, .start = true};
    *t = (struct tokens){.glossary = g, .text = text, .len = len};
    while (r.at < len && t->count < TOKENS_MAX) {
        size_t width;
        const enum sort sort = sort_at(t, r.at, &width);
        char folded[WORD_MAX];
        if (sort == SORT_DIGIT)
            read_digits(&r);
        else if (sort == SORT_LOWER || sort == SORT_CAPITAL)
            read_word(&r);
        else if (sort == SORT_ALONE)
            add(&r, r.at + width, TOKEN_WORD, folded, words_fold(text + r.at, width, folded));
        else
            read_other(&r, width);
    }
    read_language(t);
}

void tokens_free(struct tokens *t)
{
    free(t->items);
    *t = (struct tokens){0};
}

const struct gloss *token_means(const struct tokens *t, size_t at, enum meaning meaning,
                                unsigned languages)
{
    if (at >= t->count)
        return NULL;
    const struct token *w = &t->items[at];
    for (size_t i = 0; i < w->meanings; i++)
        if (w->glosses[i].meaning == meaning && (w->glosses[i].languages & languages))
            return &w->glosses[i];
    return NULL;
}

bool token_gap_is(const struct tokens *t, size_t at, const char *gap)
{
    if (at + 1 >= t->count)
        return false;
    const size_t n = t->items[at + 1].from - t->items[at].to;
    return n == strlen(gap) && memcmp(t->text + t->items[at].to, gap, n) == 0;
}

bool token_is_near(const struct tokens *t, size_t at)
{
    static const char *const gaps[] = {
        "", " ", "-", ". ", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x91"};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
        if (token_gap_is(t, at, gaps[i]))
            return true;
    return false;
}
