#include "guards/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/words.h"

enum {
    STEM_BYTES = 3,  /* that words of one stem share at least */
    CHAIN_MAX = 128, /* words of one beginning that are looked at */
    BUCKETS = 4096,
    INITIALS_MAX = 8, /* letters of an abbreviation */
    LONG_LEAST = 6,   /* letters of a word that two to four letters may stand for */
    LONG_MAX = 256,
    SPELLED_LEAST = 4, /* bytes of a word that may be spelled in two ways */
    NAME_LEAST = 3     /* bytes of a name; what is shorter is mostly an abbreviation of no name */
};

struct name_index {
    const struct tokens *source;
    uint32_t *next;            /* of each token, the one before with the same beginning; 0: none */
    uint32_t buckets[BUCKETS]; /* one more than the token */
    char *initials, *capitals; /* of its words but the small ones; of those with capitals alone */
    size_t initial_count, capital_count;
    uint32_t longs[LONG_MAX]; /* tokens: words with capitals */
    size_t long_count;
    /* Names by how they are spelled without letters that not all have; made when first asked for.
     */
    struct spelling {
        uint32_t hash, next; /* as above */
    } * spellings;
    uint32_t spelled[BUCKETS];
};

static uint32_t bucket_of(const char *folded, size_t len)
{
    return words_hash(folded, len < STEM_BYTES ? len : STEM_BYTES) % BUCKETS;
}

static bool is_same(const struct token *a, const struct token *b)
{
    return a->hash == b->hash && a->len == b->len && memcmp(a->folded, b->folded, a->len) == 0;
}

static bool is_small(const struct tokens *t, size_t at)
{
    return token_means(t, at, MEANS_SMALL, LANGS_ALL) != NULL;
}

static bool is_plain(const struct tokens *t, size_t at)
{
    return is_small(t, at) || token_means(t, at, MEANS_COMMON, LANGS_ALL) ||
           token_means(t, at, MEANS_TITLE, LANGS_ALL);
}

/* "Mueller" and "Müller", whose accents are gone, "Soren" and "Søren" have one hash; and "Müllers".
 */
static uint32_t spelled_hash(const struct token *w)
{
    static const struct {
        const char *letter;
        char as;
    } letters[] = {{"\xC3\xB8", 'o'}, {"\xC3\xA6", 'a'}, {"\xC5\x82", 'l'}, {"\xC4\x91", 'd'},
                   {"\xC3\xB0", 'd'}, {"\xC5\x93", 'o'}, {"\xC4\xB1", 'i'}};
    char out[TOKEN_FOLDED_MAX];
    size_t len = 0;
    for (size_t i = 0, n; i < w->len; i += n) {
        char c = w->folded[i];
        n = 1;
        for (size_t k = 0; (c & 0x80) && k < sizeof letters / sizeof *letters; k++)
            if (strncmp(w->folded + i, letters[k].letter, 2) == 0) {
                c = letters[k].as;
                n = 2;
            }
        if (!(c == 'e' && i > 0 && strchr("aou", w->folded[i - 1])))
            out[len++] = c;
    }
    static const char *const endings[] = {"es", "en", "s", "n"};
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        const size_t n = strlen(endings[k]);
        if (len >= SPELLED_LEAST + n && memcmp(out + len - n, endings[k], n) == 0) {
            len -= n;
            break;
        }
    }
    return words_hash(out, len);
}

/* Each word once, so that a text of one word has no long chains. */
static void index_word(struct name_index *n, size_t at)
{
    const struct token *w = &n->source->items[at];
    uint32_t *bucket = &n->buckets[bucket_of(w->folded, w->len)];
    uint32_t seen = 0;
    for (uint32_t i = *bucket; i && seen < CHAIN_MAX; i = n->next[i - 1], seen++)
        if (is_same(&n->source->items[i - 1], w) && n->source->items[i - 1].capital >= w->capital)
            return;
    n->next[at] = *bucket;
    *bucket = (uint32_t)at + 1;
}

struct name_index *names_new(const struct tokens *source)
{
    struct name_index *n = mem_zero(sizeof *n);
    n->source = source;
    n->next = mem_array(NULL, source->count + 1, sizeof *n->next);
    n->initials = mem_alloc(source->count + 1);
    n->capitals = mem_alloc(source->count + 1);
    for (size_t i = 0; i < source->count; i++) {
        const struct token *w = &source->items[i];
        index_word(n, i);
        if (is_small(source, i) || w->kind != TOKEN_WORD)
            continue;
        n->initials[n->initial_count++] = w->folded[0];
        if (w->capital)
            n->capitals[n->capital_count++] = w->folded[0];
        if (w->capital && w->len >= LONG_LEAST && n->long_count < LONG_MAX)
            n->longs[n->long_count++] = (uint32_t)i;
    }
    return n;
}

void names_free(struct name_index *n)
{
    free(n->spellings);
    free(n->next);
    free(n->initials);
    free(n->capitals);
    free(n);
}

/* ---- is it in the source? ---------------------------------------------------------------------
 */

/* Endings that make one word of another: Belgium and Belgian, Lopez's, Müllers, Москва and Москве.
 */
static bool is_ending(const char *s, size_t len)
{
    static const char *const endings[] = {
        "",    "s",   "es",  "n",   "en",  "er",   "ern",   "e",      "a",   "i",    "o",
        "u",   "y",   "an",  "ian", "ean", "ish",  "ese",   "ic",     "al",  "um",   "ia",
        "ain", "em",  "om",  "ie",  "ai",  "as",   "ns",    "us",     "ed",  "ing",  "ow",
        "owi", "ego", "ien", "ch",  "che", "isch", "ische", "ischen", "ais", "aise", "ens",
        "ano", "ana", "ino", "ina", "in",  "ies",  "ы",     "а",      "у",   "е",    "ои",
        "ом",  "ым",  "ого", "ому", "и",   "я",    "ю",     "еи"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strlen(endings[i]) == len && memcmp(endings[i], s, len) == 0)
            return true;
    return false;
}

static bool is_inflected(const struct token *a, const struct token *b)
{
    size_t n = 0;
    while (n < a->len && n < b->len && a->folded[n] == b->folded[n])
        n++;
    while (n > 0 && n < a->len && ((unsigned char)a->folded[n] & 0xC0) == 0x80)
        n--;
    return n >= STEM_BYTES && n * 2 >= a->len && is_ending(a->folded + n, a->len - n) &&
           is_ending(b->folded + n, b->len - n) && (n > STEM_BYTES || a->len == n || b->len == n);
}

/* The source's token that is this word; NULL: there is none. */
static const struct token *find_word(const struct name_index *n, const struct token *w)
{
    uint32_t seen = 0;
    for (uint32_t i = n->buckets[bucket_of(w->folded, w->len)]; i && seen < CHAIN_MAX;
         i = n->next[i - 1], seen++) {
        const struct token *s = &n->source->items[i - 1];
        if (is_same(s, w) || (s->capital && is_inflected(w, s)))
            return s;
    }
    return NULL;
}

static bool has_word(const struct name_index *n, const struct token *w)
{
    return find_word(n, w) != NULL;
}

/* May it be spelled in another way, and is all of it there? */
static bool is_spelled(const struct token *w)
{
    return w->kind == TOKEN_WORD && w->capital && w->len >= SPELLED_LEAST &&
           w->len < TOKEN_FOLDED_MAX - 1;
}

/* Has it a letter that is none of ASCII, as it is written? */
static bool has_accent(const struct tokens *t, const struct token *w)
{
    for (uint32_t i = w->from; i < w->to; i++)
        if (t->text[i] & 0x80)
            return true;
    return false;
}

/* Is one of this spelling there, and written in the same letters, or (`other`) is one of the two
 * written in letters that not all have? */
static bool has_spelled(const struct name_index *n, const struct tokens *t, const struct token *w,
                        uint32_t hash, bool other)
{
    uint32_t seen = 0;
    const bool accent = has_accent(t, w);
    for (uint32_t i = n->spelled[hash % BUCKETS]; i && seen < CHAIN_MAX;
         i = n->spellings[i - 1].next, seen++) {
        const bool too = has_accent(n->source, &n->source->items[i - 1]);
        if (n->spellings[i - 1].hash == hash && (other ? accent || too : accent == too))
            return true;
    }
    return false;
}

static void index_spellings(struct name_index *n)
{
    const struct tokens *t = n->source;
    n->spellings = mem_array(NULL, t->count + 1, sizeof *n->spellings);
    for (size_t i = 0; i < t->count; i++) {
        if (!is_spelled(&t->items[i]))
            continue;
        const uint32_t hash = spelled_hash(&t->items[i]);
        if (has_spelled(n, t, &t->items[i], hash, false))
            continue; /* each once */
        n->spellings[i] = (struct spelling){hash, n->spelled[hash % BUCKETS]};
        n->spelled[hash % BUCKETS] = (uint32_t)i + 1;
    }
}

/* "Mueller", where the source has Müller, or the other way round; Michal is not Michael. */
static bool has_spelling(struct name_index *n, const struct tokens *t, const struct token *w)
{
    if (!is_spelled(w))
        return false;
    if (!n->spellings)
        index_spellings(n);
    return has_spelled(n, t, w, spelled_hash(w), true);
}

bool names_has_first(const struct name_index *n, const struct tokens *t, size_t at)
{
    const struct token *s = find_word(n, &t->items[at]);
    const size_t i = s ? (size_t)(s - n->source->items) : 0;
    return i > 0 && token_gap_is(n->source, i - 1, " ") && n->source->items[i - 1].capital &&
           !is_plain(n->source, i - 1);
}

/* Countries and their people that no ending tells. */
static bool has_people(const struct name_index *n, const struct token *w)
{
    static const char *const pairs[][2] = {
        {"denmark", "danish"},    {"france", "french"},     {"spain", "spanish"},
        {"germany", "german"},    {"netherlands", "dutch"}, {"holland", "dutch"},
        {"switzerland", "swiss"}, {"britain", "british"},   {"poland", "polish"},
        {"greece", "greek"},      {"wales", "welsh"},       {"ireland", "irish"},
        {"england", "english"},   {"sweden", "swedish"},    {"finland", "finnish"},
        {"turkey", "turkish"},    {"norway", "norwegian"},  {"frankreich", "franzosisch"},
        {"usa", "american"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int k = 0; k < 2; k++) {
            struct token other = {.capital = true};
            if (strcmp(pairs[i][k], w->folded) != 0)
                continue;
            other.len = (uint8_t)strlen(pairs[i][!k]);
            memcpy(other.folded, pairs[i][!k], other.len);
            other.hash = words_hash(other.folded, other.len);
            if (has_word(n, &other))
                return true;
        }
    return false;
}

/* Letters of `w` in their order in one long word of the source: VGH, Verwaltungsgerichtshof. */
static bool is_in_word(const struct token *w, const struct token *s)
{
    size_t at = 0;
    if (s->len < 3 * w->len || s->folded[0] != w->folded[0])
        return false;
    for (size_t i = 0; i < s->len && at < w->len; i++)
        at += s->folded[i] == w->folded[at];
    return at == w->len;
}

static bool has_abbreviated(const struct name_index *n, const struct token *w)
{
    if (w->len < 2 || w->len > INITIALS_MAX)
        return false;
    if (memmem(n->capitals, n->capital_count, w->folded, w->len) ||
        (w->len > 2 && memmem(n->initials, n->initial_count, w->folded, w->len)))
        return true;
    for (size_t i = 0; w->len <= 4 && i < n->long_count; i++)
        if (is_in_word(w, &n->source->items[n->longs[i]]))
            return true;
    return false;
}

bool names_has(struct name_index *n, const struct tokens *t, size_t at)
{
    const struct token *w = &t->items[at];
    return has_word(n, w) || (w->upper && has_abbreviated(n, w)) || has_people(n, w) ||
           has_spelling(n, t, w);
}

bool names_has_initials(const struct name_index *n, const struct tokens *t, size_t first,
                        size_t last)
{
    struct token w = {.upper = true};
    for (size_t i = first; i <= last && w.len < INITIALS_MAX; i++)
        if (!is_small(t, i))
            w.folded[w.len++] = t->items[i].folded[0];
    w.hash = words_hash(w.folded, w.len);
    return w.len > 1 && has_word(n, &w);
}

bool names_has_code(const struct name_index *n, const struct tokens *t, size_t at)
{
    struct token w = t->items[at];
    if (has_word(n, &w))
        return true;
    if (w.folded[0] == 'v' && isdigit((unsigned char)w.folded[1])) { /* v5.3.1 and 5.3.1 */
        memmove(w.folded, w.folded + 1, w.len--);
    } else if (isdigit((unsigned char)w.folded[0]) && w.len < TOKEN_FOLDED_MAX - 1) {
        memmove(w.folded + 1, w.folded, w.len++);
        w.folded[0] = 'v';
    } else {
        return false;
    }
    w.hash = words_hash(w.folded, w.len);
    return has_word(n, &w);
}

/* ---- is it a name? ----------------------------------------------------------------------------
 */

static bool is_next(const struct tokens *t, size_t at)
{
    return token_gap_is(t, at, " ") && t->items[at + 1].capital && !t->items[at + 1].start &&
           t->items[at + 1].kind == TOKEN_WORD && t->items[at + 1].len > 1;
}

/* The first word of a sentence has a capital, name or not. */
static bool is_starter(const struct tokens *t, size_t at)
{
    const struct token *w = &t->items[at];
    if (is_small(t, at) || token_means(t, at, MEANS_ABOUT, LANGS_ALL))
        return true;
    if (w->upper && w->len > 1)
        return false;
    if (t->language == LANG_EN)
        return glossary_is_common(w->hash);
    return !is_next(t, at);
}

/* Of German nouns, those that only names can be: behind a title, a preposition without an article
 * or another name. */
static bool is_german_name(const struct tokens *t, size_t at)
{
    static const char *const before[] = {"in", "nach", "aus", "bei", "von", "laut"};
    const struct token *b = at > 0 && token_gap_is(t, at - 1, " ") ? &t->items[at - 1] : NULL;
    if (t->items[at].upper)
        return true;
    if (is_next(t, at) && !is_plain(t, at + 1) && !(b && is_small(t, at - 1)))
        return true;
    for (size_t i = 0; b && i < sizeof before / sizeof *before; i++)
        if (strcmp(b->folded, before[i]) == 0)
            return true;
    return at > 0 && (token_means(t, at - 1, MEANS_TITLE, LANGS_ALL) ||
                      (b && b->capital && !b->start && b->kind == TOKEN_WORD &&
                       !is_small(t, at - 1) && !token_means(t, at - 1, MEANS_UNIT, LANGS_ALL)));
}

/* "## Key Findings", "**Next Steps**", "| Region | Sales |": capitals are a matter of form there.
 */
static bool is_in_heading(const struct tokens *t, size_t at)
{
    enum { LOOK_BACK = 64 };
    size_t from = t->items[at].from;
    const size_t least = from > LOOK_BACK ? from - LOOK_BACK : 0;
    while (from > least && t->text[from - 1] != '\n')
        from--;
    while (t->text[from] == ' ')
        from++;
    return strchr("#*|", t->text[from]) != NULL;
}

bool names_is_claim(const struct tokens *t, size_t at)
{
    const struct token *w = &t->items[at];
    const bool unit = token_means(t, at, MEANS_UNIT, LANGS_ALL) && (w->upper || w->len <= 3);
    if (w->used || w->kind != TOKEN_WORD || !w->capital || w->to - w->from < NAME_LEAST ||
        is_plain(t, at) || unit || token_means(t, at, MEANS_MONTH, t->languages) ||
        token_means(t, at, MEANS_WEEKDAY, t->languages) ||
        token_means(t, at, MEANS_HALFDAY, LANGS_ALL) || (w->start && is_starter(t, at)))
        return false;
    if (t->language == LANG_EN && glossary_is_common(w->hash) && is_in_heading(t, at))
        return false;
    bool inner = false; /* GWh, mAh */
    for (uint32_t i = w->from + 1; i < w->to; i++)
        inner |= isupper((unsigned char)t->text[i]) != 0;
    if (inner && !w->upper && w->to - w->from <= 3)
        return false;
    return t->language != LANG_DE || is_german_name(t, at);
}
