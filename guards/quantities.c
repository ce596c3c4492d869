#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "guards/quantity_private.h"

/* ---- all numbers ------------------------------------------------------------------------------
 */

/* What goes with the number that was added last. */
static size_t read_rest(struct quantity_reader *r, size_t next)
{
    struct quantity *q = &r->q->items[r->q->count - 1];
    const size_t fraction = quantity_read_fraction(r, q, next);
    if (fraction != next || q->fraction)
        return quantity_read_fraction_unit(r, q, fraction);
    next = quantity_read_half(r, q, next, 1); /* five and a half million */
    next = quantity_read_behind(r, q, next);
    next = quantity_read_unit(r, q, next);
    if (q->dimension)
        next = quantity_read_half(r, q, next, q->factor);
    quantity_read_ratio(r, q);
    quantity_read_hour(r, q);
    return next;
}

/* "an hour" counts as one in what it is held against. */
static size_t read_implied(struct quantity_reader *r, size_t at)
{
    const struct gloss *noon = quantity_means(r, at, MEANS_NOON);
    const bool one = quantity_means(r, at, MEANS_A) && token_gap_is(r->t, at, " ") &&
                     quantity_means(r, at + 1, MEANS_UNIT);
    struct quantity *q;
    const bool rate =
        at > 0 && (r->t->items[at - 1].kind == TOKEN_DIGITS || quantity_piece(r, at - 1) > 0 ||
                   quantity_means(r, at - 1, MEANS_UNIT));
    if (!noon && (!one || rate)) /* 5 euros a day */
        return at;
    q = quantity_add(r, at);
    q->implied = true;
    if (noon) {
        quantity_set_clock(q, noon->value / 60, 0, false);
        return at + 1;
    }
    quantity_add_reading(q, 1, 1, DIM_NONE);
    const size_t next = quantity_read_unit(r, q, at + 1);
    return quantity_read_half(r, q, next, q->factor);
}

static size_t read_one(struct quantity_reader *r, size_t at)
{
    const struct gloss *g;
    size_t next;
    if (r->t->items[at].used)
        return at + 1;
    if (r->t->items[at].kind == TOKEN_DIGITS) {
        next = quantity_read_clock(r, at);
        return next != at ? next : read_rest(r, quantity_read_number(r, at));
    }
    if ((next = quantity_read_past(r, at)) != at || (next = read_implied(r, at)) != at)
        return next;
    if ((next = quantity_read_words(r, at)) != at)
        return read_rest(r, next);
    if ((g = token_means(r->t, at, MEANS_ORDINAL, r->languages)) != NULL) {
        struct quantity *q = quantity_add(r, at);
        quantity_add_reading(q, g->value, 1, DIM_NONE);
        q->words = q->ordinal = true;
    }
    if (quantity_fraction_of(r, at) > 0) {
        quantity_set_fraction(quantity_add(r, at), quantity_fraction_of(r, at));
        r->q->items[r->q->count - 1].words = r->q->items[r->q->count - 1].implied = true;
        return quantity_read_fraction_unit(r, &r->q->items[r->q->count - 1], at + 1);
    }
    return at + 1;
}

/* ---- numbers beside each other ----------------------------------------------------------------
 */

/* Only a sign of lists and ranges, or one word of them, between a and b? */
static bool is_listed(const struct quantity_reader *r, const struct quantity *a,
                      const struct quantity *b)
{
    static const char *const gaps[] = {
        ",", ", ", "-", " - ", "/", "\xE2\x80\x93", " \xE2\x80\x93 ", "\xE2\x80\x94", "; "};
    if (b->first == a->last + 1)
        for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
            if (token_gap_is(r->t, a->last, gaps[i]))
                return true;
    return b->first == a->last + 2 && b->from - a->to <= 8 &&
           (quantity_means(r, a->last + 1, MEANS_AND) || quantity_means(r, a->last + 1, MEANS_TO));
}

/* "4.2 and 12.6 million", "9 to 11 am": the first is of what the second is. */
static void spread(const struct quantity_reader *r, struct quantity *a, const struct quantity *b)
{
    if ((a->dimension && a->dimension != DIM_MONEY) || a->factor != 1 || !a->count ||
        !is_listed(r, a, b))
        return;
    const double v = a->readings[0].value, grain = a->readings[0].grain;
    const bool money =
        a->dimension && !b->dimension; /* $5-7 million, not $50 to 3 million people */
    if (money && (!b->count || v * b->factor >= b->readings[0].value))
        return;
    if (b->dimension == DIM_CLOCK) {
        quantity_add_reading(a, v * 60, 1, DIM_CLOCK);
        quantity_add_reading(a, v * 60 + 720, 1, DIM_CLOCK);
    } else if (b->factor != 1 || b->dimension) {
        quantity_add_reading(a, v * b->factor, grain * b->factor, b->dimension);
        if (money)
            quantity_add_reading(a, v * b->factor, grain * b->factor, a->dimension);
        else
            a->dimension = b->dimension;
        a->currency = a->currency ? a->currency : b->currency;
        a->factor = b->factor;
    }
}

/* "1 hour 15 minutes", "1 hour 15" */
static void sum(const struct quantity_reader *r, struct quantity *a, const struct quantity *b)
{
    const bool near = b->first == a->last + 1
                          ? token_is_near(r->t, a->last)
                          : b->first == a->last + 2 && quantity_means(r, a->last + 1, MEANS_AND);
    const bool unit = b->dimension == a->dimension && b->factor < a->factor;
    const bool bare = b->dimension == DIM_NONE && b->factor == 1 && a->factor == 3600;
    if ((a->dimension != DIM_SECONDS && a->dimension != DIM_MONTHS) || !near || !(unit || bare) ||
        !a->count || !b->count)
        return;
    const double small = bare ? 60 : b->factor;
    quantity_add_reading(a, a->factor * (a->readings[0].value) + small * b->readings[0].value,
                         small, (enum dimension)a->dimension);
    a->summed = true;
}

/* "1631-48" */
static void read_century(const struct quantity_reader *r, struct quantity *q)
{
    const size_t at = q->first;
    if (at == 0 || r->t->items[at].len != 2 || r->t->items[at - 1].len != 4 ||
        r->t->items[at - 1].kind != TOKEN_DIGITS ||
        !(token_gap_is(r->t, at - 1, "-") || token_gap_is(r->t, at - 1, "\xE2\x80\x93") ||
          token_gap_is(r->t, at - 1, "/")))
        return;
    quantity_add_reading(q, floor(quantity_whole(r, at - 1) / 100) * 100 + quantity_whole(r, at), 1,
                         DIM_NONE);
}

static bool says_about(const struct quantity_reader *r, size_t first)
{
    for (size_t back = 1; back <= 2 && back <= first; back++)
        if (quantity_means(r, first - back, MEANS_ABOUT))
            return true;
    return false;
}

/* "$m" over a table, "in millions": of all its numbers. */
static double table_scale(const struct tokens *t)
{
    static const struct {
        const char *sign;
        double scale;
    } signs[] = {{"$m", 1e6},           {"\xC2\xA3m", 1e6},    {"\xE2\x82\xACm", 1e6},
                 {"in millions", 1e6},  {"in millionen", 1e6}, {"$bn", 1e9},
                 {"in thousands", 1e3}, {"in billions", 1e9},  {" m\xE2\x82\xAC", 1e6},
                 {"mio. eur", 1e6},     {"$ million", 1e6},    {"en millones", 1e6},
                 {"en millions", 1e6}};
    for (size_t at = 0; at + 2 < t->len; at++) {
        const int first = tolower((unsigned char)t->text[at]);
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
            if (first != (unsigned char)*signs[i].sign)
                continue;
            const size_t n = strlen(signs[i].sign);
            if (at + n <= t->len && strncasecmp(t->text + at, signs[i].sign, n) == 0 &&
                (at + n == t->len || !isalnum((unsigned char)t->text[at + n])))
                return signs[i].scale;
        }
    }
    return 1;
}

void quantities_read(struct quantities *q, const struct tokens *t, unsigned languages)
{
    struct quantity_reader r = {.q = q, .t = t, .languages = languages};
    *q = (struct quantities){0};
    quantity_read_convention(&r);
    for (size_t at = 0; at < t->count;)
        at = read_one(&r, at);
    const double scale = table_scale(t);
    for (size_t i = q->count; i-- > 0;) {
        struct quantity *a = &q->items[i];
        if (i + 1 < q->count) {
            spread(&r, a, a + 1);
            sum(&r, a, a + 1);
        }
        read_century(&r, a);
        a->about = says_about(&r, a->first);
        if (scale > 1 && a->factor == 1 && a->count)
            quantity_add_reading(a, a->readings[0].value * scale, a->readings[0].grain * scale,
                                 DIM_NONE);
    }
}

void quantities_free(struct quantities *q)
{
    free(q->items);
    *q = (struct quantities){0};
}
