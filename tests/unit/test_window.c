/* Any order of completion, and a revoke at any point: what is committed is always done. */
#include <stdlib.h>
#include <string.h>

#include "common/window.h"
#include "suites.h"

enum { RECORDS = 200, RUNS = 3000 };

/* The plainest model of a window: all offsets and whether they are done. */
struct model {
    int64_t offset[RECORDS];
    bool done[RECORDS];
    int count;
};

static int64_t model_watermark(const struct model *m)
{
    for (int i = 0; i < m->count; i++)
        if (!m->done[i])
            return m->offset[i];
    return m->count ? m->offset[m->count - 1] + 1 : -1;
}

static size_t model_open(const struct model *m)
{
    size_t n = 0;
    for (int i = 0; i < m->count; i++)
        n += !m->done[i];
    return n;
}

/* After each step, a revoke now and a commit: is anything lost? Plain comparisons: Check notes each
 * assertion in a file, and there are hundreds of millions of these. */
static bool holds(const struct window *w, const struct model *m, int64_t before)
{
    bool good = window_watermark(w) == model_watermark(m) && window_open(w) == model_open(m) &&
                window_watermark(w) >= before && window_count(w) <= w->max;
    for (int i = 0; i < m->count; i++)
        good = good && (m->done[i] || m->offset[i] >= window_watermark(w));
    return good;
}

static void step(struct window *w, struct model *m, uint64_t *numbers)
{
    if (m->count < RECORDS && rand() % 2 && !window_full(w)) {
        int64_t last = m->count ? m->offset[m->count - 1] : rand() % 1000;
        m->offset[m->count] = last + 1 + (rand() % 8 ? 0 : rand() % 5);
        numbers[m->count] = window_add(w, m->offset[m->count]);
        m->count++;
    } else if (m->count) {
        int i = rand() % m->count;
        if (window_done(w, numbers[i]) == m->done[i])
            ck_abort_msg("record %d counts twice or never", i);
        m->done[i] = true;
    }
}

START_TEST(watermark_never_passes_an_open_record)
{
    for (int run = 0; run < RUNS; run++) {
        struct model m = {0};
        struct window w;
        uint64_t numbers[RECORDS];
        srand((unsigned)run);
        window_init(&w, 1 + (size_t)rand() % RECORDS);
        int64_t before = -1;
        for (int steps = 20 + rand() % 300; steps > 0; steps--) {
            step(&w, &m, numbers);
            if (!holds(&w, &m, before))
                ck_abort_msg("run %d, %d steps before its end", run, steps);
            before = window_watermark(&w);
        }
        window_free(&w);
    }
}
END_TEST

START_TEST(is_full_at_its_maximum_whatever_is_done_behind_the_head)
{
    struct window w;
    window_init(&w, 100);
    for (int i = 0; i < 100; i++) {
        ck_assert(!window_full(&w));
        (void)window_add(&w, i);
    }
    for (uint64_t i = 1; i < 100; i++)
        ck_assert(window_done(&w, i));
    ck_assert(window_full(&w));
    ck_assert_int_eq(window_watermark(&w), 0);
    ck_assert(window_done(&w, 0));
    ck_assert_int_eq(window_watermark(&w), 100);
    ck_assert_uint_eq(window_count(&w), 0);
    window_free(&w);
}
END_TEST

START_TEST(done_counts_once_and_only_for_known_records)
{
    struct window w;
    window_init(&w, 10);
    ck_assert_int_eq(window_watermark(&w), -1);
    ck_assert(!window_done(&w, 0));
    uint64_t a = window_add(&w, 5), b = window_add(&w, 9);
    ck_assert(window_done(&w, b) && !window_done(&w, b));
    ck_assert_int_eq(window_watermark(&w), 5);
    ck_assert(window_done(&w, a) && !window_done(&w, a));
    ck_assert_int_eq(window_watermark(&w), 10);
    ck_assert(!window_done(&w, 1000));
    window_free(&w);
}
END_TEST

Suite *suite_window(void)
{
    const TTest *const tests[] = {watermark_never_passes_an_open_record,
                                  is_full_at_its_maximum_whatever_is_done_behind_the_head,
                                  done_counts_once_and_only_for_known_records, NULL};
    return suite_of("window", tests);
}
