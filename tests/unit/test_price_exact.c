/* Money against an arithmetic of its own: decimal digits on paper, and 128-bit sums. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/money.h"
#include "common/price.h"
#include "suites.h"

enum { DIGITS = 100 };

/* A decimal as its digits, and the power of ten of the last one: "7.5e-08" is 75 and -9. */
struct paper {
    char digits[DIGITS];
    int last;
};

static struct paper write_down(const char *s, size_t len)
{
    struct paper p = {.last = 0};
    size_t n = 0;
    bool point = false;
    for (; len && *s != 'e' && *s != 'E' && n + 1 < DIGITS; s++, len--) {
        if (*s == '.')
            point = true;
        else
            p.digits[n++] = *s;
        p.last -= point && *s != '.';
    }
    if (len)
        p.last += (int)strtol(s + 1, NULL, 10);
    return p;
}

/* The number of 10^-18, half away from zero, by moving digits; -1 if it does not fit. */
static int64_t atto(struct paper p)
{
    char digits[2 * DIGITS];
    size_t n = strlen(p.digits);
    int shift = p.last + 18;
    memcpy(digits, p.digits, n + 1);
    for (; shift > 0; shift--)
        digits[n++] = '0';
    bool up = shift < 0 && (size_t)-shift <= n && digits[n - (size_t)-shift] >= '5';
    n = shift < 0 ? ((size_t)-shift < n ? n - (size_t)-shift : 0) : n;
    digits[n] = '\0';
    errno = 0;
    int64_t v = strtoll(digits, NULL, 10);
    return errno ? -1 : v + up;
}

START_TEST(any_decimal_reads_as_on_paper)
{
    srand(11);
    for (int i = 0; i < 100000; i++) {
        char s[64];
        int64_t v = -1;
        size_t n = (size_t)snprintf(s, sizeof s, "%d.%0*de-%02d", rand() % 1000, 1 + rand() % 6,
                                    rand() % 10, rand() % 24);
        int64_t wanted = atto(write_down(s, n));
        if (!money_parse_rounded(s, n, 18, &v))
            v = -1;
        if (v != wanted)
            ck_abort_msg("%s: %" PRId64 ", on paper %" PRId64, s, v, wanted);
    }
}
END_TEST

START_TEST(zeros_at_the_end_change_nothing)
{
    static const char *const same[] = {"0.15", "0.150", "0.15000000000000000000",
                                       "0.1500000000000000000000000"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        int64_t v = -1;
        ck_assert_msg(money_parse(same[i], strlen(same[i]), 12, &v), "%s", same[i]);
        ck_assert_int_eq(v, 150000000000);
    }
}
END_TEST

/* Half to even by the remainder, without the function under test. In halves of an atto-dollar. */
static __int128 to_pico(__int128 sum)
{
    __int128 whole = sum / 2000000, rest = sum % 2000000;
    if (rest > 1000000 || (rest == 1000000 && whole % 2 == 1))
        whole++;
    return whole > INT64_MAX ? INT64_MAX : whole;
}

static int64_t any(void)
{
    return (((int64_t)rand() << 31) ^ rand()) >> (rand() % 62);
}

static __int128 between(int64_t v, __int128 most)
{
    return v < 0 ? 0 : v > most ? most : v;
}

/* A price of one band and the standard tier; a batch costs half of it. */
static __int128 reference(const struct price *p, const struct usage *u)
{
    const int64_t *r = p->band[0].rate[TIER_STANDARD];
    __int128 in = between(u->input, USAGE_MAX), out = between(u->output, USAGE_MAX);
    __int128 cached = between(u->cached, in), write = between(u->cache_write, in - cached);
    __int128 kept = between(u->cache_write_1h, write), reasoning = between(u->reasoning, out);
    __int128 plain_in = r[PART_INPUT] < 0 ? 0 : r[PART_INPUT];
    __int128 plain_out = r[PART_OUTPUT] < 0 ? 0 : r[PART_OUTPUT];
    __int128 written = r[PART_CACHE_WRITE] < 0 ? plain_in : r[PART_CACHE_WRITE];
    __int128 sum = (in - cached - write) * plain_in +
                   cached * (r[PART_CACHED] < 0 ? plain_in : r[PART_CACHED]) +
                   (write - kept) * written +
                   kept * (r[PART_CACHE_WRITE_1H] < 0 ? written : r[PART_CACHE_WRITE_1H]) +
                   (out - reasoning) * plain_out +
                   reasoning * (r[PART_REASONING] < 0 ? plain_out : r[PART_REASONING]);
    return to_pico(u->tier == TIER_BATCH ? sum : sum * 2);
}

START_TEST(any_usage_costs_what_the_reference_says_lies_included)
{
    srand(12);
    for (int i = 0; i < 300000; i++) {
        struct price p;
        struct usage u = {any(), any(), any(), any(), any(), any(), TIER_STANDARD, false};
        price_init(&p);
        for (int part = 0; part < PART_COUNT; part++)
            p.band[0].rate[TIER_STANDARD][part] = rand() % 4 ? any() >> (rand() % 30) : -1;
        if (rand() % 8 == 0)
            u.cached = -u.cached;
        if (rand() % 8 == 0)
            u.output = -u.output;
        u.tier = rand() % 2 ? TIER_BATCH : TIER_STANDARD;
        int64_t cost = price_cost(&p, &u);
        if (cost < 0 || cost != reference(&p, &u))
            ck_abort_msg("%d: %" PRId64, i, cost);
    }
}
END_TEST

START_TEST(every_tie_goes_to_the_even_side)
{
    struct price p;
    price_init(&p);
    p.band[0].rate[TIER_STANDARD][PART_INPUT] = 500000; /* half a pico-dollar a token */
    for (int64_t n = 0; n < 1000; n++) {
        struct usage u = {.input = n};
        ck_assert_int_eq(price_cost(&p, &u), n / 2 + (n % 4 == 3));
    }
}
END_TEST

START_TEST(the_largest_numbers_saturate_and_never_overflow)
{
    struct price p;
    price_init(&p);
    for (int part = 0; part < PART_COUNT; part++)
        p.band[0].rate[TIER_STANDARD][part] = INT64_MAX;
    struct usage u = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                      INT64_MAX, INT64_MAX, TIER_FLEX, false};
    ck_assert(price_cost(&p, &u) == INT64_MAX);
    u = (struct usage){INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN,
                       INT64_MIN, INT64_MIN, TIER_FLEX, false};
    ck_assert_int_eq(price_cost(&p, &u), 0);
}
END_TEST

Suite *suite_price_exact(void)
{
    const TTest *const tests[] = {any_decimal_reads_as_on_paper,
                                  zeros_at_the_end_change_nothing,
                                  any_usage_costs_what_the_reference_says_lies_included,
                                  every_tie_goes_to_the_even_side,
                                  the_largest_numbers_saturate_and_never_overflow,
                                  NULL};
    return suite_of("price_exact", tests);
}
