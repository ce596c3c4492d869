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

/* ---- a second reader, further ahead ---------------------------------------------------------- */

struct pair {
    struct window window;
    int64_t offset[RECORDS]; /* of all records, with gaps */
    int in_order, ahead;     /* what each reader comes to next */
    int takes[RECORDS];
    uint64_t number[RECORDS];
    bool done[RECORDS];
};

static void take(struct pair *p, int i)
{
    p->takes[i]++;
    p->number[i] = window_add(&p->window, p->offset[i]);
}

static void read_in_order(struct pair *p)
{
    int i = p->in_order++;
    if (window_reach(&p->window, p->offset[i]))
        take(p, i);
}

/* Wants one record of three; may go back, and skips none. */
static void read_ahead(struct pair *p)
{
    if (rand() % 10 == 0)
        p->ahead = p->in_order;
    if (p->ahead < p->in_order)
        p->ahead = p->in_order;
    if (p->ahead >= RECORDS)
        return;
    int i = p->ahead++;
    if (window_foresee(&p->window, p->offset[i]) && rand() % 3 == 0)
        take(p, i);
}

/* All below the watermark is done, and was read in order or taken ahead. */
static bool pair_holds(const struct pair *p)
{
    bool good = true;
    for (int i = 0; i < RECORDS; i++)
        good = good && p->takes[i] <= 1 &&
               (p->done[i] || p->offset[i] >= window_watermark(&p->window));
    return good;
}

static void finish_one(struct pair *p)
{
    int i =
        rand() % 2 ? rand() % RECORDS : p->in_order + 2 - rand() % 5; /* often near the reader */
    if (i >= 0 && i < RECORDS && p->takes[i] && !p->done[i])
        p->done[i] = window_done(&p->window, p->number[i]);
}

START_TEST(two_readers_take_each_record_once)
{
    for (int run = 0; run < RUNS; run++) {
        struct pair p = {0};
        srand((unsigned)run);
        window_init(&p.window, RECORDS);
        for (int i = 1; i < RECORDS; i++)
            p.offset[i] = p.offset[i - 1] + 1 + (rand() % 8 ? 0 : rand() % 3);
        while (p.in_order < RECORDS) {
            int what = rand() % 5;
            (what == 0 ? read_in_order : what < 3 ? read_ahead : finish_one)(&p);
            if (!pair_holds(&p))
                ck_abort_msg("run %d: record %d", run, p.in_order);
        }
        for (int i = 0; i < RECORDS; i++)
            if (p.takes[i] != 1 || (!p.done[i] && !window_done(&p.window, p.number[i])))
                ck_abort_msg("run %d: record %d was taken %d times", run, i, p.takes[i]);
        ck_assert_int_eq(window_watermark(&p.window), p.offset[RECORDS - 1] + 1);
        window_free(&p.window);
    }
}
END_TEST

START_TEST(what_was_foreseen_and_is_gone_holds_up_nothing)
{
    struct window w;
    window_init(&w, 10);
    uint64_t a = window_add(&w, 5);
    ck_assert(window_foresee(&w, 6) && window_foresee(&w, 9) && !window_foresee(&w, 5));
    ck_assert_int_eq(window_end(&w), 10);
    ck_assert(window_reach(&w, 10)); /* 6 and 9 were deleted meanwhile */
    uint64_t b = window_add(&w, 10);
    ck_assert(window_done(&w, a));
    ck_assert_int_eq(window_watermark(&w), 10);
    ck_assert(window_done(&w, b));
    ck_assert_int_eq(window_watermark(&w), 11);
    window_free(&w);
}
END_TEST

Suite *suite_window(void)
{
    const TTest *const tests[] = {watermark_never_passes_an_open_record,
                                  is_full_at_its_maximum_whatever_is_done_behind_the_head,
                                  done_counts_once_and_only_for_known_records,
                                  two_readers_take_each_record_once,
                                  what_was_foreseen_and_is_gone_holds_up_nothing,
                                  NULL};
    return suite_of("window", tests);
}
