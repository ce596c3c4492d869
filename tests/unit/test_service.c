/* What a worker knows of a service beside its dialect: its keys, and what its headers say. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/prices.h"
#include "suites.h"
#include "worker/classify.h"
#include "worker/keyring.h"
#include "worker/mend.h"
#include "worker/once.h"
#include "worker/ratelimit.h"

#define NOW_US 1769853600000000 /* 2026-01-31T10:00:00Z */

START_TEST(a_reset_is_read_in_every_form_in_use)
{
    static const struct {
        const char *text;
        double seconds;
    } rows[] = {{"1s", 1},
                {"20ms", 0.02},
                {"6m0s", 360},
                {"1h2m3.5s", 3723.5},
                {"7.66s", 7.66},
                {"250µs", 0.00025},
                {"0s", 0},
                {"2", 2},
                {"1.5", 1.5},
                {"2026-01-31T10:00:05Z", 5},
                {"2026-01-31T09:00:00Z", 0},
                {"1769853607", 7},
                {"1769853607500", 7.5},
                {"9999h", RATELIMIT_WAIT_MAX},
                {"", -1},
                {"soon", -1},
                {"5x", -1},
                {"-3", -1},
                {"-3s", -1},
                {"nan", -1},
                {"1s2", -1},
                {"5m ", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double v = ratelimit_parse_reset(rows[i].text, NOW_US);
        ck_assert_msg(fabs(v - rows[i].seconds) < 1e-6, "\"%s\": %f", rows[i].text, v);
    }
}
END_TEST

static double wait_of(const char *const headers[][2])
{
    struct ratelimit r = {0};
    for (; (*headers)[0]; headers++)
        ratelimit_header(&r, (*headers)[0], (*headers)[1], NOW_US);
    return ratelimit_wait(&r, 500);
}

START_TEST(a_limit_that_fills_up_makes_wait_for_the_next_call_only)
{
    const char *const requests[][2] = {{"x-ratelimit-limit-requests", "600"},
                                       {"x-ratelimit-remaining-requests", "0"},
                                       {"x-ratelimit-reset-requests", "60s"},
                                       {0}};
    const char *const tokens[][2] = {{"anthropic-ratelimit-tokens-limit", "10000"},
                                     {"anthropic-ratelimit-tokens-remaining", "0"},
                                     {"anthropic-ratelimit-tokens-reset", "60"},
                                     {0}};
    ck_assert_double_eq_tol(wait_of(requests), 0.1, 1e-9);
    ck_assert_double_eq_tol(wait_of(tokens), 3.0, 1e-9);
}
END_TEST

START_TEST(only_what_is_used_up_makes_wait)
{
    const char *const plenty[][2] = {{"x-ratelimit-remaining-requests", "1"},
                                     {"x-ratelimit-reset-requests", "9s"},
                                     {"x-ratelimit-remaining-tokens", "100"},
                                     {"x-ratelimit-reset-tokens", "9s"},
                                     {NULL, NULL}};
    const char *const empty[][2] = {{"X-RateLimit-Reset-Requests", "2s"},
                                    {"X-RateLimit-Remaining-Requests", "0"},
                                    {"x-ratelimit-remaining-tokens", "100"},
                                    {"x-ratelimit-reset-tokens", "9s"},
                                    {NULL, NULL}};
    const char *const both[][2] = {
        {"anthropic-ratelimit-requests-remaining", "0"},
        {"anthropic-ratelimit-requests-reset", "2026-01-31T10:00:03Z"},
        {"anthropic-ratelimit-output-tokens-remaining", "0"},
        {"anthropic-ratelimit-output-tokens-reset", "2026-01-31T10:00:08Z"},
        {NULL, NULL}};
    const char *const unsaid[][2] = {{"x-ratelimit-remaining-requests", "0"},
                                     {"x-ratelimit-reset-tokens", "2s"},
                                     {"x-ratelimit-remaining-tokens", "?"},
                                     {NULL, NULL}};
    ck_assert(wait_of(plenty) == 0);
    ck_assert(fabs(wait_of(empty) - 2) < 1e-9);
    ck_assert(fabs(wait_of(both) - 8) < 1e-9);
    ck_assert(wait_of(unsaid) == 0);
}
END_TEST

static bool read_keys(struct keyring *k, const char *text, struct error *err)
{
    bool changed;
    char *copy = strdup(text);
    quern_status status = keyring_read(k, copy, &changed, err);
    for (size_t i = 0; i < strlen(text); i++)
        ck_assert(copy[i] == '\0'); /* it is wiped */
    free(copy);
    return status == QUERN_OK && changed;
}

START_TEST(keys_stand_between_commas_or_line_ends)
{
    struct keyring k = {0};
    struct error err;
    bool changed = true;
    ck_assert_ptr_null(keyring_key(&k));
    ck_assert(read_keys(&k, " k-one, k-two\nk-three\r\n\n", &err));
    ck_assert_uint_eq(keyring_size(&k), 3);
    ck_assert_str_eq(keyring_key(&k), "k-one");
    ck_assert(!read_keys(&k, "k-one,k-two,,k-three", &err)); /* the same */
    ck_assert(keyring_read(&k, NULL, &changed, &err) != QUERN_OK && !changed);
    ck_assert_str_eq(keyring_key(&k), "k-one"); /* none in place of some is a mistake */
    ck_assert(read_keys(&k, "Basic eHk=", &err));
    ck_assert_str_eq(keyring_key(&k), "Basic eHk=");
    keyring_free(&k);
}
END_TEST

START_TEST(bad_keys_are_refused_whole_and_the_old_ones_stay)
{
    struct keyring k = {0};
    struct error err;
    bool changed;
    char many[] = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", odd[] = "good,b\x01"
                                                                       "ad";
    ck_assert(read_keys(&k, "old", &err));
    ck_assert(keyring_read(&k, many, &changed, &err) != QUERN_OK);
    ck_assert(keyring_read(&k, odd, &changed, &err) != QUERN_OK);
    ck_assert_ptr_nonnull(strstr(err.message, "0x01"));
    ck_assert_str_eq(keyring_key(&k), "old");
    keyring_free(&k);
}
END_TEST

START_TEST(escapes_that_no_column_holds_are_replaced)
{
    static const char *const rows[][2] = {
        {"\"a\\u0000b\"", "\"a\\ufffdb\""},
        {"\"\\uD83D\"", "\"\\ufffd\""},
        {"\"\\uDE00\"", "\"\\ufffd\""},
        {"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""},
        {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\""},
        {"\"\\\\u0000\"", "\"\\\\u0000\""}, /* a backslash and a word */
        {"\"\\u00", "\"\\u00"},
        {"\"\\u00zz\"", "\"\\u00zz\""},
        {"\"\\", "\"\\"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", rows[i][0]);
        mend_escapes(text, strlen(text));
        ck_assert_str_eq(text, rows[i][1]);
    }
}
END_TEST

/* The key in use after that. */
static const char *refuse(struct keyring *k, size_t position)
{
    keyring_refuse(k, position);
    return keyring_key(k);
}

START_TEST(keys_may_be_replaced_for_ever)
{
    struct keyring k = {0};
    struct error err;
    char text[] = "say first-key, old-secret, new-secret";
    ck_assert(read_keys(&k, "first-key", &err));
    for (int i = 0; i < 2 * KEYRING_MAX; i++)
        ck_assert(read_keys(&k, i % 2 ? "a-secret,b-secret" : "old-secret", &err));
    ck_assert(read_keys(&k, "new-secret,more", &err));
    ck_assert_uint_eq(keyring_size(&k), 2);
    ck_assert_str_eq(keyring_key(&k), "new-secret");
    ck_assert_str_eq(refuse(&k, k.now), "more");
    keyring_redact(&k, text, strlen(text), true);
    ck_assert_str_eq(text, "say first-key, **********, **********"); /* the oldest is forgotten */
    keyring_free(&k);
}
END_TEST

START_TEST(a_refused_key_gives_way_to_the_next)
{
    struct keyring k = {0};
    struct error err;
    ck_assert(read_keys(&k, "a,b,c", &err));
    ck_assert_str_eq(refuse(&k, 0), "b");
    ck_assert_str_eq(refuse(&k, 0), "b"); /* an earlier call */
    ck_assert_str_eq(refuse(&k, 1), "c");
    ck_assert_str_eq(refuse(&k, 2), "a"); /* all were */
    ck_assert_str_eq(refuse(&k, 0), "b");
    keyring_free(&k);
    ck_assert(read_keys(&k, "alone", &err));
    ck_assert_str_eq(refuse(&k, 0), "alone");
    keyring_free(&k);
}
END_TEST

START_TEST(all_keys_are_redacted_old_ones_too)
{
    struct keyring k = {0};
    struct error err;
    char text[] = "wrong key sk-older, or sk-new-2? sk-new-1sk-new-1";
    ck_assert(read_keys(&k, "sk-older", &err) && read_keys(&k, "sk-new-1,sk-new-2", &err));
    keyring_redact(&k, text, strlen(text), true);
    ck_assert_str_eq(text, "wrong key ********, or ********? ****************");
    keyring_free(&k);
}
END_TEST

START_TEST(a_key_is_redacted_in_every_escape)
{
    static const char *const escaped[] = {"sk-a/b+c=12", "sk-a\\/b+c=12",
                                          "\\u0073k-a\\u002fb\\u002Bc=12"};
    struct keyring k = {0};
    struct error err;
    ck_assert(read_keys(&k, "sk-a/b+c=12", &err));
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "<%s> \\u0073k-a", escaped[i]);
        keyring_redact(&k, text, strlen(text), true);
        ck_assert_uint_eq(strspn(text + 1, "*"), strlen(escaped[i]));
        ck_assert(strstr(text, "> \\u0073k-a")); /* not the whole key */
    }
    keyring_free(&k);
    char quoted[] = "<k\\\"e\\\\y-long>";
    ck_assert(read_keys(&k, "k\"e\\y-long", &err));
    keyring_redact(&k, quoted, strlen(quoted), true);
    ck_assert_str_eq(quoted, "<************>");
    keyring_free(&k);
}
END_TEST

/* Servers at home are given any word for a key, which answers have in them too. */
START_TEST(a_placeholder_is_no_secret)
{
    struct keyring k = {0};
    struct error err;
    char text[] = "a test of choices";
    ck_assert(read_keys(&k, "test,choices", &err));
    keyring_redact(&k, text, strlen(text), true);
    ck_assert_str_eq(text, "a test of choices");
    keyring_redact(&k, text, strlen(text), false);
    ck_assert_str_eq(text, "a **** of *******");
    keyring_free(&k);
}
END_TEST

START_TEST(a_tier_that_is_told_holds)
{
    static const struct {
        const char *text;
        enum price_tier tier;
        bool told;
    } cases[] = {{"\"default\"", TIER_STANDARD, true},
                 {"\"standard\"", TIER_STANDARD, true},
                 {"\"batch\"", TIER_BATCH, true},
                 {"\"auto\"", TIER_STANDARD, false},
                 {"null", TIER_STANDARD, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct usage u = {0};
        classify_tier((struct json){cases[i].text, strlen(cases[i].text)}, &u);
        ck_assert(u.tier == cases[i].tier && u.tier_told == cases[i].told);
        struct config_backend b = {.prices.tier = TIER_PRIORITY};
        struct price p;
        price_init(&p);
        p.band[0].rate[TIER_STANDARD][PART_INPUT] = 2000000;
        p.band[0].rate[TIER_PRIORITY][PART_INPUT] = 4000000;
        p.band[0].rate[TIER_BATCH][PART_INPUT] = 1000000;
        u.input = 1000000;
        int64_t dear = prices_cost(&p, &b, u);
        u.tier = TIER_STANDARD;
        u.tier_told = false;
        ck_assert(cases[i].told ? dear < prices_cost(&p, &b, u) : dear == prices_cost(&p, &b, u));
    }
}
END_TEST

START_TEST(a_name_is_told_once)
{
    struct once o = {0};
    char name[16];
    ck_assert(once(&o, "a") && !once(&o, "a") && once(&o, "b") && !once(&o, "a"));
    for (int i = 0; i < 2 * ONCE_MAX; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        ck_assert(once(&o, name) == (i < ONCE_MAX - 2));
    }
}
END_TEST

Suite *suite_service(void)
{
    const TTest *const tests[] = {a_reset_is_read_in_every_form_in_use,
                                  a_limit_that_fills_up_makes_wait_for_the_next_call_only,
                                  only_what_is_used_up_makes_wait,
                                  keys_stand_between_commas_or_line_ends,
                                  keys_may_be_replaced_for_ever,
                                  escapes_that_no_column_holds_are_replaced,
                                  bad_keys_are_refused_whole_and_the_old_ones_stay,
                                  a_refused_key_gives_way_to_the_next,
                                  a_key_is_redacted_in_every_escape,
                                  a_placeholder_is_no_secret,
                                  a_tier_that_is_told_holds,
                                  all_keys_are_redacted_old_ones_too,
                                  a_name_is_told_once,
                                  NULL};
    return suite_of("service", tests);
}
