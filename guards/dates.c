#include "guards/dates.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { YEAR_LEAST = 1000, YEAR_MOST = 2200, DAYS_MAX = 4, BETWEEN_MAX = 3 };

static struct date *add(struct dates *d, int year, int month, int day)
{
    if (d->count == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->items = mem_array(d->items, d->cap, sizeof *d->items);
    }
    d->items[d->count] = (struct date){.year = year, .month = month, .day = day};
    return &d->items[d->count++];
}

static void cover(struct date *d, const struct tokens *t, size_t first, size_t last)
{
    d->from = t->items[first].from;
    d->to = t->items[last].to;
}

static void use(struct tokens *t, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++)
        t->items[i].used |= !token_means(t, i, MEANS_WEEKDAY, t->languages);
}

int date_weekday(int year, int month, int day)
{
    static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4}; /* T. Sakamoto, 1992 */
    const int y = year - (month < 3);
    const int sunday = (y + y / 4 - y / 100 + y / 400 + shift[month - 1] + day) % 7;
    return sunday ? sunday : 7;
}

/* Digits alone, from `low` to `high`; 0: they are not. */
static int whole(const struct tokens *t, size_t at, int low, int high)
{
    const struct token *w = at < t->count ? &t->items[at] : NULL;
    if (!w || w->kind != TOKEN_DIGITS || w->used || w->len > 4 ||
        strcspn(w->folded, ".,' ") != w->len)
        return 0;
    const int v = atoi(w->folded);
    return v >= low && v <= high ? v : 0;
}

static int year_at(const struct tokens *t, size_t at)
{
    return at < t->count && t->items[at].len == 4 ? whole(t, at, YEAR_LEAST, YEAR_MOST) : 0;
}

static int day_at(const struct tokens *t, size_t at)
{
    return whole(t, at, 1, 31);
}

/* What stands between a day and its month, and between days: "4th of", "bis", "-". */
static bool is_between(const struct tokens *t, size_t at)
{
    return at < t->count && !t->items[at].used && t->items[at].kind == TOKEN_WORD &&
           (token_means(t, at, MEANS_SUFFIX, LANGS_ALL) ||
            token_means(t, at, MEANS_OF, LANGS_ALL) || token_means(t, at, MEANS_AND, LANGS_ALL) ||
            token_means(t, at, MEANS_TO, LANGS_ALL) ||
            token_means(t, at, MEANS_WEEKDAY, t->languages));
}

static bool is_close(const struct tokens *t, size_t at)
{
    return at + 1 < t->count && t->items[at + 1].from - t->items[at].to <= 5 &&
           !memchr(t->text + t->items[at].to, '\n', t->items[at + 1].from - t->items[at].to);
}

static bool gap_has(const struct tokens *t, size_t at, const char *signs)
{
    for (size_t i = t->items[at].to; i < t->items[at + 1].from; i++)
        if (t->text[i] && strchr(signs, t->text[i]))
            return true;
    return false;
}

/* ---- months with names ------------------------------------------------------------------------
 */

struct found {
    int days[DAYS_MAX];
    size_t at[DAYS_MAX]; /* their tokens */
    size_t count;
};

static void find_before(const struct tokens *t, size_t month, struct found *f)
{
    for (size_t at = month, between = 0; at > 0 && is_close(t, at - 1) && f->count < DAYS_MAX;
         at--) {
        const bool broken = gap_has(t, at - 1, f->count ? ";:()" : ",;:()");
        const bool minute =
            at > 1 && t->items[at - 2].kind == TOKEN_DIGITS && token_gap_is(t, at - 2, ":");
        const int day = broken || minute ? 0 : day_at(t, at - 1);
        if (broken)
            break;
        if (day) {
            f->at[f->count] = at - 1;
            f->days[f->count++] = day;
            between = 0;
        } else if (!is_between(t, at - 1) || ++between > BETWEEN_MAX) {
            break;
        }
    }
}

static void find_behind(const struct tokens *t, size_t month, struct found *f)
{
    for (size_t at = month, between = 0; is_close(t, at) && f->count < DAYS_MAX; at++) {
        const int day = at > month || token_is_near(t, at) ? day_at(t, at + 1) : 0;
        const bool clock =
            day && (token_gap_is(t, at + 1, ":") ||
                    (at + 2 < t->count && token_means(t, at + 2, MEANS_HALFDAY, LANGS_ALL)));
        if (day && !clock) {
            f->at[f->count] = at + 1;
            f->days[f->count++] = day;
            between = 0;
        } else if (clock || !is_between(t, at + 1) || ++between > BETWEEN_MAX) {
            break;
        }
    }
}

/* The token of the year behind `at`; 0: there is none. */
static size_t find_year(const struct tokens *t, size_t at)
{
    for (size_t between = 0; is_close(t, at) && between <= 2; at++, between++) {
        if (year_at(t, at + 1))
            return at + 1;
        if (!is_between(t, at + 1))
            break;
    }
    return 0;
}

/* "may" and "mar" are no months by themselves. */
static bool is_month(const struct tokens *t, size_t at, bool with)
{
    const struct token *w = &t->items[at];
    if (!with && token_means(t, at, MEANS_NUMBER, t->languages)) /* sept */
        return false;
    if (with)
        return w->capital || w->len > 3 || t->language != LANG_EN;
    const bool after = at > 0 && !t->items[at - 1].capital &&
                       (token_means(t, at - 1, MEANS_SMALL, LANGS_ALL) ||
                        token_means(t, at - 1, MEANS_OF, LANGS_ALL));
    const bool capital = w->capital && (!w->start || w->len > 5);
    return w->len > 3 ? (capital || (after && !w->capital && t->language != LANG_EN))
                      : capital && after;
}

static size_t read_month(struct dates *d, struct tokens *t, size_t at, int month)
{
    struct found f = {0};
    find_before(t, at, &f);
    if (!f.count)
        find_behind(t, at, &f);
    size_t first = at, last = at;
    for (size_t i = 0; i < f.count; i++) {
        first = f.at[i] < first ? f.at[i] : first;
        last = f.at[i] > last ? f.at[i] : last;
    }
    const size_t year = find_year(t, last);
    if (!is_month(t, at, f.count || year))
        return at;
    const int y = year ? year_at(t, year) : 0;
    last = year ? year : last;
    if (!f.count)
        cover(add(d, y, month, 0), t, first, last);
    for (size_t i = 0; i < f.count; i++)
        cover(add(d, y, month, f.days[i]), t, first, last);
    use(t, first, last);
    return last;
}

/* ---- digits -----------------------------------------------------------------------------------
 */

/* Numbers with one sign between them: 15.02.2024, 15. 2. 2024, 24/10. */
struct written {
    int n[3];
    size_t count, width; /* of the last, its digits */
    char sign;
    bool spaced;
    const char *end;
};

static int number_at(const char **p, const char *end, size_t *digits)
{
    int v = 0;
    for (*digits = 0; *p < end && isdigit((unsigned char)**p) && *digits < 5; ++*digits)
        v = v * 10 + *(*p)++ - '0';
    return *digits && *digits < 5 ? v : -1;
}

static struct written read_written(const char *p, const char *end)
{
    struct written w = {.end = p};
    while (w.count < 3 && (w.n[w.count] = number_at(&p, end, &w.width)) >= 0) {
        w.count++;
        w.end = p;
        if (w.count == 3 || p + 1 >= end || !strchr("-./", *p) || (w.sign && *p != w.sign))
            break;
        const bool space = p[1] == ' ' && *p == '.' && p + 2 < end && isdigit((unsigned char)p[2]);
        w.sign = *p;
        if (!isdigit((unsigned char)p[1]) && !space)
            break;
        w.spaced |= space;
        p += space ? 2 : 1;
    }
    return w;
}

static size_t tokens_until(const struct tokens *t, size_t at, const char *end)
{
    while (at + 1 < t->count && t->text + t->items[at + 1].from < end)
        at++;
    return at;
}

/* Day and month, whichever way round they can be. */
static struct date *add_written(struct dates *d, int year, int day, int month, char sign)
{
    const bool swap = month > 12;
    if (day < 1 || month < 1 || day > 31 || month > 31 || (day > 12 && month > 12))
        return NULL;
    struct date *x = add(d, year, swap ? day : month, swap ? month : day);
    x->either = sign == '/' && day <= 12 && month <= 12;
    return x;
}

static int year_of(const struct written *w)
{
    const int year = w->n[0] >= YEAR_LEAST ? w->n[0] : w->n[2];
    if (w->count < 3)
        return 0;
    if (w->n[0] < YEAR_LEAST && w->width == 2 && w->sign != '-' && !w->spaced)
        return 2000 + year;
    return year >= YEAR_LEAST && year <= YEAR_MOST ? year : 0;
}

/* 2024-05, 05/2024: the last token; -1: it is none. */
static long read_month_year(struct dates *d, struct tokens *t, size_t at, const struct written *w)
{
    const bool iso = w->count == 2 && w->sign == '-' && w->n[0] >= YEAR_LEAST && w->width == 2;
    const bool slash = w->count == 2 && w->sign == '/' && w->width == 4;
    const int year = iso ? w->n[0] : w->n[1], month = iso ? w->n[1] : w->n[0];
    if (!(iso || slash) || year < YEAR_LEAST || year > YEAR_MOST || month < 1 || month > 12)
        return -1;
    const size_t last = tokens_until(t, at, w->end);
    cover(add(d, year, month, 0), t, at, last);
    use(t, at, last);
    return (long)last;
}

/* 2024-03-03, 15.02.2024, 3/3/24; 18.5., 24/10: the last token; -1: nothing that is a date only. */
static long read_digits(struct dates *d, struct tokens *t, size_t at)
{
    const char *from = t->text + t->items[at].from;
    const struct written w = read_written(from, t->text + t->len);
    const int year = year_of(&w);
    const bool iso = w.n[0] >= YEAR_LEAST;
    if (at > 0 && t->items[at - 1].to == t->items[at].from)
        return -1;
    const long month = read_month_year(d, t, at, &w);
    if (month >= 0)
        return month;
    struct date *x = year ? add_written(d, year, iso ? w.n[2] : w.n[0], w.n[1], iso ? '-' : w.sign)
                     : w.count == 2 && w.sign != '-' && !w.spaced
                         ? add_written(d, 0, w.n[0], w.n[1], w.sign)
                         : NULL;
    if (!x)
        return -1;
    const size_t last = tokens_until(t, at, w.end);
    cover(x, t, at, last);
    x->guess = !year;
    if (!year)
        return -1;
    use(t, at, last);
    return (long)last;
}

/* ---- quarters, weekdays, years ----------------------------------------------------------------
 */

/* "Q3", "third quarter", "3. Quartal": which, and its last token. */
static int quarter_at(const struct tokens *t, size_t at, size_t *last)
{
    const struct token *w = &t->items[at];
    const struct gloss *ordinal = token_means(t, at, MEANS_ORDINAL, LANGS_ALL);
    *last = at;
    if (w->kind == TOKEN_CODE && w->len == 2 && (w->folded[0] == 'q' || w->folded[0] == 't') &&
        w->upper + w->capital && w->folded[1] >= '1' && w->folded[1] <= '4')
        return w->folded[1] - '0';
    const int n = ordinal ? (int)ordinal->value : whole(t, at, 1, 4);
    size_t next = at + 1;
    if (!n || n > 4 || next >= t->count)
        return 0;
    next += !ordinal && token_means(t, next, MEANS_SUFFIX, LANGS_ALL) ? 1 : 0;
    if (next >= t->count || !token_is_near(t, next - 1) ||
        !token_means(t, next, MEANS_QUARTER, LANGS_ALL))
        return 0;
    *last = next;
    return n;
}

static size_t read_quarter(struct dates *d, struct tokens *t, size_t at)
{
    size_t last;
    const int quarter = quarter_at(t, at, &last);
    if (!quarter)
        return at;
    const size_t year = find_year(t, last);
    struct date *x = add(d, year ? year_at(t, year) : 0, 0, 0);
    x->quarter = quarter;
    last = year ? year : last;
    cover(x, t, at, last);
    use(t, at, last);
    return last;
}

static void read_weekday(struct dates *d, struct tokens *t, size_t at)
{
    const struct gloss *g = token_means(t, at, MEANS_WEEKDAY, t->languages);
    const struct token *w = &t->items[at];
    if (!g || w->used || (w->len < 4 && !w->capital) || (t->language == LANG_EN && !w->capital))
        return;
    struct date *x = add(d, 0, 0, 0);
    x->weekday = (int)g->value;
    cover(x, t, at, at);
    t->items[at].used = true;
}

/* A number that stands for a year: of four digits, and of nothing that is counted. */
static void read_year(struct dates *d, struct tokens *t, size_t at)
{
    const int year = year_at(t, at);
    const struct token *w = &t->items[at];
    const bool key = at > 0 && token_gap_is(t, at - 1, "\": ");
    if (key && token_means(t, at - 1, MEANS_UNIT, LANGS_ALL))
        return; /* "weight_kg": 1800 */
    if (!year || (w->from > 0 && strchr("$#/.,-:", t->text[w->from - 1]) &&
                  !(w->from > 1 && isdigit((unsigned char)t->text[w->from - 2]))))
        return;
    const unsigned char next = w->to < t->len ? (unsigned char)t->text[w->to] : ' ';
    if (strchr("%$:", next) ||
        (next == 0xC2 && w->to + 1 < t->len && (unsigned char)t->text[w->to + 1] == 0xB0))
        return;
    if (at + 1 < t->count && token_is_near(t, at) &&
        (token_means(t, at + 1, MEANS_UNIT, LANGS_ALL) ||
         token_means(t, at + 1, MEANS_MULTIPLIER, LANGS_ALL)) &&
        !token_means(t, at + 1, MEANS_SMALL, LANGS_ALL))
        return;
    if (at > 0 && token_is_near(t, at - 1)) {
        const struct gloss *g = token_means(t, at - 1, MEANS_UNIT, LANGS_ALL);
        if (g && gloss_is_money(g))
            return;
    }
    cover(add(d, year, 0, 0), t, at, at);
    t->items[at].used = true;
}

void dates_read(struct dates *d, struct tokens *t)
{
    *d = (struct dates){0};
    for (size_t i = 0; i < t->count; i++) {
        const struct gloss *month = token_means(t, i, MEANS_MONTH, t->languages);
        if (t->items[i].used)
            continue;
        if (month) {
            i = read_month(d, t, i, (int)month->value);
        } else if (t->items[i].kind == TOKEN_DIGITS) {
            const long last = read_digits(d, t, i);
            i = last >= 0 ? (size_t)last : read_quarter(d, t, i);
        } else {
            i = read_quarter(d, t, i);
        }
    }
    for (size_t i = 0; i < t->count; i++) {
        read_weekday(d, t, i);
        if (!t->items[i].used)
            read_year(d, t, i);
    }
}

void dates_free(struct dates *d)
{
    free(d->items);
    *d = (struct dates){0};
}
