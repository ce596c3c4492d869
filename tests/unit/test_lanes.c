/* Random traffic through the lanes: shares hold, nobody starves, nothing is lost or made up. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "suites.h"
#include "worker/lanes.h"

enum { BACKENDS = 5, WEIGHTS = 21 };

static const int64_t weights[LANE_COUNT] = {16, 4, 1};

struct world {
    struct lanes lanes;
    size_t queued[LANE_COUNT][BACKENDS];
    bool full[BACKENDS];
    int64_t next_offset;
    int64_t last[LANE_COUNT][BACKENDS]; /* offset popped last: a queue keeps its order */
    int waited[LANE_COUNT];             /* turns that a lane which could go did not get */
};

static bool may(void *arg, int lane, size_t backend)
{
    (void)lane;
    return !((struct world *)arg)->full[backend];
}

static void push(struct world *w, int lane, size_t backend)
{
    struct task *t = mem_zero(sizeof *t);
    t->lane = lane;
    t->candidate = backend; /* the test's own note */
    t->offset = ++w->next_offset;
    lanes_push(&w->lanes, t, backend, false);
    w->queued[lane][backend]++;
}

static bool lane_can_go(const struct world *w, int lane)
{
    for (size_t b = 0; b < BACKENDS; b++)
        if (w->queued[lane][b] && !w->full[b])
            return true;
    return false;
}

static void note_turn(struct world *w, int got)
{
    for (int lane = 0; lane < LANE_COUNT; lane++)
        w->waited[lane] = lane == got || !lane_can_go(w, lane) ? 0 : w->waited[lane] + 1;
}

static void pop(struct world *w)
{
    bool possible = false;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        possible = possible || lane_can_go(w, lane);
    struct task *t = lanes_pop(&w->lanes, may, w);
    ck_assert_int_eq(t != NULL, possible);
    if (!t)
        return;
    size_t b = t->candidate;
    ck_assert(!w->full[b] && w->queued[t->lane][b] > 0);
    ck_assert(t->offset > w->last[t->lane][b]);
    w->last[t->lane][b] = t->offset;
    w->queued[t->lane][b]--;
    note_turn(w, t->lane);
    free(t);
}

START_TEST(whoever_can_go_goes_soon_and_in_order)
{
    for (unsigned run = 0; run < 100; run++) {
        struct world w = {0};
        lanes_init(&w.lanes, weights, BACKENDS);
        srand(run);
        for (int step = 0; step < 2000; step++) {
            int what = rand() % 10;
            if (what < 5)
                push(&w, rand() % LANE_COUNT, (size_t)rand() % BACKENDS);
            else if (what < 6)
                w.full[rand() % BACKENDS] ^= true;
            else
                pop(&w);
            for (int lane = 0; lane < LANE_COUNT; lane++)
                if (w.waited[lane] > 3 * WEIGHTS)
                    ck_abort_msg("run %u: lane %d starves", run, lane);
        }
        memset(w.full, 0, sizeof w.full);
        while (w.lanes.count)
            pop(&w);
        lanes_free(&w.lanes);
    }
}
END_TEST

START_TEST(backends_of_a_lane_take_turns)
{
    struct world w = {0};
    size_t left = 40;
    lanes_init(&w.lanes, weights, BACKENDS);
    for (size_t i = 0; i < left; i++)
        push(&w, LANE_LOW, i < left / 2 ? 0 : 1);
    for (int i = 0; i < 20; i++)
        pop(&w);
    ck_assert_uint_eq(w.queued[LANE_LOW][0], 10);
    ck_assert_uint_eq(w.queued[LANE_LOW][1], 10);
    while (w.lanes.count)
        pop(&w);
    lanes_free(&w.lanes);
}
END_TEST

START_TEST(shares_hold_although_the_high_lane_is_half_blocked)
{
    struct world w = {.full = {true}};
    lanes_init(&w.lanes, weights, BACKENDS);
    for (int i = 0; i < 1000; i++) {
        push(&w, LANE_HIGH, 0); /* full: none of these may take a share */
        push(&w, LANE_NORMAL, 1);
        push(&w, LANE_LOW, 1);
    }
    for (int i = 0; i < 500; i++)
        pop(&w);
    ck_assert_uint_eq(w.queued[LANE_HIGH][0], 1000);
    ck_assert_uint_eq(w.queued[LANE_NORMAL][1], 600);
    ck_assert_uint_eq(w.queued[LANE_LOW][1], 900);
    w.full[0] = false;
    while (w.lanes.count)
        pop(&w);
    lanes_free(&w.lanes);
}
END_TEST

Suite *suite_lanes(void)
{
    const TTest *const tests[] = {whoever_can_go_goes_soon_and_in_order,
                                  backends_of_a_lane_take_turns,
                                  shares_hold_although_the_high_lane_is_half_blocked, NULL};
    return suite_of("lanes", tests);
}
