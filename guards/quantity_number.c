/* A number: its digits, or its words. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/numeral.h"
#include "guards/quantity_private.h"

void quantity_add_reading(struct quantity *q, double value, double grain, enum dimension dimension)
{
    if (q->count < READINGS_MAX)
        q->readings[q->count++] = (struct reading){value, grain, (uint8_t)dimension};
}

/* ---- digits -----------------------------------------------------------------------------------
 */

/* The value of digits, if `decimal` stands before the fraction. */
static double value_of(const char *s, size_t len, char decimal, double *grain)
{
    double v = 0, place = 0;
    *grain = 1;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == decimal) {
            place = 0.1;
        } else if (isdigit((unsigned char)s[i])) {
            v = place > 0 ? v + (s[i] - '0') * place : v * 10 + (s[i] - '0');
            *grain = place > 0 ? place : 1;
            place /= 10;
        }
    }
    return v;
}

struct shape {
    size_t points, commas, behind; /* digits behind the last of them */
    bool grouped;                  /* threes between all of them, and one to three before */
};

static struct shape shape_of(const char *s, size_t len)
{
    struct shape h = {.grouped = true};
    size_t run = 0, seen = 0;
    for (size_t i = 0; i < len; i++) {
        if (isdigit((unsigned char)s[i])) {
            run++;
        } else if (s[i] == '.' || s[i] == ',') {
            h.grouped = h.grouped && (seen ? run == 3 : run <= 3 && s[0] != '0');
            h.points += s[i] == '.';
            h.commas += s[i] == ',';
            seen++;
            run = 0;
        }
    }
    h.behind = run;
    h.grouped = h.grouped && run == 3;
    return h;
}

/* Which sign stands before fractions: numbers that can be read one way only show it, or the
 * language tells. */
void quantity_read_convention(struct quantity_reader *r)
{
    for (size_t i = 0; i < r->t->count; i++) {
        const struct token *w = &r->t->items[i];
        const struct shape h = shape_of(r->t->text + w->from, w->to - w->from);
        if (w->kind != TOKEN_DIGITS || h.points + h.commas != 1 || h.grouped)
            continue;
        r->point |= h.points == 1;
        r->comma |= h.commas == 1;
    }
    if (!r->point && !r->comma && r->t->languages != LANGS_ALL) {
        r->point = r->t->language == LANG_EN;
        r->comma = !r->point;
    }
}

/* "1.250" is a thousand or one and a quarter, unless the text shows which. */
static void read_digits(const struct quantity_reader *r, const struct token *w, struct quantity *q)
{
    const char *s = r->t->text + w->from;
    const size_t len = w->to - w->from;
    const struct shape h = shape_of(s, len);
    double grain;
    const char last = h.points && h.commas
                          ? (memrchr(s, '.', len) > memrchr(s, ',', len) ? '.' : ',')
                      : h.points == 1 ? '.'
                      : h.commas == 1 ? ','
                                      : '\0';
    const bool both = h.points && h.commas;
    const bool grouping =
        h.grouped && !both &&
        (h.points + h.commas > 1 || (last == '.' ? !r->point || r->comma : !r->comma || r->point));
    const bool fraction = last && (both || !h.grouped || (last == '.' ? !r->comma : !r->point));
    if (fraction) {
        const double v = value_of(s, len, last, &grain);
        quantity_add_reading(q, v, grain, DIM_NONE);
    }
    if (!fraction || grouping) {
        const double v = value_of(s, len, '\0', &grain);
        quantity_add_reading(q, v, grain, DIM_NONE);
    }
}

/* ---- a number, with what goes with it ---------------------------------------------------------
 */

const struct gloss *quantity_means(const struct quantity_reader *r, size_t at, enum meaning meaning)
{
    return token_means(r->t, at, meaning, r->t->languages);
}

struct quantity *quantity_add(struct quantity_reader *r, size_t first)
{
    struct quantities *q = r->q;
    if (q->count == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 64;
        q->items = mem_array(q->items, q->cap, sizeof *q->items);
    }
    q->items[q->count] = (struct quantity){.first = (uint32_t)first,
                                           .last = (uint32_t)first,
                                           .from = r->t->items[first].from,
                                           .to = r->t->items[first].to,
                                           .factor = 1};
    return &q->items[q->count++];
}

void quantity_extend(const struct quantity_reader *r, struct quantity *q, size_t last)
{
    q->last = (uint32_t)last;
    q->to = r->t->items[last].to;
}

void quantity_multiply(struct quantity *q, double by)
{
    for (size_t i = 0; i < q->count; i++) {
        q->readings[i].value *= by;
        q->readings[i].grain *= by;
    }
    q->factor *= by;
}

/* A word of another language than the text's is none if it means something in that. */
static const struct gloss *number_word(const struct quantity_reader *r, size_t at,
                                       enum meaning meaning)
{
    const struct gloss *g = token_means(r->t, at, meaning, r->languages);
    const bool own = g && token_means(r->t, at, meaning, r->t->languages);
    return own || !(quantity_means(r, at, MEANS_SMALL) || quantity_means(r, at, MEANS_UNIT)) ? g
                                                                                             : NULL;
}

/* What the token is of a number in words; -1: it is none. */
double quantity_piece(const struct quantity_reader *r, size_t at)
{
    const struct token *w = &r->t->items[at];
    const struct gloss *g = number_word(r, at, MEANS_NUMBER);
    g = g ? g : number_word(r, at, MEANS_MULTIPLIER);
    if (g)
        return g->value;
    return w->kind == TOKEN_WORD && w->len > 5
               ? glossary_compound(r->t->glossary, w->folded, w->len)
               : -1;
}

/* May the token go on with a number in words? A foreign one may begin a number only: "two hundred
 * mil parts". */
static bool is_own(const struct quantity_reader *r, size_t at)
{
    const struct token *w = &r->t->items[at];
    return quantity_means(r, at, MEANS_NUMBER) || quantity_means(r, at, MEANS_MULTIPLIER) ||
           glossary_compound(r->t->glossary, w->folded, w->len) >= 0;
}

/* Number words in a row; the token behind them. */
size_t quantity_read_words(struct quantity_reader *r, size_t first)
{
    struct numeral n = {0};
    size_t last = first;
    for (size_t at = first; at < r->t->count && !r->t->items[at].used; at++) {
        const double piece = n.pieces == 0 || is_own(r, at) ? quantity_piece(r, at) : -1;
        if (piece >= 0 ? !numeral_add(&n, piece, false)
                       : !(n.pieces && quantity_means(r, at, MEANS_AND)))
            break;
        last = piece >= 0 ? at : last;
        if (!token_is_near(r->t, at))
            break;
    }
    if (n.pieces == 0)
        return first;
    struct quantity *q = quantity_add(r, first);
    double grain = 1;
    while (numeral_value(&n) >= 100 && fmod(numeral_value(&n), grain * 10) == 0)
        grain *= 10;
    quantity_add_reading(q, numeral_value(&n), grain, DIM_NONE);
    q->words = true;
    q->implied = first == last && token_means(r->t, first, MEANS_MULTIPLIER, LANGS_ALL);
    quantity_extend(r, q, last);
    return last + 1;
}

/* "1/2", "1 1/2": the denominator's token, 0: it is none. */
static size_t slash(const struct quantity_reader *r, size_t at)
{
    const struct token *w = r->t->items;
    const bool small = at + 1 < r->t->count && w[at].kind == TOKEN_DIGITS &&
                       w[at + 1].kind == TOKEN_DIGITS && token_gap_is(r->t, at, "/") &&
                       w[at].len < 2 && w[at + 1].len < 3;
    return small && w[at].folded[0] < '9' && strchr("23456789", w[at + 1].folded[0]) ? at + 1 : 0;
}

double quantity_whole(const struct quantity_reader *r, size_t at)
{
    return atof(r->t->items[at].folded);
}

void quantity_set_fraction(struct quantity *q, double value)
{
    q->count = 0;
    quantity_add_reading(q, value, 0.01, DIM_NONE);
    quantity_add_reading(q, value * 100, 1, DIM_PERCENT);
    q->fraction = true;
}

size_t quantity_read_number(struct quantity_reader *r, size_t first)
{
    size_t over = slash(r, first);
    struct quantity *q = quantity_add(r, first);
    if (over) {
        quantity_set_fraction(q, quantity_whole(r, first) / quantity_whole(r, over));
        quantity_extend(r, q, over);
        return over + 1;
    }
    read_digits(r, &r->t->items[first], q);
    if (token_gap_is(r->t, first, " ") && (over = slash(r, first + 1)) > 0) {
        const double more = quantity_whole(r, first + 1) / quantity_whole(r, over);
        for (size_t i = 0; i < q->count; i++)
            q->readings[i].value += more;
        quantity_extend(r, q, over);
        return over + 1;
    }
    return first + 1;
}
