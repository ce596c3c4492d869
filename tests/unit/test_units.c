#include <string.h>

#include "common/units.h"
#include "common/uuid.h"
#include "suites.h"

START_TEST(durations_have_units)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {{"30s", 30000},
                {"250ms", 250},
                {"2h", 7200000},
                {"7d", 604800000},
                {"0", 0},
                {"5", -1},
                {"", -1},
                {"s", -1},
                {"-1s", -1},
                {"1.5s", -1},
                {"1 s", -1},
                {"5sec", -1},
                {"99999999999999999999s", -1},
                {"9999999999999999d", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = -1;
        ck_assert_msg((units_parse_duration(rows[i].text, &v) ? v : -1) == rows[i].ms, "%s",
                      rows[i].text);
    }
}
END_TEST

START_TEST(sizes_have_units_and_print_back)
{
    static const char *const exact[] = {"512KiB", "4MiB", "3GiB", "100B", "0B", "1537B"};
    char out[UNITS_TEXT_MAX];
    int64_t v;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        ck_assert(units_parse_size(exact[i], &v));
        ck_assert_str_eq(units_format_size(v, out), exact[i]);
    }
    ck_assert(units_parse_size("2kB", &v) && v == 2000);
    ck_assert(!units_parse_size("2KB", &v) && !units_parse_size("10", &v));
    ck_assert_str_eq(units_format_duration(90000, out), "90s");
    ck_assert_str_eq(units_format_duration(120000, out), "2m");
}
END_TEST

START_TEST(times_are_rfc_3339)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } rows[] = {{"1970-01-01T00:00:01Z", 1000000},
                {"2026-01-31T10:00:00Z", 1769853600000000},
                {"2026-01-31T12:00:00+02:00", 1769853600000000},
                {"2026-01-31t10:00:00.25z", 1769853600250000},
                {"2026-02-30T10:00:00Z", -1},
                {"0440-12-31T23:59:59Z", -1},
                {"2026-01-31T25:00:00Z", -1},
                {"2026-01-31T10:00:00", -1},
                {"2026-01-31", -1},
                {"tomorrow", -1},
                {"2026-01-31T10:00:00+99:00", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = -1;
        ck_assert_msg((units_parse_time(rows[i].text, &v) ? v : -1) == rows[i].us, "%s",
                      rows[i].text);
    }
    char out[UNITS_TEXT_MAX];
    ck_assert_str_eq(units_format_time(1769853600250000, out), "2026-01-31T10:00:00.250Z");
}
END_TEST

START_TEST(uuids_parse_print_and_sort_by_time)
{
    char a[UUID_TEXT_LEN + 1], b[UUID_TEXT_LEN + 1];
    struct uuid u = uuid_v7(1000), v = uuid_v7(1001), back;
    ck_assert_str_lt(uuid_format(&u, a), uuid_format(&v, b));
    ck_assert_int_eq(a[14], '7');
    ck_assert(strchr("89ab", a[19]) != NULL);
    ck_assert(uuid_parse(a, &back) && uuid_equal(&u, &back) && !uuid_equal(&u, &v));
    ck_assert(uuid_parse("01A20D6F-00ED-7BE5-85ED-E60541A08C3D", &back));
    ck_assert(!uuid_parse("01a20d6f-00ed-7be5-85ed-e60541a08c3", &back));
    ck_assert(!uuid_parse("01a20d6f000ed-7be5-85ed-e60541a08c3d", &back));
    ck_assert(!uuid_parse("g1a20d6f-00ed-7be5-85ed-e60541a08c3d", &back));
}
END_TEST

Suite *suite_units(void)
{
    const TTest *const tests[] = {durations_have_units, sizes_have_units_and_print_back,
                                  times_are_rfc_3339, uuids_parse_print_and_sort_by_time, NULL};
    return suite_of("units", tests);
}
