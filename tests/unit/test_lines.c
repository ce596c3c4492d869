#include <stdlib.h>
#include <string.h>

#include "producer/lines.h"
#include "suites.h"

enum { MAX = 8 };

static FILE *file_of(const char *text, size_t len)
{
    FILE *f = tmpfile();
    ck_assert(f && fwrite(text, 1, len, f) == len);
    rewind(f);
    return f;
}

/* The lines as "<text>", too long ones as "!", in order; at the end a point. */
static void expect(const char *text, size_t len, const char *wanted)
{
    char got[256] = "";
    struct lines l;
    enum lines_result r;
    FILE *f = file_of(text, len);
    lines_init(&l, f, MAX);
    int64_t number = 0;
    while ((r = lines_next(&l)) == LINES_LINE || r == LINES_TOO_LONG) {
        size_t used = strlen(got);
        ck_assert_int_eq(l.number, ++number);
        if (r == LINES_LINE)
            (void)snprintf(got + used, sizeof got - used, "<%s>", l.line.data);
        else
            (void)snprintf(got + used, sizeof got - used, "!");
    }
    ck_assert_int_eq(r, LINES_END);
    ck_assert_str_eq(got, wanted);
    lines_free(&l);
    (void)fclose(f);
}

static void expect_text(const char *text, const char *wanted)
{
    expect(text, strlen(text), wanted);
}

START_TEST(line_breaks_of_both_kinds_are_taken_off)
{
    expect_text("a\nb\r\n\n\r\nc", "<a><b><><><c>");
    expect_text("", "");
    expect_text("\n", "<>");
}
END_TEST

START_TEST(a_line_at_the_limit_is_read_and_one_over_it_is_skipped_whole)
{
    expect_text("12345678\nx\n", "<12345678><x>");
    expect_text("12345678\r\nx\n", "<12345678><x>");
    expect_text("12345678", "<12345678>");
    expect_text("12345678901234567890\nx\n", "!<x>");
    expect_text("12345678901234567890", "!");
}
END_TEST

START_TEST(one_byte_over_the_limit_is_over_it)
{
    expect_text("123456789\nx\n", "!<x>");
    expect_text("123456789", "!");
    expect_text("1234567890", "!");
}
END_TEST

START_TEST(nul_bytes_do_not_end_a_line)
{
    struct lines l;
    FILE *f = file_of("a\0b\nc\n", 6);
    lines_init(&l, f, MAX);
    ck_assert_int_eq(lines_next(&l), LINES_LINE);
    ck_assert(l.line.len == 3 && memcmp(l.line.data, "a\0b", 4) == 0);
    lines_free(&l);
    (void)fclose(f);
}
END_TEST

START_TEST(lines_that_no_chunk_holds_are_read_and_again)
{
    enum { LENGTH = 100000, COUNT = 7 };
    struct lines l;
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k <= LENGTH; k++)
            (void)fputc(k < LENGTH ? 'a' + i : '\n', f);
    rewind(f);
    lines_init(&l, f, LENGTH);
    for (int lines = 3; lines <= COUNT; lines += COUNT - 3) { /* some, then all */
        ck_assert(lines_rewind(&l));
        for (int i = 0; i < lines; i++) {
            ck_assert_int_eq(lines_next(&l), LINES_LINE);
            ck_assert_int_eq(l.number, i + 1);
            ck_assert(l.line.len == LENGTH && l.line.data[0] == 'a' + i &&
                      l.line.data[LENGTH - 1] == 'a' + i);
        }
    }
    ck_assert_int_eq(lines_next(&l), LINES_END);
    lines_free(&l);
    (void)fclose(f);
}
END_TEST

START_TEST(a_directory_is_an_error_and_no_end)
{
    struct lines l;
    FILE *f = fopen("/", "re");
    ck_assert_ptr_nonnull(f);
    lines_init(&l, f, MAX);
    ck_assert_int_eq(lines_next(&l), LINES_ERROR);
    lines_free(&l);
    (void)fclose(f);
}
END_TEST

Suite *suite_lines(void)
{
    const TTest *const tests[] = {line_breaks_of_both_kinds_are_taken_off,
                                  a_line_at_the_limit_is_read_and_one_over_it_is_skipped_whole,
                                  one_byte_over_the_limit_is_over_it,
                                  nul_bytes_do_not_end_a_line,
                                  lines_that_no_chunk_holds_are_read_and_again,
                                  a_directory_is_an_error_and_no_end,
                                  NULL};
    return suite_of("lines", tests);
}
