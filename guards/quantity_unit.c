/* What goes with a number: a multiplier, a fraction, a unit. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "guards/quantity_private.h"

static char byte_at(const struct quantity_reader *r, size_t at)
{
    return at < r->t->len ? r->t->text[at] : '\0';
}

static bool text_at(const struct quantity_reader *r, size_t at, const char *what)
{
    const size_t n = strlen(what);
    return at + n <= r->t->len && memcmp(r->t->text + at, what, n) == 0;
}

static const struct {
    const char *text;
    enum dimension currency;
} money_signs[] = {{"$", DIM_DOLLARS},
                   {"\xE2\x82\xAC", DIM_EUROS},
                   {"\xC2\xA3", DIM_POUNDS},
                   {"\xC2\xA5", DIM_YEN}};

/* The currency whose sign stands right before `from`, or at `behind`; DIM_NONE: there is none. */
static enum dimension signed_money(const struct quantity_reader *r, size_t from, size_t behind)
{
    for (size_t i = 0; i < sizeof money_signs / sizeof *money_signs; i++) {
        const size_t n = strlen(money_signs[i].text);
        if ((from >= n && text_at(r, from - n, money_signs[i].text)) ||
            text_at(r, behind, money_signs[i].text))
            return money_signs[i].currency;
    }
    return DIM_NONE;
}

/* €24m, 62,5 M€, 5 € */
static enum dimension money_sign(const struct quantity_reader *r, const struct quantity *q)
{
    return signed_money(r, q->from, q->to + (byte_at(r, q->to) == ' '));
}

/* EUR 5 */
static enum dimension money_name(const struct quantity_reader *r, const struct quantity *q)
{
    const struct gloss *name = q->first > 0 && token_gap_is(r->t, q->first - 1, " ")
                                   ? quantity_means(r, q->first - 1, MEANS_UNIT)
                                   : NULL;
    return name && gloss_is_money(name) ? (enum dimension)name->dimension : DIM_NONE;
}

static bool is_money(const struct quantity_reader *r, const struct quantity *q)
{
    return money_sign(r, q) || money_name(r, q);
}

/* 4th, 2.5 million, 23m */
size_t quantity_read_behind(struct quantity_reader *r, struct quantity *q, size_t next)
{
    const struct gloss *g;
    const bool close = next < r->t->count && r->t->items[next].from == q->to;
    if (close && quantity_means(r, next, MEANS_SUFFIX) && !quantity_means(r, next, MEANS_UNIT)) {
        q->ordinal = true;
        quantity_extend(r, q, next);
        return next + 1;
    }
    while (next < r->t->count && token_is_near(r->t, next - 1) && !r->t->items[next].used &&
           (g = quantity_means(r, next, MEANS_MULTIPLIER)) != NULL) {
        quantity_multiply(q, g->value);
        quantity_extend(r, q, next++);
    }
    if (next >= r->t->count || !token_is_near(r->t, next - 1) ||
        (g = quantity_means(r, next, MEANS_SCALE)) == NULL)
        return next;
    const bool metres = !close && r->t->items[next].folded[0] == 'm' &&
                        !r->t->items[next].capital &&
                        r->t->items[next].len == 1; /* or minutes: 20 m */
    struct quantity money = *q;
    quantity_extend(r, &money, next);
    if (metres && !is_money(r, &money))
        return next;
    if (is_money(r, &money) || (close && r->t->items[next].folded[0] == 'k')) {
        quantity_multiply(q, g->value);
    } else { /* 23m: millions, metres, minutes */
        for (size_t i = 0, n = q->count; i < n; i++)
            quantity_add_reading(q, q->readings[i].value * g->value,
                                 q->readings[i].grain * g->value, DIM_NONE);
    }
    quantity_extend(r, q, next);
    return next + 1;
}

double quantity_fraction_of(const struct quantity_reader *r, size_t at)
{
    const struct gloss *g = quantity_means(r, at, MEANS_FRACTION);
    return g && !r->t->items[at].used ? g->value : -1;
}

/* "and a half", "½" behind a number or its unit: the token behind it. */
size_t quantity_read_half(struct quantity_reader *r, struct quantity *q, size_t next, double of)
{
    size_t at = next;
    const bool joined = at > 0 && at < r->t->count && token_is_near(r->t, at - 1) &&
                        quantity_means(r, at, MEANS_AND);
    if (joined)
        at += quantity_means(r, at + 1, MEANS_A) ? 2 : 1;
    if (at >= r->t->count || !(joined || r->t->items[at].from == r->t->items[at - 1].to))
        return next;
    const double half = quantity_fraction_of(r, at);
    if (half <= 0 || half >= 1)
        return next;
    for (size_t i = 0; i < q->count; i++)
        q->readings[i].value += half * (q->readings[i].dimension ? of : 1);
    quantity_extend(r, q, at);
    return at + 1;
}

static enum dimension dimension_of(const struct gloss *unit)
{
    return gloss_is_money(unit) ? DIM_MONEY : (enum dimension)unit->dimension;
}

/* What is a number of the unit has a reading in it, besides that as a number. */
static void set_unit(struct quantity *q, const struct gloss *unit)
{
    const enum dimension dimension = dimension_of(unit);
    for (size_t i = 0, n = q->count; i < n; i++)
        if (q->readings[i].dimension == DIM_NONE)
            quantity_add_reading(q, q->readings[i].value * unit->value,
                                 q->readings[i].grain * unit->value, dimension);
    q->dimension = (uint8_t)dimension;
    q->currency = unit->dimension == dimension ? DIM_NONE : unit->dimension;
    q->factor *= unit->value;
}

/* "weight_kg": 1800 */
static const struct gloss *unit_of_key(const struct quantity_reader *r, const struct quantity *q)
{
    const bool key = q->first > 0 && (token_gap_is(r->t, q->first - 1, "\": ") ||
                                      token_gap_is(r->t, q->first - 1, "\":"));
    return key ? quantity_means(r, q->first - 1, MEANS_UNIT) : NULL;
}

/* "per cent", "pour cent", "por ciento" */
static bool is_per_cent(const struct quantity_reader *r, size_t next)
{
    const struct token *w = &r->t->items[next];
    return next + 1 < r->t->count && token_gap_is(r->t, next - 1, " ") &&
           token_gap_is(r->t, next, " ") && w[0].folded[0] == 'p' && w[0].len <= 4 &&
           w[1].folded[0] == 'c' && quantity_means(r, next + 1, MEANS_MULTIPLIER);
}

/* Where a sign behind the number would stand: a space, which may be one that does not break, may go
 * before it. */
static size_t sign_place(const struct quantity_reader *r, const struct quantity *q)
{
    return q->to + (byte_at(r, q->to) == ' '            ? 1
                    : text_at(r, q->to, "\xC2\xA0")     ? 2
                    : text_at(r, q->to, "\xE2\x80\xAF") ? 3
                                                        : 0);
}

size_t quantity_read_unit(struct quantity_reader *r, struct quantity *q, size_t next)
{
    static const struct gloss percent = {.value = 1, .dimension = DIM_PERCENT};
    const struct gloss by_sign = {.value = 1, .dimension = (uint8_t)money_sign(r, q)},
                       by_name = {.value = 1, .dimension = (uint8_t)money_name(r, q)};
    const size_t sign = sign_place(r, q);
    const bool apart = by_name.dimension && token_gap_is(r->t, next - 1, ". "); /* EUR 20. Days … */
    const struct gloss *unit = next < r->t->count && token_is_near(r->t, next - 1) && !apart
                                   ? quantity_means(r, next, MEANS_UNIT)
                                   : NULL;
    if (byte_at(r, sign) == '%') {
        set_unit(q, &percent);
        q->to = (uint32_t)sign + 1;
    } else if (next < r->t->count && is_per_cent(r, next)) {
        set_unit(q, &percent);
        quantity_extend(r, q, next + 1);
        return next + 2;
    } else if (by_sign.dimension && !(unit && gloss_is_money(unit))) {
        set_unit(q, &by_sign); /* £112. Seconds are … */
    } else if (unit && !(quantity_means(r, next, MEANS_SCALE) && q->last + 1 != next)) {
        set_unit(q, unit);
        quantity_extend(r, q, next);
        return next + 1;
    } else if (by_name.dimension) {
        set_unit(q, &by_name);
    } else if ((unit = unit_of_key(r, q)) != NULL) {
        set_unit(q, unit);
    }
    return next;
}

/* "two thirds", "half", "a quarter"; the token behind it, or `next`. */
size_t quantity_read_fraction(struct quantity_reader *r, struct quantity *q, size_t next)
{
    const double part =
        next < r->t->count && token_is_near(r->t, next - 1) ? quantity_fraction_of(r, next) : -1;
    const double n = q->readings[0].value;
    if (part <= 0 || part >= 1 || n < 1 || n * part > 1 || n != floor(n) || !q->words)
        return next;
    quantity_set_fraction(q, n * part);
    quantity_extend(r, q, next);
    return next + 1;
}

/* "one in eight" */
void quantity_read_ratio(struct quantity_reader *r, struct quantity *q)
{
    const size_t at = q->last + 1;
    const struct token *in = at + 1 < r->t->count ? &r->t->items[at] : NULL;
    const double n = q->readings[0].value;
    if (!in || in->len != 2 ||
        !(memcmp(in->folded, "in", 2) == 0 || memcmp(in->folded, "su", 2) == 0) || n < 1)
        return;
    const double of = r->t->items[at + 1].kind == TOKEN_DIGITS ? quantity_whole(r, at + 1)
                                                               : quantity_piece(r, at + 1);
    if (of > n && of <= 1000)
        quantity_add_reading(q, 100 * n / of, 1, DIM_PERCENT);
}

/* "half an hour", "three quarters of an hour": the fraction of a unit. */
size_t quantity_read_fraction_unit(struct quantity_reader *r, struct quantity *q, size_t next)
{
    size_t at = next;
    while (at < next + 2 && at < r->t->count && token_is_near(r->t, at - 1) &&
           (quantity_means(r, at, MEANS_OF) || quantity_means(r, at, MEANS_A)) &&
           !quantity_means(r, at, MEANS_UNIT))
        at++;
    const struct gloss *unit = at < r->t->count ? quantity_means(r, at, MEANS_UNIT) : NULL;
    if (!unit || !token_is_near(r->t, at - 1))
        return next;
    quantity_add_reading(q, q->readings[0].value * unit->value, unit->value / 100,
                         dimension_of(unit));
    quantity_extend(r, q, at);
    return at + 1;
}
