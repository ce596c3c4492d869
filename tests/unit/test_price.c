#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/embed.h"
#include "common/price_read.h"
#include "suites.h"

static struct price_table *table(const char *text)
{
    struct error err;
    struct price_table *t = price_table_new();
    ck_assert_msg(price_table_read(t, text, strlen(text), &err) == QUERN_OK, "%s", err.message);
    return t;
}

START_TEST(a_known_call_costs_what_the_price_list_says)
{
    struct price_table *t = table(embedded_prices[0].data);
    const struct price *p = price_find(t, "gpt-4o-mini"); /* 0.15 and 0.60 a million */
    struct usage u = {.input = 1000, .output = 500};
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(price_cost(p, &u), 1000 * 150000 + 500 * 600000);
    u.cached = 400; /* at half the price */
    ck_assert_int_eq(price_cost(p, &u), 600 * 150000 + 400 * 75000 + 500 * 600000);
    u.tier = TIER_BATCH; /* half of all that, as its own rates say */
    ck_assert_int_eq(price_cost(p, &u) * 2, 600 * 150000 + 400 * 75000 + 500 * 600000);
    ck_assert_ptr_null(price_find(t, "no-such-model"));
    price_table_free(t);
}
END_TEST

static struct price price_of(int64_t input, int64_t output)
{
    struct price p;
    price_init(&p);
    p.band[0].rate[TIER_STANDARD][PART_INPUT] = input;
    p.band[0].rate[TIER_STANDARD][PART_OUTPUT] = output;
    return p;
}

START_TEST(parts_have_their_own_rates_or_the_plain_one)
{
    struct price p = price_of(3000000, 5000000);
    int64_t *rate = p.band[0].rate[TIER_STANDARD];
    struct usage u = {.input = 100,
                      .cached = 20,
                      .cache_write = 30,
                      .cache_write_1h = 8,
                      .output = 50,
                      .reasoning = 10};
    ck_assert_int_eq(price_cost(&p, &u), 100 * 3 + 50 * 5);
    rate[PART_CACHED] = 1000000;
    rate[PART_CACHE_WRITE] = 4000000;
    rate[PART_REASONING] = 7000000;
    ck_assert_int_eq(price_cost(&p, &u), 50 * 3 + 20 * 1 + 30 * 4 + 40 * 5 + 10 * 7);
    rate[PART_CACHE_WRITE_1H] = 6000000;
    ck_assert_int_eq(price_cost(&p, &u), 50 * 3 + 20 * 1 + 22 * 4 + 8 * 6 + 40 * 5 + 10 * 7);
}
END_TEST

START_TEST(a_long_input_prices_the_whole_call)
{
    struct price p = price_of(1000000, 2000000);
    ck_assert_ptr_nonnull(price_band(&p, 1000));
    price_band(&p, 1000)->rate[TIER_STANDARD][PART_INPUT] = 4000000;
    price_band(&p, 500)->rate[TIER_STANDARD][PART_OUTPUT] = 3000000; /* made after, stands before */
    ck_assert_uint_eq(p.count, 3);
    ck_assert_int_eq(price_cost(&p, &(struct usage){.input = 500, .output = 1}), 500 + 2);
    ck_assert_int_eq(price_cost(&p, &(struct usage){.input = 501, .output = 1}), 501 + 3);
    ck_assert_int_eq(price_cost(&p, &(struct usage){.input = 1001, .output = 1}), 4004 + 3);
    for (int64_t above = 2000; p.count < PRICE_BANDS; above++)
        ck_assert_ptr_nonnull(price_band(&p, above));
    ck_assert_ptr_null(price_band(&p, 9));
    ck_assert_ptr_nonnull(price_band(&p, 500));
}
END_TEST

START_TEST(a_tier_has_its_own_rates_or_the_standard_ones_and_a_batch_half_of_them)
{
    struct price p = price_of(3, 3000000);
    struct usage u = {.input = 1000000, .output = 10, .tier = TIER_PRIORITY};
    p.band[0].rate[TIER_PRIORITY][PART_OUTPUT] = 9000000;
    ck_assert_int_eq(price_cost(&p, &u), 3 + 90);
    u.tier = TIER_FLEX;
    ck_assert_int_eq(price_cost(&p, &u), 3 + 30);
    u.tier = TIER_BATCH; /* 16.5: half an atto-dollar more or less would show */
    ck_assert_int_eq(price_cost(&p, &u), 16);
    u.input++;
    ck_assert_int_eq(price_cost(&p, &u), 17);
}
END_TEST

START_TEST(a_lying_usage_never_costs_less_than_nothing)
{
    struct price p = price_of(3000000, 5000000);
    p.band[0].rate[TIER_STANDARD][PART_CACHED] = 0;
    p.band[0].rate[TIER_STANDARD][PART_CACHE_WRITE] = 9000000;
    struct usage lies[] = {{.input = 10, .cached = 1000},
                           {.input = -5, .output = -5},
                           {.input = 10, .cached = -3, .cache_write = 99, .cache_write_1h = 9999},
                           {.output = 5, .reasoning = 500},
                           {.input = INT64_MAX}};
    int64_t costs[] = {0, 0, 90, 25, 3 * USAGE_MAX};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        ck_assert_int_eq(price_cost(&p, &lies[i]), costs[i]);
}
END_TEST

START_TEST(the_version_speaks_of_the_prices_alone)
{
    struct price_table *a = table("{\"x\":{\"input_cost_per_token\":1e-6},"
                                  "\"y\":{\"input_cost_per_token\":2e-6}}");
    struct price_table *b = table("{\"y\":{\"input_cost_per_token\":9},"
                                  "\"y\":{\"input_cost_per_token\":0.000002},"
                                  "\"x\":{\"input_cost_per_token\":0.0000010,\"mode\":\"chat\"}}");
    ck_assert_str_eq(price_table_version(a), price_table_version(b));
    price_table_set(b, "x", &(struct price){.count = 1});
    ck_assert_str_ne(price_table_version(a), price_table_version(b));
    price_table_free(a);
    price_table_free(b);
}
END_TEST

START_TEST(bad_prices_are_refused_by_name)
{
    static const char *const bad[] = {"[]", "{\"m\":{\"input_cost_per_token\":-1}}",
                                      "{\"m\":{\"input_cost_per_token\":\"1\"}}",
                                      "{\"m\":{\"output_cost_per_token\":1e90}}", "{"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err;
        struct price_table *t = price_table_new();
        ck_assert(price_table_read(t, bad[i], strlen(bad[i]), &err) != QUERN_OK);
        ck_assert(i == 0 || i == 4 || strstr(err.message, "\"m\""));
        price_table_free(t);
    }
}
END_TEST

Suite *suite_price(void)
{
    const TTest *const tests[] = {
        a_known_call_costs_what_the_price_list_says,
        parts_have_their_own_rates_or_the_plain_one,
        a_lying_usage_never_costs_less_than_nothing,
        a_long_input_prices_the_whole_call,
        a_tier_has_its_own_rates_or_the_standard_ones_and_a_batch_half_of_them,
        the_version_speaks_of_the_prices_alone,
        bad_prices_are_refused_by_name,
        NULL};
    return suite_of("price", tests);
}
