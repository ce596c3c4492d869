#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/embed.h"
#include "common/file.h"
#include "common/price.h"
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
    const struct rates *r = price_find(t, "gpt-4o-mini"); /* 0.15 and 0.60 a million */
    struct usage u = {.input = 1000, .output = 500};
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(price_cost(r, &u), 1000 * 150000 + 500 * 600000);
    u.cached = 400; /* at half the price */
    ck_assert_int_eq(price_cost(r, &u), 600 * 150000 + 400 * 75000 + 500 * 600000);
    ck_assert_ptr_null(price_find(t, "no-such-model"));
    price_table_free(t);
}
END_TEST

START_TEST(parts_have_their_own_rates_or_the_plain_one)
{
    struct rates r = {.input = 3000000,
                      .output = 5000000,
                      .cached = 1000000,
                      .cache_write = 4000000,
                      .reasoning = 7000000};
    struct usage u = {.input = 100, .cached = 20, .cache_write = 30, .output = 50, .reasoning = 10};
    ck_assert_int_eq(price_cost(&r, &u), 50 * 3 + 20 * 1 + 30 * 4 + 40 * 5 + 10 * 7);
    r.cached = r.cache_write = r.reasoning = -1;
    ck_assert_int_eq(price_cost(&r, &u), 100 * 3 + 50 * 5);
}
END_TEST

START_TEST(a_lying_usage_never_costs_less_than_nothing)
{
    struct rates r = {
        .input = 3000000, .output = 5000000, .cached = 0, .cache_write = 9000000, .reasoning = -1};
    struct usage lies[] = {{.input = 10, .cached = 1000},
                           {.input = -5, .output = -5},
                           {.input = 10, .cached = -3, .cache_write = 99},
                           {.output = 5, .reasoning = 500},
                           {.input = INT64_MAX, .output = INT64_MAX}};
    int64_t costs[] = {0, 0, 90, 25, INT64_MAX};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        ck_assert_int_eq(price_cost(&r, &lies[i]), costs[i]);
}
END_TEST

START_TEST(sums_are_exact_for_any_tokens)
{
    srand(3);
    for (int i = 0; i < 100000; i++) {
        struct rates r = {.input = rand(),
                          .output = rand(),
                          .cached = rand(),
                          .cache_write = -1,
                          .reasoning = -1};
        struct usage u = {.input = rand() % 2000000, .output = rand() % 100000};
        u.cached = rand() % (u.input + 1);
        unsigned __int128 atto = (unsigned __int128)(u.input - u.cached) * (unsigned)r.input +
                                 (unsigned __int128)u.cached * (unsigned)r.cached +
                                 (unsigned __int128)u.output * (unsigned)r.output;
        __int128 twice = (__int128)price_cost(&r, &u) * 2000000 - (__int128)atto * 2;
        ck_assert(twice <= 1000000 && twice >= -1000000); /* half a pico-dollar at most */
    }
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

/* The file that everyone maintains, where it is at hand. */
START_TEST(reads_the_whole_of_litellms_file)
{
    struct buf b;
    struct error err;
    buf_init(&b, 64 << 20);
    if (file_read("../shared/data/litellm_model_prices.json", &b, &err) == QUERN_OK) {
        struct price_table *t = table(b.data);
        ck_assert_int_eq(price_find(t, "gpt-4o-mini")->input, 150000000000);
        ck_assert_ptr_null(price_find(t, "sample_spec"));
        price_table_free(t);
    }
    buf_free(&b);
}
END_TEST

Suite *suite_price(void)
{
    const TTest *const tests[] = {a_known_call_costs_what_the_price_list_says,
                                  parts_have_their_own_rates_or_the_plain_one,
                                  a_lying_usage_never_costs_less_than_nothing,
                                  sums_are_exact_for_any_tokens,
                                  bad_prices_are_refused_by_name,
                                  reads_the_whole_of_litellms_file,
                                  NULL};
    return suite_of("price", tests);
}
