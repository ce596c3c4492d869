/* RFC 3339 to the letter: the schemas say the same, and other programs go by them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "suites.h"

START_TEST(what_is_not_rfc_3339_is_refused)
{
    static const char *const bad[] = {
        "2026-01-31T10: 1:00Z",      "2026-+1-31T10:00:00Z",      "2026-01-31T10:00:00.Z",
        "2026-01-31T10:00:00++2:00", "2026-01-31T10:00:00+ 2:00", "2026-01-31T10:00:00+2:00",
        "2026-01-31T10:00:00Z ",     " 2026-01-31T10:00:00Z",     "2026-01-31T24:00:00Z",
        "2026-01-31T10:60:00Z",      "2026-00-10T10:00:00Z",      "2026-13-01T10:00:00Z",
        "2026-01-00T10:00:00Z",      "2026-02-29T10:00:00Z",      "2026-1-31T10:00:00Z",
        "2026-01-31T10:00:00+0200",  "2026-01-31T10:00Z",         ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t us = 0;
        ck_assert_msg(!units_parse_time(bad[i], &us), "\"%s\" is taken for %" PRId64, bad[i], us);
    }
}
END_TEST

START_TEST(no_time_is_before_1970_whatever_its_offset)
{
    static const char *const bad[] = {"1970-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z",
                                      "1970-01-01T10:00:00+10:01"};
    int64_t us;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!units_parse_time(bad[i], &us), "%s", bad[i]);
    ck_assert(units_parse_time("1970-01-01T00:00:00Z", &us) && us == 0);
    ck_assert(units_parse_time("1969-12-31T23:00:01-01:00", &us) && us == 1000000);
}
END_TEST

START_TEST(an_offset_east_is_earlier_in_utc)
{
    int64_t us;
    ck_assert(units_parse_time("2026-01-31T12:00:00+02:00", &us) && us == 1769853600000000);
    ck_assert(units_parse_time("2026-01-31T04:30:00-05:30", &us) && us == 1769853600000000);
}
END_TEST

START_TEST(leap_years_are_known)
{
    int64_t us;
    ck_assert(units_parse_time("2000-02-29T00:00:00Z", &us) && us == 951782400000000);
    ck_assert(units_parse_time("2024-02-29T23:59:59.999999Z", &us));
    ck_assert(us == 1709251199999999);
    ck_assert(!units_parse_time("2100-02-29T00:00:00Z", &us));
}
END_TEST

START_TEST(milliseconds_print_and_read_back)
{
    char text[UNITS_TEXT_MAX];
    srand(5);
    for (int i = 0; i < 20000; i++) {
        int64_t us = (int64_t)(rand() % 2000000000) * 1000000 + rand() % 1000 * 1000, back = -1;
        (void)units_format_time(us, text);
        if (!units_parse_time(text, &back) || back != us)
            ck_abort_msg("%s: %" PRId64 " became %" PRId64, text, us, back);
    }
}
END_TEST

START_TEST(durations_and_sizes_print_and_read_back)
{
    char text[UNITS_TEXT_MAX];
    srand(6);
    for (int i = 0; i < 20000; i++) {
        int64_t v = ((int64_t)rand() << 31 | rand()) >> (rand() % 62), back = -1;
        if (!units_parse_duration(units_format_duration(v, text), &back) || back != v)
            ck_abort_msg("%s: %" PRId64 " became %" PRId64, text, v, back);
        if (!units_parse_size(units_format_size(v, text), &back) || back != v)
            ck_abort_msg("%s: %" PRId64 " became %" PRId64, text, v, back);
    }
}
END_TEST

Suite *suite_times(void)
{
    const TTest *const tests[] = {what_is_not_rfc_3339_is_refused,
                                  no_time_is_before_1970_whatever_its_offset,
                                  an_offset_east_is_earlier_in_utc,
                                  leap_years_are_known,
                                  milliseconds_print_and_read_back,
                                  durations_and_sizes_print_and_read_back,
                                  NULL};
    return suite_of("times", tests);
}
