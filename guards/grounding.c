#include "guards/grounding.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { QUOTE_LEAST = 12, STEM_LEAST = 4 };

struct check {
    const char *source, *answer;
    size_t source_len, answer_len;
    struct claims s, a;
    struct grounding *out;
};

static bool is_listed(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; n && (p = strstr(p, word)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* Equal, or the answer is the source's rounded to its own last digit. */
static bool agrees(const struct token *a, double v, bool rounds)
{
    for (int i = 0; i < 2; i++) {
        const double x = a->value[i];
        if (fabs(x - v) < 1e-6 * fmax(1, fabs(v)))
            return true;
        if (rounds && a->unit < fabs(v) / 10 && fabs(x - v) <= a->unit * 0.5000001 &&
            (a->unit > 1 || a->unit < 1))
            return true;
    }
    return false;
}

/* 15:00 and 3 p.m., 7:30 and 7.30. */
static bool same_time(double a, double v)
{
    return v == a || v * 100 == a || v + 1200 == a || v * 100 + 1200 == a || a + 1200 == v;
}

static bool has_number(const struct check *k, const struct token *a)
{
    for (size_t i = 0; i < k->s.count; i++) {
        const struct token *t = &k->s.tokens[i];
        if (!t->number && !t->word_number)
            continue;
        if (a->time && same_time(a->value[0], t->value[0]))
            return true;
        for (int alt = 0; alt < 2; alt++)
            if (agrees(a, t->value[alt], true) || agrees(a, t->value[alt] * 1000, false) ||
                agrees(a, t->value[alt] / 1000, false))
                return true;
    }
    for (size_t i = 0; i < k->s.date_count; i++)
        if (agrees(a, k->s.dates[i].year, false) || agrees(a, k->s.dates[i].day, false))
            return true;
    return false;
}

/* "1." at the start of a line, "Q3", a single "one": no claim. */
static bool claims_number(const struct check *k, size_t i)
{
    const struct token *t = &k->a.tokens[i];
    if (t->used || (!t->number && !t->word_number))
        return false;
    if (t->word_number)
        return t->value[0] >= 2 &&
               !is_listed("second third quarter half six sept twice cent mille un acht", t->folded);
    const bool first = t->from == 0 || k->answer[t->from - 1] == '\n';
    return !(first && t->to < k->answer_len && strchr(".)", k->answer[t->to]));
}

/* ---- dates ------------------------------------------------------------------------------------
 */

static bool has_date(const struct check *k, const struct date *a)
{
    bool year = a->year == 0;
    for (size_t i = 0; i < k->s.date_count; i++)
        year |= k->s.dates[i].year == a->year;
    for (size_t i = 0; i < k->s.count && !year; i++)
        year |= k->s.tokens[i].number && k->s.tokens[i].value[0] == a->year;
    for (size_t i = 0; i < k->s.date_count; i++) {
        const struct date *s = &k->s.dates[i];
        const bool month = !a->month || s->month == a->month, day = !a->day || s->day == a->day;
        const bool swapped = a->month == s->day && a->day == s->month && s->month != 0;
        if (((month && day) || swapped) &&
            (a->year == 0 || s->year == a->year || (s->year == 0 && year)))
            return true;
    }
    return a->month == 0 && year;
}

/* ---- names ------------------------------------------------------------------------------------
 */

/* The same word, or one of the same stem (Belgium, Belgian). */
static bool same_word(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    if (!a[n] && !b[n])
        return true;
    const size_t la = strlen(a), lb = strlen(b), least = la < lb ? la : lb;
    return n >= STEM_LEAST && n + 3 >= least && n * 10 >= least * 6;
}

static bool has_word(const struct check *k, const char *w)
{
    for (size_t i = 0; i < k->s.count; i++)
        if (same_word(w, k->s.tokens[i].folded))
            return true;
    return false;
}

/* "ISE": the initials of words in a row; "U.S." has them in the source as they are. */
static bool is_acronym(const struct check *k, const char *w)
{
    const size_t n = strlen(w);
    for (size_t i = 0; n >= 2 && n <= 6 && i + n <= k->s.count; i++) {
        size_t m = 0;
        while (m < n && k->s.tokens[i + m].folded[0] == w[m])
            m++;
        if (m == n)
            return true;
    }
    return false;
}

static bool is_no_name(const char *w)
{
    return is_listed("i mr mrs ms dr prof herr frau m mme monday tuesday wednesday thursday friday "
                     "saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag "
                     "january february march april may june july august september october november "
                     "december jan feb mar apr jun jul aug sep sept oct nov dec euro euros eur usd "
                     "gbp sek nok dkk chf dollar dollars pounds am pm ceo cfo the a an of and ok "
                     "english german french us uk eu internet celsius fahrenheit km kg mb gb tb kw "
                     "c f q1 q2 q3 q4 christmas easter januar februar marz mai juni juli oktober "
                     "dezember janvier fevrier mars avril juin juillet aout septembre octobre "
                     "novembre decembre",
                     w);
}

/* GWh, SO2 */
static bool is_symbol(const struct check *k, const struct token *t)
{
    bool digit = false, inner = false, lower = false;
    for (uint32_t i = t->from; i < t->to; i++) {
        digit |= isdigit((unsigned char)k->answer[i]) != 0;
        inner |= i > t->from && isupper((unsigned char)k->answer[i]);
        lower |= islower((unsigned char)k->answer[i]) != 0;
    }
    return digit || (inner && lower && t->to - t->from <= 3);
}

/* May the word begin a sentence without being a name? */
static bool is_starter(const struct check *k, size_t i)
{
    const struct token *t = &k->a.tokens[i], *next = i + 1 < k->a.count ? t + 1 : NULL;
    if (!t->start)
        return false;
    const bool goes_on = next && next->capital && !next->start && next->from - t->to == 1;
    const bool says = next && is_listed("said says told reported reports announced added claims "
                                        "claimed wrote explained praised",
                                        next->folded);
    return !(goes_on && !is_listed("the a an in on at by for from to of as and but if when while "
                                   "after before during since until both each every all some no "
                                   "le la les un une des en dans au aux selon d l ab am im der die "
                                   "das ein eine bei mit von "
                                   "seit laut",
                                   t->folded)) &&
           !says;
}

/* Of German nouns, those that only names can be: behind a title, or a preposition without an
 * article. */
static bool is_german_name(const struct check *k, size_t i)
{
    const struct token *t = &k->a.tokens[i], *before = i ? t - 1 : NULL;
    const struct token *next = i + 1 < k->a.count ? t + 1 : NULL;
    if (next && next->capital && !next->start && next->from - t->to == 1 && !t->start)
        return true;
    return before && (is_listed("herr frau dr prof in nach aus bei von laut", before->folded) ||
                      (before->capital && !before->start && t->from - before->to == 1));
}

static bool claims_name(const struct check *k, size_t i)
{
    const struct token *t = &k->a.tokens[i];
    if (t->used || t->number || t->word_number || !t->capital || t->to - t->from < 2 ||
        is_no_name(t->folded) || is_symbol(k, t) || is_starter(k, i))
        return false;
    return !k->a.german || is_german_name(k, i);
}

static bool has_name(const struct check *k, const struct token *t)
{
    char part[CLAIM_FOLDED_MAX];
    const char *end = strpbrk(t->folded, "-'");
    if (has_word(k, t->folded) || is_acronym(k, t->folded))
        return true;
    if (!end)
        return false;
    const size_t n = (size_t)(end - t->folded);
    memcpy(part, t->folded, n);
    part[n] = '\0';
    return (n > 1 && has_word(k, part) && (end[1] == 's' || has_word(k, end + 1))) ||
           (n <= 1 && has_word(k, end + 1)); /* l'Aquila, d'Orsane */
}

/* ---- quotations -------------------------------------------------------------------------------
 */

/* Letters and digits alone, in lower case. */
static size_t squeeze(const char *s, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (isalnum((unsigned char)s[i]) || (unsigned char)s[i] >= 0xC3 ||
            ((unsigned char)s[i] & 0xC0) == 0x80) {
            if ((unsigned char)s[i] == 0xE2 || (unsigned char)s[i] == 0xC2) {
                i += (unsigned char)s[i] == 0xE2 ? 2 : 1;
                continue;
            }
            out[n++] = (char)tolower((unsigned char)s[i]);
        }
    return n;
}

static size_t close_of(const struct check *k, size_t from, const char *close)
{
    const size_t n = strlen(close);
    for (size_t i = from; i + n <= k->answer_len; i++)
        if (memcmp(k->answer + i, close, n) == 0)
            return i;
    return 0;
}

static void use_tokens(struct check *k, size_t from, size_t to)
{
    for (size_t i = 0; i < k->a.count; i++)
        k->a.tokens[i].used |= k->a.tokens[i].from >= from && k->a.tokens[i].to <= to;
}

static void check_quote(struct check *k, const char *source, size_t len, size_t from, size_t to)
{
    char *quote = mem_alloc(to - from + 1);
    const size_t n = squeeze(k->answer + from, to - from, quote);
    if (n >= QUOTE_LEAST && memchr(k->answer + from, ' ', to - from)) {
        k->out->claims++;
        if (!memmem(source, len, quote, n))
            spans_add(&k->out->unsupported, CLAIM_QUOTE, from, to);
        use_tokens(k, from, to);
    }
    free(quote);
}

static void check_quotes(struct check *k)
{
    static const char *const marks[][2] = {{"\"", "\""},
                                           {"\xE2\x80\x9C", "\xE2\x80\x9D"},
                                           {"\xE2\x80\x9E", "\xE2\x80\x9C"},
                                           {"\xC2\xAB", "\xC2\xBB"}};
    char *source = mem_alloc(k->source_len + 1);
    const size_t len = squeeze(k->source, k->source_len, source);
    for (size_t i = 0; i < k->answer_len;) {
        size_t step = 1;
        for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
            const size_t n = strlen(marks[m][0]);
            if (i + n > k->answer_len || memcmp(k->answer + i, marks[m][0], n) != 0)
                continue;
            const size_t end = close_of(k, i + n, marks[m][1]);
            if (end) {
                check_quote(k, source, len, i + n, end);
                step = end + strlen(marks[m][1]) - i;
            }
            break;
        }
        i += step;
    }
    free(source);
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void check_numbers(struct check *k)
{
    for (size_t i = 0; i < k->a.count; i++) {
        const struct token *t = &k->a.tokens[i];
        if (!claims_number(k, i))
            continue;
        k->out->claims++;
        if (!has_number(k, t))
            spans_add(&k->out->unsupported, CLAIM_NUMBER, t->from, t->to);
    }
}

static bool is_used(const struct check *k, const struct date *d)
{
    for (size_t i = 0; i < k->out->unsupported.count; i++) {
        const struct span *s = &k->out->unsupported.items[i];
        if (s->kind == CLAIM_QUOTE && d->from >= s->from && d->to <= s->to)
            return true;
    }
    return false;
}

static void check_dates(struct check *k)
{
    for (size_t i = 0; i < k->a.date_count; i++) {
        const struct date *d = &k->a.dates[i];
        if (is_used(k, d))
            continue;
        k->out->claims++;
        if (!has_date(k, d))
            spans_add(&k->out->unsupported, CLAIM_DATE, d->from, d->to);
    }
}

/* Words of a name in a row are one claim: "Ingrid Solheim". */
static void check_names(struct check *k)
{
    const struct token *before = NULL;
    for (size_t i = 0; i < k->a.count; i++) {
        const struct token *t = &k->a.tokens[i];
        if (!claims_name(k, i))
            continue;
        struct spans *u = &k->out->unsupported;
        struct span *last = u->count ? &u->items[u->count - 1] : NULL;
        const bool goes_on = before && t->from - before->to == 1;
        before = t;
        k->out->claims += !goes_on;
        if (has_name(k, t))
            continue;
        if (last && last->kind == CLAIM_NAME && t->from - last->to == 1)
            last->to = t->to;
        else
            spans_add(u, CLAIM_NAME, t->from, t->to);
    }
}

void grounding_read(const char *source, size_t source_len, const char *answer, size_t answer_len,
                    struct grounding *out)
{
    struct check k = {.source = source,
                      .answer = answer,
                      .source_len = source_len,
                      .answer_len = answer_len,
                      .out = out};
    *out = (struct grounding){.score = 1};
    spans_init(&out->unsupported);
    claims_read(&k.s, source, source_len);
    claims_read(&k.a, answer, answer_len);
    check_quotes(&k);
    check_numbers(&k);
    check_dates(&k);
    check_names(&k);
    if (out->claims)
        out->score = 1 - fmin(1, (double)out->unsupported.count / (double)out->claims);
    claims_free(&k.s);
    claims_free(&k.a);
}

void grounding_free(struct grounding *g)
{
    spans_free(&g->unsupported);
}
