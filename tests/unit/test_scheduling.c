/* lanes, limiter, retry: the decisions. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "suites.h"
#include "worker/lanes.h"
#include "worker/limiter.h"
#include "worker/pace.h"
#include "worker/retry.h"

enum { SIMULATED = 20000, IN_FLIGHT_MOST = 4000 };

static const int64_t weights[LANE_COUNT] = {16, 4, 1};

static struct task *push(struct lanes *l, int lane, size_t backend)
{
    struct task *t = mem_zero(sizeof *t);
    t->lane = lane;
    lanes_push(l, t, backend, false);
    return t;
}

static bool always(void *arg, int lane, size_t backend)
{
    (void)lane;
    (void)arg;
    (void)backend;
    return true;
}

static bool all_but(void *arg, int lane, size_t backend)
{
    (void)lane;
    return *(size_t *)arg != backend;
}

static int pop_lane(struct lanes *l, lanes_may_call *may, void *arg)
{
    struct task *t = lanes_pop(l, may, arg);
    int lane = t ? t->lane : -1;
    free(t);
    return lane;
}

START_TEST(lower_lanes_leave_places_to_a_lane_that_had_tasks_lately)
{
    struct config_backend b = {.concurrency.max = 16};
    const struct config c = {.backends = {&b, 1}, .worker.concurrency = 16};
    struct limiter l;
    limiter_init(&l, &c);
    for (int i = 0; i < 15; i++)
        limiter_begin(&l, 0, LANE_LOW);
    ck_assert(limiter_may_call(&l, 0, LANE_LOW, 0));
    limiter_expect(&l, LANE_HIGH, 0);
    ck_assert(!limiter_may_call(&l, 0, LANE_LOW, 1) && limiter_may_call(&l, 0, LANE_HIGH, 1));
    limiter_begin(&l, 0, LANE_HIGH);
    limiter_end(&l, 0, LANE_LOW); /* of 16 places 2 at most are kept, and one is taken */
    ck_assert(!limiter_may_call(&l, 0, LANE_LOW, 1));
    limiter_end(&l, 0, LANE_LOW);
    ck_assert(limiter_may_call(&l, 0, LANE_LOW, 1));
    limiter_end(&l, 0, LANE_HIGH);
    for (int i = 0; i < 2; i++)
        limiter_begin(&l, 0, LANE_LOW);
    ck_assert(!limiter_may_call(&l, 0, LANE_LOW, LIMITER_EXPECTS - 1));
    ck_assert(limiter_may_call(&l, 0, LANE_LOW, LIMITER_EXPECTS)); /* none came any more */
}
END_TEST

START_TEST(lanes_share_by_weight)
{
    struct lanes l;
    int taken[LANE_COUNT] = {0};
    lanes_init(&l, weights, 1);
    for (int i = 0; i < 2100; i++)
        (void)push(&l, i % LANE_COUNT, 0);
    for (int i = 0; i < 210; i++)
        taken[pop_lane(&l, always, NULL)]++;
    ck_assert_int_eq(taken[LANE_HIGH], 160);
    ck_assert_int_eq(taken[LANE_NORMAL], 40);
    ck_assert_int_eq(taken[LANE_LOW], 10);
    while (pop_lane(&l, always, NULL) >= 0)
        ;
    ck_assert_uint_eq(l.count, 0);
    lanes_free(&l);
}
END_TEST

START_TEST(an_empty_lane_gives_its_share_away)
{
    struct lanes l;
    lanes_init(&l, weights, 1);
    for (int i = 0; i < 100; i++)
        (void)push(&l, LANE_LOW, 0);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(pop_lane(&l, always, NULL), LANE_LOW);
    (void)push(&l, LANE_HIGH, 0); /* overtakes what has waited longer */
    int turns = 1;
    while (pop_lane(&l, always, NULL) != LANE_HIGH)
        turns++;
    ck_assert_int_le(turns, 2);
    while (pop_lane(&l, always, NULL) >= 0)
        ;
    lanes_free(&l);
}
END_TEST

START_TEST(a_full_backend_holds_up_nobody_else)
{
    struct lanes l;
    size_t full = 0;
    lanes_init(&l, weights, 3);
    for (int i = 0; i < 30; i++)
        (void)push(&l, LANE_NORMAL, (size_t)i % 3);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(pop_lane(&l, all_but, &full), LANE_NORMAL);
    ck_assert_int_eq(pop_lane(&l, all_but, &full), -1);
    ck_assert_uint_eq(l.count, 10);
    while (pop_lane(&l, always, NULL) >= 0)
        ;
    lanes_free(&l);
}
END_TEST

START_TEST(first_come_first_served_but_retries_go_first)
{
    struct lanes l;
    lanes_init(&l, weights, 1);
    struct task *a = push(&l, LANE_LOW, 0), *b = push(&l, LANE_LOW, 0), retry = {.lane = LANE_LOW};
    lanes_push(&l, &retry, 0, true);
    ck_assert_ptr_eq(lanes_pop(&l, always, NULL), &retry);
    lanes_remove(&l, a, 0);
    ck_assert_ptr_eq(lanes_pop(&l, always, NULL), b);
    ck_assert_ptr_null(lanes_pop(&l, always, NULL));
    free(a);
    free(b);
    lanes_free(&l);
}
END_TEST

START_TEST(limits_hold_for_all_and_for_each_backend)
{
    struct config_backend b[2] = {{.concurrency.max = 2}, {.concurrency.max = 10}};
    struct config c = {.backends = {b, 2}};
    struct limiter l;
    c.worker.concurrency = 5;
    limiter_init(&l, &c);
    limiter_begin(&l, 0, LANE_NORMAL);
    limiter_begin(&l, 0, LANE_NORMAL);
    ck_assert(!limiter_may_call(&l, 0, LANE_NORMAL, 0) && limiter_may_call(&l, 1, LANE_NORMAL, 0));
    for (int i = 0; i < 3; i++)
        limiter_begin(&l, 1, LANE_NORMAL);
    ck_assert(limiter_full(&l) && !limiter_may_call(&l, 1, LANE_NORMAL, 0));
    limiter_end(&l, 0, LANE_NORMAL);
    ck_assert(limiter_may_call(&l, 0, LANE_NORMAL, 0) && limiter_may_call(&l, 1, LANE_NORMAL, 0));
}
END_TEST

static const struct retry_policy policy = {
    .attempts = 3, .base_ms = 1000, .max_ms = 30000, .retry_after_max_ms = 60000};

START_TEST(delays_double_with_jitter_and_a_limit)
{
    static const int64_t middle[] = {1000, 2000, 4000};
    srand(1);
    for (int i = 0; i < 10000; i++) {
        int64_t delay;
        int tries = 1 + rand() % 3;
        ck_assert_int_eq(retry_decide(&policy, ERROR_RETRY, tries, -1, (uint64_t)rand(), &delay),
                         RETRY_AGAIN);
        ck_assert_int_ge(delay, middle[tries - 1] * 3 / 4);
        ck_assert_int_le(delay, middle[tries - 1] * 5 / 4);
    }
    struct retry_policy many = {.attempts = 20, .base_ms = 1000, .max_ms = 30000};
    int64_t delay;
    ck_assert_int_eq(retry_decide(&many, ERROR_RETRY, 19, -1, 0, &delay), RETRY_AGAIN);
    ck_assert_int_eq(delay, 22500);
}
END_TEST

START_TEST(retry_after_is_obeyed_or_the_attempts_end)
{
    int64_t delay;
    for (uint64_t r = 0; r < 1000; r++) {
        ck_assert_int_eq(retry_decide(&policy, ERROR_THROTTLED, 1, 7000, r, &delay), RETRY_AGAIN);
        ck_assert(delay >= 7000 && delay <= 7700);
    }
    ck_assert_int_eq(retry_decide(&policy, ERROR_THROTTLED, 1, 60001, 0, &delay),
                     RETRY_NEXT_CANDIDATE);
}
END_TEST

START_TEST(what_is_hopeless_is_not_tried_again)
{
    int64_t delay;
    ck_assert_int_eq(retry_decide(&policy, ERROR_PERMANENT, 1, -1, 0, &delay), RETRY_GIVE_UP);
    ck_assert_int_eq(retry_decide(&policy, ERROR_NEXT_CANDIDATE, 1, -1, 0, &delay),
                     RETRY_NEXT_CANDIDATE);
    ck_assert_int_eq(retry_decide(&policy, ERROR_RETRY, 4, -1, 0, &delay), RETRY_NEXT_CANDIDATE);
}
END_TEST

/* A backend that serves 100 calls at a time, a second each, and refuses others at once. */
struct simulation {
    struct aimd a;
    struct {
        double sent, ends;
        bool refused;
    } calls[IN_FLIGHT_MOST];
    int count, served, refusals, lowest, highest;
    double now;
};

static void send_all(struct simulation *s)
{
    while (aimd_has_room(&s->a) && s->count < IN_FLIGHT_MOST) {
        bool refused = s->served >= 100;
        s->calls[s->count].sent = s->now;
        s->calls[s->count].refused = refused;
        s->calls[s->count++].ends = s->now + (refused ? 0.01 : 1.0 + (rand() % 100) / 1000.0);
        s->served += !refused;
        s->refusals += refused;
        s->a.in_flight++;
    }
}

static void end_next(struct simulation *s)
{
    int first = 0;
    for (int i = 1; i < s->count; i++)
        first = s->calls[i].ends < s->calls[first].ends ? i : first;
    s->now = s->calls[first].ends;
    if (s->calls[first].refused)
        (void)aimd_bad(&s->a, s->calls[first].sent, s->now, true, "rate_limit");
    else
        aimd_good(&s->a, s->calls[first].sent);
    s->served -= !s->calls[first].refused;
    s->calls[first] = s->calls[--s->count];
    s->a.in_flight--;
}

START_TEST(a_backends_capacity_is_found_and_held)
{
    static struct simulation s;
    static const int starts[] = {1, 10, 0};
    for (size_t i = 0; i < 3; i++) {
        s = (struct simulation){.lowest = IN_FLIGHT_MOST};
        aimd_init(&s.a, 1, 2000, starts[i]);
        for (int n = 0; n < SIMULATED; n++) {
            send_all(&s);
            end_next(&s);
            if (n == SIMULATED / 2)
                s.refusals = 0;
            if (n < SIMULATED / 2)
                continue;
            s.lowest = s.a.limit < s.lowest ? (int)s.a.limit : s.lowest;
            s.highest = s.a.limit > s.highest ? (int)s.a.limit : s.highest;
        }
        ck_assert_int_ge(s.lowest, 85);
        ck_assert_int_le(s.highest, 105);
        ck_assert_int_lt(s.refusals, SIMULATED / 2 * 3 / 100);
    }
}
END_TEST

START_TEST(without_bounds_the_limit_stays)
{
    struct aimd a;
    aimd_init(&a, 0, 50, 10);
    a.in_flight = 50;
    ck_assert(!aimd_bad(&a, 1, 2, false, "timeout") && !aimd_has_room(&a));
    a.in_flight = 49;
    ck_assert(aimd_has_room(&a));
}
END_TEST

START_TEST(a_limit_falls_once_a_flight_and_grows_only_when_it_is_reached)
{
    struct aimd a;
    aimd_init(&a, 5, 100, 0);
    a.in_flight = 100;
    ck_assert(aimd_bad(&a, 1, 2, false, "timeout"));
    ck_assert(!aimd_bad(&a, 1.5, 3, false, "timeout")); /* of the same flight */
    ck_assert_int_eq((int)a.limit, 90);
    a.in_flight = 90;
    aimd_good(&a, 1.9); /* sent before the decrease */
    ck_assert_int_eq((int)(a.limit * 100), 9000);
    aimd_good(&a, 2.1);
    ck_assert_int_eq((int)(a.limit * 100), 9001);
    a.in_flight = 50;
    aimd_good(&a, 2.2); /* far from the limit */
    ck_assert_int_eq((int)(a.limit * 100), 9001);
    for (int i = 0; i < 100; i++)
        (void)aimd_bad(&a, 3 + i, 3 + i, false, "timeout");
    ck_assert_int_eq((int)a.limit, 5);
}
END_TEST

START_TEST(a_lease_becomes_credit_as_it_passes_and_is_lost_if_unused)
{
    struct pace p = {.rate = 10};
    ck_assert(!pace_open(&p) && pace_want(&p, 0) == 0 && pace_want(&p, 5) == 0.5);
    ck_assert(pace_want(&p, 1000) == PACE_HORIZON);
    pace_lease(&p, 100.25, 1);
    ck_assert(pace_want(&p, 10) == 0);
    pace_advance(&p, 100.25);
    ck_assert(!pace_open(&p)); /* its time has not come */
    pace_advance(&p, 100.5);
    ck_assert(pace_open(&p));
    pace_take(&p, 5); /* on credit: half a second of the rate, of which half has passed */
    ck_assert(!pace_open(&p));
    pace_advance(&p, 100.8);
    ck_assert(pace_open(&p));
    pace_advance(&p, 200); /* of the rest only PACE_LATE is left */
    pace_take(&p, PACE_LATE * 10);
    ck_assert(!pace_open(&p) && p.count == 0);
    pace_take(&p, -1000);
    pace_take(&p, PACE_LATE * 10);
    ck_assert(!pace_open(&p)); /* nor is more given back */
}
END_TEST

Suite *suite_scheduling(void)
{
    const TTest *const tests[] = {lanes_share_by_weight,
                                  lower_lanes_leave_places_to_a_lane_that_had_tasks_lately,
                                  an_empty_lane_gives_its_share_away,
                                  a_full_backend_holds_up_nobody_else,
                                  first_come_first_served_but_retries_go_first,
                                  limits_hold_for_all_and_for_each_backend,
                                  delays_double_with_jitter_and_a_limit,
                                  retry_after_is_obeyed_or_the_attempts_end,
                                  what_is_hopeless_is_not_tried_again,
                                  a_backends_capacity_is_found_and_held,
                                  without_bounds_the_limit_stays,
                                  a_lease_becomes_credit_as_it_passes_and_is_lost_if_unused,
                                  a_limit_falls_once_a_flight_and_grows_only_when_it_is_reached,
                                  NULL};
    return suite_of("scheduling", tests);
}
