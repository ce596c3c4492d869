#include <string.h>

#include "suites.h"
#include "worker/pgarray.h"

START_TEST(arrays_have_postgresqls_binary_form)
{
    static const unsigned char wanted[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0,   0,   25,  0,   0,   0,
                                           2, 0, 0, 0, 1, 0, 0, 0, 2, 'h', 'i', 255, 255, 255, 255};
    struct pgarray a;
    pgarray_init(&a, PG_TEXT);
    pgarray_text(&a, "hi");
    pgarray_text(&a, NULL);
    pgarray_finish(&a);
    ck_assert_uint_eq(a.bytes.len, sizeof wanted);
    ck_assert_mem_eq(a.bytes.data, wanted, sizeof wanted);
    pgarray_free(&a);
}
END_TEST

START_TEST(an_empty_array_has_no_dimension)
{
    static const unsigned char wanted[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 20};
    struct pgarray a;
    pgarray_init(&a, PG_INT8);
    pgarray_finish(&a);
    ck_assert_uint_eq(a.bytes.len, sizeof wanted);
    ck_assert_mem_eq(a.bytes.data, wanted, sizeof wanted);
    pgarray_free(&a);
}
END_TEST

START_TEST(numbers_and_times_have_their_width)
{
    struct pgarray a;
    pgarray_init(&a, PG_INT4);
    pgarray_number(&a, -2);
    ck_assert_mem_eq(a.bytes.data + 20, "\0\0\0\4\377\377\377\376", 8);
    pgarray_free(&a);
    pgarray_init(&a, PG_TIMESTAMPTZ);
    pgarray_time(&a, 946684800000001); /* a microsecond after PostgreSQL's zero */
    ck_assert_mem_eq(a.bytes.data + 20, "\0\0\0\10\0\0\0\0\0\0\0\1", 12);
    pgarray_free(&a);
}
END_TEST

Suite *suite_pgarray(void)
{
    const TTest *const tests[] = {arrays_have_postgresqls_binary_form,
                                  an_empty_array_has_no_dimension,
                                  numbers_and_times_have_their_width, NULL};
    return suite_of("pgarray", tests);
}
