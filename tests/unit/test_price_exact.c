/* Money against an arithmetic of its own: decimal digits on paper, and 128-bit sums. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
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

/* Half to even by the remainder, without the function under test. */
static __int128 to_pico(__int128 sum)
{
    __int128 whole = sum / 1000000, rest = sum % 1000000;
    if (rest > 500000 || (rest == 500000 && whole % 2 == 1))
        whole++;
    return whole > INT64_MAX ? INT64_MAX : whole;
}

static int64_t any(void)
{
    return (((int64_t)rand() << 31) ^ rand()) >> (rand() % 62);
}

static int64_t between(int64_t v, int64_t most)
{
    return v < 0 ? 0 : v > most ? most : v;
}

static __int128 reference(const struct rates *r, const struct usage *u)
{
    __int128 in = between(u->input, INT64_MAX), out = between(u->output, INT64_MAX);
    __int128 cached = between(u->cached, (int64_t)in);
    __int128 write = between(u->cache_write, (int64_t)(in - cached));
    __int128 reasoning = between(u->reasoning, (int64_t)out);
    __int128 plain_in = r->input < 0 ? 0 : r->input, plain_out = r->output < 0 ? 0 : r->output;
    return to_pico(
        (in - cached - write) * plain_in + cached * (r->cached < 0 ? plain_in : r->cached) +
        write * (r->cache_write < 0 ? plain_in : r->cache_write) + (out - reasoning) * plain_out +
        reasoning * (r->reasoning < 0 ? plain_out : r->reasoning));
}

static int64_t rate(void)
{
    return rand() % 4 ? any() >> (rand() % 30) : -1;
}

START_TEST(any_usage_costs_what_the_reference_says_lies_included)
{
    srand(12);
    for (int i = 0; i < 300000; i++) {
        struct rates r = {rate(), rate(), rate(), rate(), rate()};
        struct usage u = {any(), any(), any(), any(), any()};
        if (rand() % 8 == 0)
            u.cached = -u.cached;
        if (rand() % 8 == 0)
            u.output = -u.output;
        int64_t cost = price_cost(&r, &u);
        if (cost < 0 || cost != reference(&r, &u))
            ck_abort_msg("%d: %" PRId64, i, cost);
    }
}
END_TEST

START_TEST(every_tie_goes_to_the_even_side)
{
    struct rates r = {500000, -1, -1, -1, -1}; /* half a pico-dollar a token */
    for (int64_t n = 0; n < 1000; n++) {
        struct usage u = {.input = n};
        ck_assert_int_eq(price_cost(&r, &u), n / 2 + (n % 4 == 3));
    }
}
END_TEST

START_TEST(the_largest_numbers_saturate_and_never_overflow)
{
    struct rates r = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    struct usage u = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    ck_assert(price_cost(&r, &u) == INT64_MAX);
    u = (struct usage){INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
    ck_assert_int_eq(price_cost(&r, &u), 0);
}
END_TEST

static bool rate_matches(struct json model, const char *key, int64_t read)
{
    struct json v = json_get(model, key);
    return !v.p || json_is(v, 'n') ? read == -1 : read == atto(write_down(v.p, v.len));
}

static bool model_matches(struct json model, const struct rates *r)
{
    return rate_matches(model, "input_cost_per_token", r->input) &&
           rate_matches(model, "output_cost_per_token", r->output) &&
           rate_matches(model, "cache_read_input_token_cost", r->cached) &&
           rate_matches(model, "cache_creation_input_token_cost", r->cache_write) &&
           rate_matches(model, "output_cost_per_reasoning_token", r->reasoning);
}

/* A dollar a token: above the dearest entry there is, which is itself a slip of its authors. */
static bool sane(const struct rates *r)
{
    const int64_t most = 1000000000000000000;
    return r->input < most && r->output < most && r->cached < most && r->cache_write < most &&
           r->reasoning < most && (r->input >= 0 || r->output >= 0);
}

static int check_models(const struct price_table *t, struct json root)
{
    struct json_member m;
    size_t pos = 0;
    int priced = 0;
    while (json_next_member(root, &pos, &m)) {
        char *name = json_string_dup(m.key);
        const struct rates *r = price_find(t, name);
        if (r && (!model_matches(m.value, r) || !sane(r)))
            ck_abort_msg("%s", name);
        priced += r != NULL;
        free(name);
    }
    return priced;
}

/* The file that everyone maintains, where it is at hand. */
START_TEST(every_model_of_litellms_file_is_read_exactly)
{
    struct buf b;
    struct error err;
    buf_init(&b, 64 << 20);
    if (file_read("../shared/data/litellm_model_prices.json", &b, &err) == QUERN_OK) {
        struct price_table *t = price_table_new();
        ck_assert_msg(price_table_read(t, b.data, b.len, &err) == QUERN_OK, "%s", err.message);
        ck_assert_int_gt(check_models(t, json_root(b.data, b.len)), 1000);
        price_table_free(t);
    }
    buf_free(&b);
}
END_TEST

Suite *suite_price_exact(void)
{
    const TTest *const tests[] = {any_decimal_reads_as_on_paper,
                                  zeros_at_the_end_change_nothing,
                                  any_usage_costs_what_the_reference_says_lies_included,
                                  every_tie_goes_to_the_even_side,
                                  the_largest_numbers_saturate_and_never_overflow,
                                  every_model_of_litellms_file_is_read_exactly,
                                  NULL};
    return suite_of("price_exact", tests);
}
