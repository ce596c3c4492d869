#include "guards/claims.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/words.h"

const char *const claim_names[CLAIM_KINDS] = {"number", "date", "name", "quote"};

/* ---- tables -----------------------------------------------------------------------------------
 */

static int find_in(const char *list, const char *word)
{
    const size_t n = strlen(word);
    int at = 0;
    for (const char *p = list; n && *p; at++) {
        const size_t len = strcspn(p, " ");
        if (len == n && memcmp(p, word, n) == 0)
            return at;
        p += len + (p[len] == ' ');
    }
    return -1;
}

/* Month 1 to 12; 0: none. Folded: no accents. */
static int month_of(const char *w)
{
    static const char *const lists[] = {
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "janner feber maerz avr maj jui juil aou sept okt nove dez"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const int m = find_in(lists[i], w);
        if (m >= 0)
            return m + 1;
    }
    return 0;
}

static double word_value(const char *w)
{
    static const char *const small[] = {
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty",
        "null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn "
        "funfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
        "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
        "seize dix-sept dix-huit dix-neuf vingt",
        "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"};
    static const char *const tens[] = {"ten twenty thirty forty fifty sixty seventy eighty ninety",
                                       "zehn zwanzig dreissig vierzig funfzig sechzig siebzig "
                                       "achtzig neunzig",
                                       "dix vingt trente quarante cinquante soixante"};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (find_in(small[i], w) >= 0)
            return find_in(small[i], w);
    for (size_t i = 0; i < sizeof tens / sizeof *tens; i++)
        if (find_in(tens[i], w) >= 0)
            return 10 * (find_in(tens[i], w) + 1);
    return find_in("dozen dutzend douzaine", w) >= 0   ? 12
           : find_in("quarter viertel quart", w) >= 0  ? 25
           : find_in("half halfte moitie", w) >= 0     ? 50
           : find_in("hundred hundert cent", w) >= 0   ? 100
           : find_in("thousand tausend mille", w) >= 0 ? 1000
           : find_in("twice doubled", w) >= 0          ? 2
                                                       : -1;
}

static double multiplier(const char *w)
{
    if (find_in("thousand tausend mille k", w) >= 0)
        return 1e3;
    if (find_in("million millions millionen mio mn", w) >= 0)
        return 1e6;
    if (find_in("billion billions milliarde milliarden milliard milliards mrd bn", w) >= 0)
        return 1e9;
    return find_in("hundred hundert cent", w) >= 0 ? 1e2 : 1;
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static struct token *add_token(struct claims *c)
{
    if (c->count == CLAIMS_MAX)
        return NULL;
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 128;
        c->tokens = mem_array(c->tokens, c->cap, sizeof *c->tokens);
    }
    c->tokens[c->count] = (struct token){.from = 0};
    return &c->tokens[c->count++];
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || ((unsigned char)c >= 0xC3 && (unsigned char)c != 0xE2);
}

/* A space that groups digits: U+00A0, U+202F. */
static size_t thin_space(const char *s, size_t left)
{
    return left > 2 && memcmp(s, "\xC2\xA0", 2) == 0       ? 2
           : left > 3 && memcmp(s, "\xE2\x80\xAF", 3) == 0 ? 3
           : left > 4 && *s == ' ' && isdigit((unsigned char)s[1]) &&
                   isdigit((unsigned char)s[2]) && isdigit((unsigned char)s[3]) &&
                   !(left > 4 && isdigit((unsigned char)s[4]))
               ? 1
               : 0;
}

/* The value of digits with separators, if `decimal` is the sign before the fraction. */
static double value_of(const char *s, size_t len, char decimal, double *unit)
{
    double v = 0, place = 0;
    for (size_t i = 0; i < len; i++) {
        if (isdigit((unsigned char)s[i])) {
            v = place > 0 ? v + (s[i] - '0') * place : v * 10 + (s[i] - '0');
            *unit = place > 0 ? place : 1;
            place /= 10;
        } else if (s[i] == decimal) {
            place = 0.1;
        }
    }
    return v;
}

static size_t read_number(struct claims *c, const char *s, size_t len, size_t at)
{
    size_t i = at, commas = 0, points = 0, colons = 0, skip;
    struct token *t = add_token(c);
    while (i < len) {
        if (isdigit((unsigned char)s[i])) {
            i++;
        } else if (i + 1 < len && strchr(".,:'", s[i]) && isdigit((unsigned char)s[i + 1])) {
            commas += s[i] == ',';
            points += s[i] == '.';
            colons += s[i] == ':';
            i++;
        } else if ((skip = thin_space(s + i, len - i)) > 0 && i - at <= 3 && i + skip < len &&
                   isdigit((unsigned char)s[i + skip])) {
            i += skip;
        } else {
            break;
        }
    }
    if (!t)
        return i;
    double other;
    t->from = (uint32_t)at;
    t->to = (uint32_t)i;
    t->number = true;
    t->time = colons > 0;
    t->value[0] = value_of(s + at, i - at, points == 1 && commas <= 1 ? '.' : '\0', &t->unit);
    t->value[1] = value_of(s + at, i - at, commas == 1 && points <= 1 ? ',' : '\0', &other);
    return i;
}

/* A word may have hyphens and apostrophes inside. */
static size_t read_word(struct claims *c, const char *s, size_t len, size_t at, bool start)
{
    size_t i = at;
    char folded[WORD_MAX];
    while (i < len &&
           (is_letter(s[i]) || ((unsigned char)s[i] & 0xC0) == 0x80 ||
            isdigit((unsigned char)s[i]) ||
            ((s[i] == '-' || s[i] == '\'') && i + 1 < len && is_letter(s[i + 1])) || s[i] == '&'))
        i++;
    struct token *t = add_token(c);
    if (!t)
        return i;
    const size_t n = words_fold(s + at, i - at < WORD_MAX ? i - at : WORD_MAX, folded);
    memcpy(t->folded, folded, n < CLAIM_FOLDED_MAX - 1 ? n : CLAIM_FOLDED_MAX - 1);
    t->from = (uint32_t)at;
    t->to = (uint32_t)i;
    t->start = start;
    t->capital = isupper((unsigned char)s[at]) ||
                 ((unsigned char)s[at] == 0xC3 && (unsigned char)s[at + 1] < 0x9F);
    const double v = word_value(t->folded);
    if (v >= 0) {
        t->word_number = true;
        t->value[0] = v;
        t->value[1] = v == 25 && t->folded[0] != 't' ? 15 : v == 50 && t->folded[0] != 'f' ? 30 : v;
        t->unit = 1; /* a quarter is 25 of a hundred, and 15 minutes */
    }
    return i;
}

static void read_tokens(struct claims *c, const char *s, size_t len)
{
    bool start = true;
    for (size_t i = 0; i < len && c->count < CLAIMS_MAX;) {
        if (isdigit((unsigned char)s[i])) {
            i = read_number(c, s, len, i);
            start = false;
        } else if (is_letter(s[i])) {
            i = read_word(c, s, len, i, start);
            start = false;
        } else {
            start = start || strchr(".!?:\n", s[i]) != NULL;
            if (s[i] == '\xE2' || s[i] == '\xC2') /* typographic marks */
                i++;
            i++;
        }
    }
}

/* ---- numbers over several words ---------------------------------------------------------------
 */

static bool near(const struct token *a, const struct token *b)
{
    return b->from - a->to <= 2;
}

/* A sign of money stands before the number, or behind what follows it: €24m, 62,5 M€. */
static bool is_money(const char *s, size_t len, const struct token *t, const struct token *next)
{
    const char *before = s + t->from, *behind = s + next->to;
    const size_t left = len - next->to;
    return (t->from > 0 && before[-1] == '$') ||
           (t->from > 1 && memcmp(before - 2, "\xC2\xA3", 2) == 0) ||
           (t->from > 2 && memcmp(before - 3, "\xE2\x82\xAC", 3) == 0) ||
           (left > 0 && *behind == '$') || (left > 2 && memcmp(behind, "\xE2\x82\xAC", 3) == 0);
}

/* "2.5 million", "twenty-seven", "two hundred" */
static void join_numbers(struct claims *c, const char *s, size_t len)
{
    for (size_t i = 0; i < c->count; i++) {
        struct token *t = &c->tokens[i];
        const char *hyphen = strchr(t->folded, '-');
        if (hyphen && !t->word_number) {
            char first[CLAIM_FOLDED_MAX] = "";
            memcpy(first, t->folded, (size_t)(hyphen - t->folded));
            const double a = word_value(first), b = word_value(hyphen + 1);
            if (a >= 20 && a <= 90 && b > 0 && b < 10) {
                t->word_number = true;
                t->value[0] = t->value[1] = a + b;
                t->unit = 1;
            }
        }
        struct token *next = i + 1 < c->count ? t + 1 : NULL;
        if (!(t->number || t->word_number) || t->time || !next || !near(t, next))
            continue;
        const bool short_form = strcmp(next->folded, "m") == 0 && is_money(s, len, t, next);
        const double m = short_form ? 1e6 : multiplier(next->folded);
        if (m > 1) {
            t->value[0] *= m;
            t->value[1] *= m;
            t->unit *= m;
            t->to = next->to;
            next->used = true;
            next->word_number = false;
        }
    }
}

/* ---- dates ------------------------------------------------------------------------------------
 */

static void add_date(struct claims *c, int year, int month, int day, uint32_t from, uint32_t to)
{
    if (c->date_count == c->date_cap) {
        c->date_cap = c->date_cap ? c->date_cap * 2 : 16;
        c->dates = mem_array(c->dates, c->date_cap, sizeof *c->dates);
    }
    c->dates[c->date_count++] = (struct date){year, month, day, from, to};
}

static bool is_int(const struct token *t, int low, int high, int *out)
{
    if (!t->number || t->time || t->value[0] != floor(t->value[0]) || t->value[0] < low ||
        t->value[0] > high || t->unit != 1)
        return false;
    *out = (int)t->value[0];
    return true;
}

/* "3 March 2024", "March 3, 2024", "March 2024", "3. März" */
static void read_named_date(struct claims *c, size_t i, int month)
{
    int day = 0, year = 0, v;
    size_t from = i, to = i;
    struct token *t = c->tokens;
    if (i > 0 && t[i].from - t[i - 1].to <= 4 && is_int(&t[i - 1], 1, 31, &v)) {
        day = v;
        from = i - 1;
    }
    if (i + 1 < c->count && t[i + 1].from - t[i].to <= 3) {
        if (!day && is_int(&t[i + 1], 1, 31, &v)) {
            day = v;
            to = i + 1;
        } else if (is_int(&t[i + 1], 1000, 2100, &v)) {
            year = v;
            to = i + 1;
        }
        if (day && to == i + 1 && !year && i + 2 < c->count && t[i + 2].from - t[i + 1].to <= 4 &&
            is_int(&t[i + 2], 1000, 2100, &v)) {
            year = v;
            to = i + 2;
        }
    }
    if (!day && !year)
        return;
    add_date(c, year, month, day, t[from].from, t[to].to);
    for (size_t k = from; k <= to; k++)
        t[k].used = true;
}

/* "2024-03-03", "15.02.2024", "3/3/2024" */
static size_t read_digit_date(struct claims *c, const char *s, size_t i)
{
    struct token *t = &c->tokens[i];
    int n[3], used = 0, at = 0;
    char sign = 0;
    if (!t->number)
        return 0;
    const char *p = s + t->from;
    for (int k = 0; k < 3; k++) {
        if (sscanf(p, "%4d%n", &n[k], &used) != 1)
            return 0;
        p += used;
        if (k < 2 && ((sign && *p != sign) || !strchr("-./", *p) || !*p))
            return 0;
        sign = *p;
        p += k < 2;
        p += k < 2 && *p == ' ';
        at = k;
    }
    (void)at;
    const bool iso = n[0] >= 1000;
    const int year = iso ? n[0] : n[2], month = n[1], day = iso ? n[2] : n[0];
    if (year < 1000 || year > 2100 || n[1] < 1 || day < 1 || day > 31)
        return 0;
    const uint32_t to = (uint32_t)(p - s);
    add_date(c, year, month <= 12 ? month : day, month <= 12 ? day : month, t->from, to);
    size_t k = i;
    for (; k < c->count && c->tokens[k].from < to; k++)
        c->tokens[k].used = true;
    return k - i;
}

static void read_dates(struct claims *c, const char *s)
{
    int year;
    for (size_t i = 0; i < c->count; i++) {
        struct token *t = &c->tokens[i];
        const size_t n = t->used ? 0 : read_digit_date(c, s, i);
        const int month = n || t->number ? 0 : month_of(t->folded);
        if (n)
            i += n - 1;
        else if (month && (t->capital || strlen(t->folded) > 3))
            read_named_date(c, i, month);
    }
    for (size_t i = 0; i < c->count; i++) { /* years that stand alone */
        struct token *t = &c->tokens[i];
        if (!t->used && is_int(t, 1000, 2100, &year) && t->to - t->from == 4) {
            add_date(c, year, 0, 0, t->from, t->to);
            t->used = true;
        }
    }
}

static bool reads_german(const struct claims *c)
{
    int hits = 0;
    for (size_t i = 0; i < c->count; i++)
        hits += find_in("der die das und ist nicht wird wurde den dem ein eine mit von auf zu",
                        c->tokens[i].folded) >= 0;
    return hits >= 2 && (size_t)hits * 8 >= c->count;
}

void claims_read(struct claims *c, const char *text, size_t len)
{
    c->count = c->date_count = 0;
    read_tokens(c, text, len);
    join_numbers(c, text, len);
    read_dates(c, text);
    c->german = reads_german(c);
}

void claims_free(struct claims *c)
{
    free(c->tokens);
    free(c->dates);
    *c = (struct claims){0};
}
