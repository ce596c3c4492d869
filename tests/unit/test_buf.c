#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "suites.h"

START_TEST(nothing_is_added_once_it_overflowed)
{
    struct buf b;
    buf_init(&b, 5);
    buf_str(&b, "abc");
    buf_str(&b, "defg");
    buf_char(&b, 'x'); /* would fit, but a text with a hole is worse than a short one */
    ck_assert(b.overflow);
    ck_assert_str_eq(b.data, "abc");
    ck_assert(!buf_reserve(&b, 0));
    buf_clear(&b);
    buf_printf(&b, "%d", 12345);
    ck_assert(!b.overflow);
    buf_printf(&b, "%s", "");
    ck_assert_str_eq(b.data, "12345");
    buf_printf(&b, "%d", 6);
    ck_assert(b.overflow && b.len == 5);
    buf_free(&b);
    ck_assert(b.max == 5 && b.len == 0 && b.data == NULL);
}
END_TEST

START_TEST(a_reservation_too_large_to_count_is_refused)
{
    struct buf b;
    buf_init(&b, 100);
    buf_str(&b, "abc");
    ck_assert(!buf_reserve(&b, SIZE_MAX) && b.overflow);
    buf_free(&b);
}
END_TEST

START_TEST(it_grows_and_stays_terminated_at_every_length)
{
    struct buf b;
    buf_init(&b, 5000);
    for (size_t i = 0; i < 5000; i++) {
        buf_char(&b, (char)('a' + i % 26));
        ck_assert(b.len == i + 1 && b.data[b.len] == '\0');
    }
    ck_assert_int_eq(b.data[4999], 'a' + 4999 % 26);
    buf_free(&b);
}
END_TEST

START_TEST(any_bytes_below_0x80_survive_as_a_json_string)
{
    struct buf out, back;
    struct error err;
    buf_init(&out, 4096);
    buf_init(&back, 4096);
    for (int c = 1; c < 0x80; c++) {
        const char text[3] = {'x', (char)c, 'y'};
        buf_clear(&out);
        buf_clear(&back);
        buf_json(&out, text, 3);
        ck_assert_msg(json_check(out.data, out.len, &err), "%d: %s", c, err.message);
        ck_assert(json_string(json_root(out.data, out.len), &back));
        ck_assert(back.len == 3 && memcmp(back.data, text, 3) == 0);
    }
    buf_free(&out);
    buf_free(&back);
}
END_TEST

START_TEST(a_member_is_a_text_or_null)
{
    struct buf b;
    buf_init(&b, 100);
    buf_json_member(&b, "a\"", "b\n");
    buf_char(&b, ',');
    buf_json_member(&b, "c", NULL);
    ck_assert_str_eq(b.data, "\"a\\\"\":\"b\\n\",\"c\":null");
    buf_free(&b);
}
END_TEST

START_TEST(integers_are_big_endian)
{
    struct buf b;
    buf_init(&b, 100);
    buf_be16(&b, 0x0102);
    buf_be32(&b, 0x03040506);
    buf_be64(&b, 0x0708090A0B0C0D0E);
    ck_assert_uint_eq(b.len, 14);
    for (int i = 0; i < 14; i++)
        ck_assert_int_eq(b.data[i], i + 1);
    buf_free(&b);
}
END_TEST

Suite *suite_buf(void)
{
    const TTest *const tests[] = {nothing_is_added_once_it_overflowed,
                                  a_reservation_too_large_to_count_is_refused,
                                  it_grows_and_stays_terminated_at_every_length,
                                  any_bytes_below_0x80_survive_as_a_json_string,
                                  a_member_is_a_text_or_null,
                                  integers_are_big_endian,
                                  NULL};
    return suite_of("buf", tests);
}
