#include "guards/grounding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/dates.h"
#include "guards/names.h"
#include "guards/quantities.h"
#include "guards/quotes.h"

const char *const claim_names[CLAIM_KINDS] = {"number", "date", "name", "quote"};

enum { MARGIN_MAX = 16 }; /* bytes before the number of a list */

/* A text, read. */
struct side {
    struct tokens tokens;
    struct dates dates;
    struct quantities quantities;
};

/* What the source says, sorted so that it is found by its kind and value: readings of quantities,
 * by their dimension and the one that the text says; and of dates what each says. */
enum {
    FACT_DAY = DIMENSIONS * DIMENSIONS_SAID,
    FACT_GUESS,
    FACT_MONTH,
    FACT_QUARTER,
    FACT_WEEKDAY,
    FACT_YEAR,
    FACT_KINDS
};

struct fact {
    uint32_t kind;
    double value;
};

struct check {
    struct side s, a;
    struct fact *facts;
    size_t fact_count;
    bool has[FACT_KINDS]; /* facts of each kind */
    struct name_index *names;
    size_t guess; /* the answer's date that was looked at last */
    struct grounding *out;
};

static void unsupported(struct check *k, enum claim_kind kind, uint32_t from, uint32_t to)
{
    spans_add(&k->out->unsupported, kind, from, to);
}

/* ---- facts of the source ----------------------------------------------------------------------
 */

static uint32_t kind_of(unsigned reading, unsigned said)
{
    return reading * DIMENSIONS_SAID + said;
}

static int by_value(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static void add_fact(struct check *k, uint32_t kind, double value)
{
    k->facts[k->fact_count++] = (struct fact){kind, value};
    k->has[kind] = true;
}

/* Day, month and year as one number; the year last, so that those of a day lie together. */
static double place_of(int month, int day, int year)
{
    enum { YEARS = 4096, DAYS = 32 };
    return ((double)month * DAYS + day) * YEARS + year;
}

static void add_date_facts(struct check *k, const struct date *d)
{
    const uint32_t day = d->guess ? FACT_GUESS : FACT_DAY;
    if (d->month)
        add_fact(k, day, place_of(d->month, d->day, d->year));
    if (d->month && d->either)
        add_fact(k, day, place_of(d->day, d->month, d->year));
    if (d->guess)
        return;
    if (d->month)
        add_fact(k, FACT_MONTH, place_of(d->month, 0, d->year));
    if (d->quarter)
        add_fact(k, FACT_QUARTER, place_of(d->quarter, 0, d->year));
    if (d->weekday)
        add_fact(k, FACT_WEEKDAY, d->weekday);
    if (d->year && d->month && d->day)
        add_fact(k, FACT_WEEKDAY, date_weekday(d->year, d->month, d->day));
    if (d->year)
        add_fact(k, FACT_YEAR, d->year);
    if (d->year) /* a year or a day may be said as a number */
        add_fact(k, kind_of(DIM_NONE, DIM_NONE), d->year);
    if (d->day)
        add_fact(k, kind_of(DIM_NONE, DIM_NONE), d->day);
}

static unsigned said_of(const struct quantity *q)
{
    return q->currency ? q->currency : q->dimension;
}

static void collect_facts(struct check *k)
{
    enum { OF_DATE = 8 };
    const struct quantities *q = &k->s.quantities;
    const struct dates *d = &k->s.dates;
    k->facts = mem_array(NULL, q->count * READINGS_MAX + d->count * OF_DATE + 1, sizeof *k->facts);
    for (size_t i = 0; i < q->count; i++)
        for (size_t r = 0; r < q->items[i].count; r++)
            add_fact(k, kind_of(q->items[i].readings[r].dimension, said_of(&q->items[i])),
                     q->items[i].readings[r].value);
    for (size_t i = 0; i < d->count; i++)
        add_date_facts(k, &d->items[i]);
    qsort(k->facts, k->fact_count, sizeof *k->facts, by_value);
}

/* Is there a fact of the kind from `low` to `high`? */
static bool has_between(const struct check *k, uint32_t kind, double low, double high)
{
    const struct fact least = {kind, low};
    size_t from = 0, to = k->has[kind] ? k->fact_count : 0;
    while (from < to) {
        const size_t mid = (from + to) / 2;
        if (by_value(&k->facts[mid], &least) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from < k->fact_count && k->facts[from].kind == kind && k->facts[from].value <= high;
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* Equal, or the source's rounded to the answer's last digit; more freely if the answer says so. */
static bool has_value(const struct check *k, uint32_t kind, const struct reading *r, bool about)
{
    const double same = fmin(r->grain, 1) * 0.25;
    if (has_between(k, kind, r->value - same, r->value + same))
        return true;
    const bool rounds =
        r->grain < fabs(r->value) / 10 && (r->grain != 1 || r->dimension == DIM_PERCENT);
    double grain = r->grain;
    if (about && r->value >= 20 && r->grain == 1)
        while (fmod(r->value, grain * 10) == 0)
            grain *= 10;
    const double half = (about ? fmin(grain, r->value / 10) : grain) * 0.5000001;
    return (about || rounds) && has_between(k, kind, r->value - half, r->value + half);
}

/* Numbers of two measures are not the same, nor are those of two currencies; one without may be of
 * any. */
static bool has_reading(const struct check *k, const struct quantity *q, const struct reading *r)
{
    for (unsigned said = 0; said < DIMENSIONS_SAID; said++) {
        if (r->dimension == DIM_NONE && q->dimension != DIM_NONE && said != DIM_NONE)
            continue;
        if (q->currency && said >= DIMENSIONS && said != q->currency)
            continue;
        if (has_value(k, kind_of(r->dimension, said), r, q->about))
            return true;
    }
    return false;
}

static bool has_quantity(const struct check *k, const struct quantity *q)
{
    for (size_t i = 0; i < q->count; i++)
        if (has_reading(k, q, &q->readings[i]))
            return true;
    return false;
}

/* "1." at the start of a line, a single "one", "third": no claim. */
static bool claims_number(const struct check *k, const struct quantity *q)
{
    const struct tokens *t = &k->a.tokens;
    if (q->implied || q->count == 0 || (q->words && q->ordinal && q->readings[0].value < 4))
        return false;
    if (q->words && (unsigned char)t->text[q->from] >= 0xE3)
        return false; /* Chinese and Japanese numbers are read in the simplest forms only */
    if (q->words && !q->fraction)
        return q->readings[0].value >= 2 || q->dimension == DIM_PERCENT;
    size_t at = q->from; /* "  **1. Cost**", "(2) time" */
    while (at > 0 && strchr(" *#>(\t", t->text[at - 1]) && q->from - at < MARGIN_MAX)
        at--;
    const bool first =
        at == 0 || t->text[at - 1] == '\n' || (q->from > 0 && t->text[q->from - 1] == '(');
    return !(first && q->to < t->len && strchr(".)", t->text[q->to]));
}

/* A number that may be a date, as "18.5." and "3/4" may. */
static bool is_guess(struct check *k, const struct quantity *q);

static void check_numbers(struct check *k)
{
    bool summed = false; /* the one before told the sum of both */
    for (size_t i = 0; i < k->a.quantities.count; i++) {
        const struct quantity *q = &k->a.quantities.items[i];
        if (summed || !claims_number(k, q)) {
            summed = false;
            continue;
        }
        k->out->claims++;
        summed = q->summed && has_reading(k, q, &q->readings[q->count - 1]);
        const bool version = !q->currency && k->a.tokens.items[q->first].kind == TOKEN_DIGITS &&
                             q->first == q->last &&
                             names_has_code(k->names, &k->a.tokens, q->first);
        if (!summed && !version && !has_quantity(k, q) && !is_guess(k, q))
            unsupported(k, CLAIM_NUMBER, q->from, q->to);
    }
}

static void check_codes(struct check *k)
{
    const struct tokens *t = &k->a.tokens;
    for (size_t i = 0; i < t->count; i++) {
        const struct token *w = &t->items[i];
        size_t letters = strcspn(w->folded, "0123456789");
        const double number = atof(w->folded + letters); /* FY2025 */
        if (w->kind != TOKEN_CODE || w->used || number < 10)
            continue;
        k->out->claims++;
        if (!names_has_code(k->names, t, i) &&
            !has_between(k, kind_of(DIM_NONE, DIM_NONE), number, number))
            unsupported(k, CLAIM_NUMBER, w->from, w->to);
    }
}

/* ---- dates ------------------------------------------------------------------------------------
 */

/* Is there a fact of the kind with this place, of the answer's year, or of none where the year
 * stands elsewhere? */
static bool has_place(const struct check *k, uint32_t kind, int month, int day, int year)
{
    if (!year)
        return has_between(k, kind, place_of(month, day, 0), place_of(month, day, 4095));
    const double with = place_of(month, day, year), without = place_of(month, day, 0);
    return has_between(k, kind, with, with) ||
           (has_between(k, kind, without, without) &&
            (has_between(k, FACT_YEAR, year, year) ||
             has_between(k, kind_of(DIM_NONE, DIM_NONE), year, year)));
}

static bool has_date(const struct check *k, const struct date *a)
{
    if (a->weekday)
        return has_between(k, FACT_WEEKDAY, a->weekday, a->weekday);
    if (a->quarter)
        return has_place(k, FACT_QUARTER, a->quarter, 0, a->year);
    if (a->month && !a->day)
        return has_place(k, FACT_MONTH, a->month, 0, a->year);
    if (!a->month)
        return has_between(k, FACT_YEAR, a->year, a->year) ||
               has_between(k, kind_of(DIM_NONE, DIM_NONE), a->year, a->year);
    for (uint32_t kind = FACT_DAY; kind <= (a->guess ? FACT_DAY : FACT_GUESS); kind++)
        if (has_place(k, kind, a->month, a->day, a->year) ||
            (a->either && has_place(k, kind, a->day, a->month, a->year)))
            return true;
    return false;
}

/* Quantities are asked for in their order, and dates that may be numbers stand in theirs. */
static bool is_guess(struct check *k, const struct quantity *q)
{
    const struct dates *d = &k->a.dates;
    while (k->guess < d->count && (!d->items[k->guess].guess || d->items[k->guess].to < q->from))
        k->guess++;
    return k->guess < d->count && d->items[k->guess].from <= q->from &&
           has_date(k, &d->items[k->guess]);
}

/* A year alone may be a number of anything. */
static bool is_number(const struct check *k, const struct date *d)
{
    if (!d->year || d->month || d->quarter)
        return false;
    for (unsigned kind = 0; kind < FACT_DAY; kind++)
        if (has_between(k, kind, d->year, d->year))
            return true;
    return false;
}

static void check_dates(struct check *k)
{
    for (size_t i = 0; i < k->a.dates.count; i++) {
        const struct date *d = &k->a.dates.items[i];
        if (d->guess)
            continue;
        k->out->claims++;
        if (!has_date(k, d) && !is_number(k, d))
            unsupported(k, CLAIM_DATE, d->from, d->to);
    }
}

/* ---- names ------------------------------------------------------------------------------------
 */

/* The last token of a name that begins at `first`: "Ingrid Solheim", "Jean-Luc". */
static size_t name_end(const struct tokens *t, size_t first)
{
    size_t last = first;
    while (last + 1 < t->count && (token_gap_is(t, last, " ") || token_gap_is(t, last, "-")) &&
           names_is_claim(t, last + 1))
        last++;
    return last;
}

/* What of a name the source lacks, as one finding for each run of words. */
static void check_name(struct check *k, size_t first, size_t last)
{
    const struct tokens *t = &k->a.tokens;
    struct spans *u = &k->out->unsupported;
    const size_t before = u->count;
    /* What begins a sentence before a name that the source has may be any word. */
    const bool any = t->language != LANG_EN && t->items[first].start && last > first &&
                     names_has(k->names, t, first + 1) && !names_has_first(k->names, t, first + 1);
    for (size_t i = first + any; i <= last; i++) {
        if (names_has(k->names, t, i))
            continue;
        if (u->count > before && t->items[i].from - u->items[u->count - 1].to == 1)
            u->items[u->count - 1].to = t->items[i].to;
        else
            unsupported(k, CLAIM_NAME, t->items[i].from, t->items[i].to);
    }
}

static void check_names(struct check *k)
{
    const struct tokens *t = &k->a.tokens;
    for (size_t i = 0; i < t->count; i++) {
        if (!names_is_claim(t, i))
            continue;
        const size_t last = name_end(t, i);
        k->out->claims++;
        if (last == i || !names_has_initials(k->names, t, i, last))
            check_name(k, i, last);
        i = last;
    }
}

/* ---- quotations -------------------------------------------------------------------------------
 */

/* Marks the tokens of quotations, which stand in their order. */
static void use_quoted(struct tokens *t, const struct spans *quotes)
{
    size_t at = 0;
    for (size_t i = 0; i < quotes->count; i++)
        for (; at < t->count && t->items[at].from < quotes->items[i].to; at++)
            t->items[at].used |= t->items[at].from >= quotes->items[i].from;
}

static void check_quotes(struct check *k)
{
    const struct tokens *s = &k->s.tokens;
    struct spans quotes;
    spans_init(&quotes);
    quotes_read(k->a.tokens.text, k->a.tokens.len, &quotes);
    char *squeezed = quotes.count ? mem_alloc(s->len + 1) : NULL;
    const size_t len = quotes.count ? quotes_squeeze(s->text, s->len, squeezed) : 0;
    for (size_t i = 0; i < quotes.count; i++) {
        const struct span q = quotes.items[i];
        k->out->claims++;
        if (!quotes_has(squeezed, len, k->a.tokens.text + q.from, q.to - q.from))
            unsupported(k, CLAIM_QUOTE, q.from, q.to);
    }
    use_quoted(&k->a.tokens, &quotes);
    free(squeezed);
    spans_free(&quotes);
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void free_side(struct side *s)
{
    quantities_free(&s->quantities);
    dates_free(&s->dates);
    tokens_free(&s->tokens);
}

void grounding_read(const struct glossary *g, const char *source, size_t source_len,
                    const char *answer, size_t answer_len, struct grounding *out)
{
    struct check k = {.out = out};
    *out = (struct grounding){.score = 1};
    spans_init(&out->unsupported);
    tokens_read(&k.s.tokens, g, source, source_len);
    dates_read(&k.s.dates, &k.s.tokens);
    quantities_read(&k.s.quantities, &k.s.tokens, LANGS_ALL);
    tokens_read(&k.a.tokens, g, answer, answer_len);
    if (k.a.tokens.languages == LANGS_ALL) { /* too short to tell: that of its source */
        k.a.tokens.language = k.s.tokens.language;
        k.a.tokens.languages = k.s.tokens.languages;
    }
    k.names = names_new(&k.s.tokens);
    check_quotes(&k);
    dates_read(&k.a.dates, &k.a.tokens);
    quantities_read(&k.a.quantities, &k.a.tokens, 1U << k.a.tokens.language);
    collect_facts(&k);
    check_numbers(&k);
    check_codes(&k);
    check_dates(&k);
    check_names(&k);
    if (out->claims)
        out->score = 1 - fmin(1, (double)out->unsupported.count / (double)out->claims);
    names_free(k.names);
    free(k.facts);
    free_side(&k.s);
    free_side(&k.a);
}

void grounding_free(struct grounding *g)
{
    spans_free(&g->unsupported);
}
