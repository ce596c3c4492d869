#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "guards/quantity_private.h"

/* ---- times of day -----------------------------------------------------------------------------
 */

/* "pm", "p.m.": how many tokens; and which half of the day. */
static size_t halfday_at(const struct quantity_reader *r, size_t at, double *noon)
{
    const struct token *w =
        at < r->t->count && token_is_near(r->t, at - 1) ? &r->t->items[at] : NULL;
    const struct gloss *g = w ? quantity_means(r, at, MEANS_HALFDAY) : NULL;
    *noon = g ? g->value : 0;
    if (g)
        return 1;
    if (!w || w->len != 1 || !strchr("ap", w->folded[0]) || at + 1 >= r->t->count ||
        !(token_gap_is(r->t, at, ".") || token_gap_is(r->t, at, ". ")) ||
        strcmp(w[1].folded, "m") != 0)
        return 0;
    *noon = w->folded[0] == 'p' ? 720 : 0;
    return 2;
}

static bool is_small(const struct quantity_reader *r, size_t at, size_t least, size_t most,
                     double below)
{
    const struct token *w = at < r->t->count ? &r->t->items[at] : NULL;
    return w && w->kind == TOKEN_DIGITS && w->len >= least && w->len <= most &&
           strcspn(w->folded, ".,'") == w->len && quantity_whole(r, at) < below;
}

/* 1080 for 18:00; 540 and 1260 where either is meant. */
void quantity_set_clock(struct quantity *q, double hour, double minute, bool either)
{
    q->count = 0;
    quantity_add_reading(q, hour * 60 + minute, 1, DIM_CLOCK);
    quantity_add_reading(q, hour * 3600 + minute * 60, 1, DIM_SECONDS); /* 2h51 may last so long */
    if (either && hour <= 12)
        quantity_add_reading(q, (hour == 12 ? 0 : hour + 12) * 60 + minute, 1, DIM_CLOCK);
    q->dimension = DIM_CLOCK;
}

/* 18:00, 6:30 p.m., 4.20 pm, 6 pm, 18h30, 9 Uhr: the token behind it; `first`: it is none. */
size_t quantity_read_clock(struct quantity_reader *r, size_t first)
{
    const struct token *w = r->t->items;
    double hour = quantity_whole(r, first), minute = 0, noon;
    size_t next = first + 1;
    bool said = false;
    if (hour > 24 || w[first].len > 5)
        return first;
    if (is_small(r, first, 1, 2, 25) && is_small(r, first + 1, 2, 2, 60) &&
        token_gap_is(r->t, first, ":")) {
        minute = quantity_whole(r, first + 1);
        next = first + 2;
        said = true;
    } else if (is_small(r, first, 1, 2, 25) && next < r->t->count &&
               quantity_means(r, next, MEANS_CLOCK) && token_is_near(r->t, first)) {
        said = strcmp(w[next].folded, "uhr") == 0;
        next++;
        if (is_small(r, next, 2, 2, 60) && token_is_near(r->t, next - 1)) {
            minute = quantity_whole(r, next++);
            said = true;
        }
    } else if (w[first].len >= 4 && strchr("12345.", w[first].folded[1]) &&
               w[first].folded[w[first].len - 3] == '.') {
        minute = round((hour - floor(hour)) * 100);
        hour = floor(hour);
    } else if (!is_small(r, first, 1, 2, 25)) {
        return first;
    }
    const size_t half = minute < 60 ? halfday_at(r, next, &noon) : 0;
    if (!said && !half)
        return first;
    struct quantity *q = quantity_add(r, first);
    if (half && hour <= 12)
        quantity_set_clock(q, (hour == 12 ? 0 : hour) + noon / 60, minute, false);
    else
        quantity_set_clock(q, hour, minute, w[first].folded[0] != '0');
    quantity_extend(r, q, next + half - 1);
    return next + half;
}

/* Is the hour that ends with token `at` that of something: a quarter to five euros, to three
 * quarters, to 1 July, after 3 years? `noun`: or of any word in small letters? */
static bool goes_on(const struct quantity_reader *r, size_t at, bool noun)
{
    static const enum meaning kinds[] = {MEANS_UNIT, MEANS_FRACTION, MEANS_MULTIPLIER, MEANS_MONTH};
    const size_t next = at + 1;
    const char sign = r->t->items[at].to < r->t->len ? r->t->text[r->t->items[at].to] : ' ';
    if (sign == '%' || next >= r->t->count || !token_is_near(r->t, at))
        return sign == '%';
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (quantity_means(r, next, kinds[i]))
            return true;
    const struct token *w = &r->t->items[next];
    return noun && w->kind == TOKEN_WORD && !w->capital && !quantity_means(r, next, MEANS_SMALL) &&
           !quantity_means(r, next, MEANS_TO) && !quantity_means(r, next, MEANS_HALFDAY);
}

/* "at a quarter to nine": what goes before says that it is a time. */
static bool is_at(const struct quantity_reader *r, size_t first)
{
    return (first > 0 && quantity_means(r, first - 1, MEANS_AT)) ||
           (first > 1 && quantity_means(r, first - 1, MEANS_A) &&
            quantity_means(r, first - 2, MEANS_AT));
}

/* "half past nine", "a quarter to ten": the token behind it; `first`: it is none. */
size_t quantity_read_past(struct quantity_reader *r, size_t first)
{
    const double part = 60 * quantity_fraction_of(r, first), day = 24 * 60;
    const size_t at = first + 2;
    double noon;
    if ((part != 15 && part != 30) || at >= r->t->count || r->t->items[at].used ||
        !token_is_near(r->t, first) || !token_is_near(r->t, first + 1))
        return first;
    const struct gloss *g = quantity_means(r, first + 1, MEANS_PAST);
    const bool past = g && g->value == 1; /* nothing else is "past nine" */
    const bool after = g && part == 15,
               to = part == 15 && quantity_means(r, first + 1, MEANS_BEFORE);
    double hour = quantity_piece(r, at); /* "by a quarter to 12" is none */
    if (hour < 0 && past && is_small(r, at, 1, 2, 13))
        hour = quantity_whole(r, at);
    const size_t half = halfday_at(r, at + 1, &noon);
    if (!(past || after || to) || hour < 1 || hour > 12 ||
        (!half && goes_on(r, at, !past && !is_at(r, first))))
        return first;
    const double of_hour = half && hour == 12 ? 0 : hour * 60;
    const double minutes = fmod(of_hour + (to ? -part : part) + (half ? noon : 0) + day, day);
    struct quantity *q = quantity_add(r, first);
    quantity_set_clock(q, floor(minutes / 60), fmod(minutes, 60), !half);
    q->words = true;
    quantity_extend(r, q, at + half);
    return at + half + 1;
}

/* "at nine", "9 heures", "alle 23.10": may be a time. "At 8 points" is none. */
void quantity_read_hour(const struct quantity_reader *r, struct quantity *q)
{
    const double v = q->readings[0].value;
    const size_t next = q->last + 1;
    const bool clock = quantity_means(r, q->last, MEANS_CLOCK) ||
                       (next < r->t->count && strcmp(r->t->items[next].folded, "o") == 0);
    const bool counts = next < r->t->count && token_is_near(r->t, q->last) &&
                        r->t->items[next].kind == TOKEN_WORD && !r->t->items[next].capital &&
                        !quantity_means(r, next, MEANS_SMALL) && !quantity_means(r, next, MEANS_TO);
    const bool at =
        q->first > 0 && quantity_means(r, q->first - 1, MEANS_AT) && !q->dimension && !counts;
    const double minute = round((v - floor(v)) * 100);
    const bool point = q->readings[0].grain == 0.01 && minute < 60;
    if (v < 0 || v > 24 || q->dimension || !(point || ((at || clock) && v == floor(v))))
        return;
    const double of_day = floor(v) * 60 + minute;
    quantity_add_reading(q, of_day, 1, DIM_CLOCK);
    if (v < 13)
        quantity_add_reading(q, of_day + 720, 1, DIM_CLOCK);
}
