#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/money.h"
#include "suites.h"

START_TEST(reads_decimals_exactly)
{
    static const struct {
        const char *text;
        int scale;
        int64_t value; /* -1: refused */
    } rows[] = {{"7.5e-08", 18, 75000000000},
                {"0.15", 12, 150000000000},
                {"1.5e-7", 18, 150000000000},
                {"0", 18, 0},
                {"0.000", 18, 0},
                {"0e99", 18, 0},
                {"3", 12, 3000000000000},
                {"1E-18", 18, 1},
                {"1e-19", 18, -1},
                {"-1", 12, -1},
                {"", 12, -1},
                {".", 12, -1},
                {"1..2", 12, -1},
                {"1e", 12, -1},
                {"1e400", 12, -1},
                {"9.2e6", 12, 9200000000000000000},
                {"9.3e6", 12, -1},
                {"99999999999999999999", 0, -1},
                {"0.1x", 12, -1},
                {"1.6666666666e-07", 18, -1 + 166666666661}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = -1;
        if (!money_parse(rows[i].text, strlen(rows[i].text), rows[i].scale, &v))
            v = -1;
        ck_assert_msg(v == rows[i].value, "%s: %" PRId64, rows[i].text, v);
    }
}
END_TEST

START_TEST(rounds_what_is_finer_if_told_so)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {{"2.9999900000000002e-06", 2999990000000},
                {"1.5e-18", 2},
                {"1.4999e-18", 1},
                {"1e-30", 0},
                {"0.09e-17", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v;
        ck_assert(money_parse_rounded(rows[i].text, strlen(rows[i].text), 18, &v));
        ck_assert_int_eq(v, rows[i].value);
    }
}
END_TEST

START_TEST(prints_six_places_and_more_where_needed)
{
    static const struct {
        int64_t pico;
        const char *text;
    } rows[] = {{0, "0.000000"},
                {1234000000, "0.001234"},
                {1, "0.000000000001"},
                {1500000000000, "1.500000"},
                {2400000, "0.0000024"},
                {-1, "-0.000000000001"},
                {INT64_MAX, "9223372.036854775807"},
                {INT64_MIN, "-9223372.036854775808"}};
    char out[MONEY_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_str_eq(money_format(rows[i].pico, out), rows[i].text);
}
END_TEST

START_TEST(printing_and_reading_are_inverse)
{
    char out[MONEY_TEXT_MAX];
    srand(7);
    for (int i = 0; i < 100000; i++) {
        int64_t v = ((int64_t)rand() << 31 | rand()) >> (rand() % 60), back;
        (void)money_format(v, out);
        ck_assert(money_parse(out, strlen(out), 12, &back));
        ck_assert(back == v);
    }
}
END_TEST

START_TEST(rounds_half_to_even)
{
    static const int64_t rows[][2] = {{0, 0},       {499999, 0},  {500000, 0},  {500001, 1},
                                      {1500000, 2}, {2500000, 2}, {2500001, 3}, {3500000, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_int_eq(money_from_half_atto(rows[i][0] * 2), rows[i][1]);
    ck_assert(money_from_half_atto((__int128)INT64_MAX * 10000000) == INT64_MAX);
}
END_TEST

Suite *suite_money(void)
{
    const TTest *const tests[] = {
        reads_decimals_exactly,           prints_six_places_and_more_where_needed,
        printing_and_reading_are_inverse, rounds_half_to_even,
        rounds_what_is_finer_if_told_so,  NULL};
    return suite_of("money", tests);
}
