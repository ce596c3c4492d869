/* What decides under faults: breakers, rooms, a record's journey, retry tiers. No I/O, no sleep. */
#include <string.h>

#include "common/journey.h"
#include "common/task_doc.h"
#include "suites.h"
#include "worker/breaker.h"
#include "worker/retry.h"
#include "worker/room.h"

static struct breaker fresh(void)
{
    struct breaker b;
    breaker_init(&b, 3, 2, 1.0, 5.0);
    return b;
}

static char tasks[256]; /* only their addresses count */
static int next_task;

/* A call of the next task, which began at `sent`, fails. */
static enum breaker_verdict call_fails(struct breaker *b, bool probe, double sent, double now,
                                       bool again)
{
    struct breaker_case c = {
        .probe = probe, .sent = sent, .task = &tasks[next_task++ % 256], .again = again};
    return breaker_failure(b, &c, now);
}

/* A call that is sent and fails at once. */
static enum breaker_verdict fail_at(struct breaker *b, double now, bool again)
{
    return call_fails(b, breaker_begin(b), now, now, again);
}

START_TEST(a_breaker_opens_at_the_third_failure_in_a_row)
{
    struct breaker b = fresh();
    ck_assert_int_eq(fail_at(&b, 10, false), BREAKER_TASK);
    ck_assert_int_eq(fail_at(&b, 11, false), BREAKER_TASK);
    breaker_success(&b, breaker_begin(&b), 12, 12);
    ck_assert_int_eq(fail_at(&b, 13, false), BREAKER_TASK);
    ck_assert_int_eq(fail_at(&b, 14, false), BREAKER_TASK);
    ck_assert(breaker_may_call(&b, 14));
    ck_assert_int_eq(fail_at(&b, 15, false), BREAKER_OUTAGE);
    ck_assert(!breaker_may_call(&b, 15) && breaker_waits(&b, 15.9));
}
END_TEST

START_TEST(a_failure_among_successes_is_the_tasks_own)
{
    struct breaker b = fresh();
    for (int i = 0; i < 100; i++) { /* each was sent before the last success came */
        double now = i;
        breaker_success(&b, breaker_begin(&b), now, now);
        ck_assert_int_eq(call_fails(&b, breaker_begin(&b), now - 0.5, now + 0.1, false),
                         BREAKER_TASK);
    }
    ck_assert(!b.open);
}
END_TEST

START_TEST(probes_are_few_and_the_wait_doubles_to_its_limit)
{
    struct breaker b = fresh();
    for (int i = 0; i < 3; i++)
        (void)fail_at(&b, 0, false);
    static const double waits[] = {1, 2, 4, 5, 5};
    double now = 0;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        ck_assert(!breaker_may_call(&b, now + waits[i] - 0.01));
        now += waits[i];
        ck_assert(breaker_may_call(&b, now));
        bool first = breaker_begin(&b), second = breaker_begin(&b);
        ck_assert(first && second && !breaker_may_call(&b, now)); /* two at a time */
        ck_assert_int_eq(call_fails(&b, first, now, now, false), BREAKER_OUTAGE);
        ck_assert_int_eq(call_fails(&b, second, now, now, false), BREAKER_OUTAGE);
    }
    breaker_success(&b, breaker_begin(&b), now, now + 5);
    ck_assert(breaker_may_call(&b, now + 5) && !b.open);
    ck_assert_int_eq(b.probing, 0);
}
END_TEST

START_TEST(a_backend_that_asks_for_a_longer_wait_gets_it)
{
    struct breaker b = fresh();
    for (int i = 0; i < 2; i++)
        (void)fail_at(&b, 0, false);
    struct breaker_case c = {.probe = breaker_begin(&b), .wait_min = 20, .task = &b};
    (void)breaker_failure(&b, &c, 0);
    ck_assert(!breaker_may_call(&b, 19.9) && breaker_may_call(&b, 20));
}
END_TEST

START_TEST(bad_tasks_alone_come_to_their_end)
{
    struct breaker b = fresh();
    for (int i = 0; i < 3; i++)
        (void)fail_at(&b, 0, false);
    int64_t tried = 0;
    double now = 0;
    for (int round = 0; round < 8; round++) {
        now += 5;
        int64_t n = 0;
        while (breaker_may_call(&b, now)) {
            (void)breaker_begin(&b);
            n++;
        }
        for (int64_t i = 0; i < n; i++)
            (void)call_fails(&b, true, now, now, true);
        ck_assert_int_ge(n, 2 << round);
        tried += n;
    }
    ck_assert_int_ge(tried, 500); /* in 40 seconds */
    (void)breaker_begin(&b);
    (void)call_fails(&b, true, now + 5, now + 5, false); /* a fresh task fails too */
    ck_assert_int_eq(b.allowed, 2);
}
END_TEST

START_TEST(one_task_alone_opens_it_only_if_there_is_no_connection)
{
    struct breaker b = fresh();
    struct breaker_case c = {.task = &b};
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(breaker_failure(&b, &c, i), BREAKER_TASK);
    c.task = NULL;
    ck_assert_int_eq(breaker_failure(&b, &c, 11), BREAKER_TASK);
    ck_assert_int_eq(breaker_failure(&b, &c, 12), BREAKER_OUTAGE);
}
END_TEST

START_TEST(a_backend_that_says_it_is_out_is_believed_at_once)
{
    struct breaker b = fresh();
    struct breaker_case c = {.sent = 10, .task = &b, .sure = true};
    breaker_success(&b, false, 5, 11); /* it began earlier: it was served before the end */
    ck_assert_int_eq(breaker_failure(&b, &c, 12), BREAKER_OUTAGE);
    ck_assert(b.open);
    breaker_success(&b, breaker_begin(&b), 20, 21);
    ck_assert(!b.open);
    ck_assert_int_eq(breaker_failure(&b, &c, 22), BREAKER_TASK); /* a later call was served */
    ck_assert(!b.open);
}
END_TEST

START_TEST(without_a_threshold_it_never_opens)
{
    struct breaker b;
    breaker_init(&b, 0, 3, 1, 5);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(fail_at(&b, i, false), BREAKER_TASK);
    ck_assert(breaker_may_call(&b, 100));
}
END_TEST

START_TEST(a_narrow_room_takes_little_but_not_nothing)
{
    struct room r = {.tasks_max = 80, .bytes_max = 8000};
    room_narrow(&r, true);
    for (int i = 0; i < 10; i++) {
        ck_assert(room_has(&r));
        room_charge(&r, 1);
    }
    ck_assert(!room_has(&r));
    ck_assert(!room_discharge(&r, 1));
    bool woken = false;
    while (r.tasks)
        woken = room_discharge(&r, 1) || woken;
    ck_assert(woken); /* or it would take nothing ever again */
    room_narrow(&r, false);
    room_charge(&r, 1000);
    ck_assert(room_has(&r));
    struct room least = {.tasks_max = 1, .bytes_max = 8000};
    room_narrow(&least, true);
    ck_assert(room_has(&least));
}
END_TEST

START_TEST(a_room_wakes_intake_once_and_with_a_margin)
{
    struct room r = {.tasks_max = 80, .bytes_max = 1000};
    int woken = 0;
    for (int i = 0; i < 80; i++) {
        ck_assert(room_has(&r));
        room_charge(&r, 1);
    }
    ck_assert(!room_has(&r));
    for (int i = 0; i < 80; i++) {
        bool wake = room_discharge(&r, 1);
        ck_assert(!wake || r.tasks == 70);
        woken += wake;
    }
    ck_assert_int_eq(woken, 1);
    ck_assert(r.tasks == 0 && r.bytes == 0);
    room_charge(&r, 1000);
    ck_assert(!room_has(&r)); /* full in bytes */
    ck_assert(room_discharge(&r, 1000));
}
END_TEST

START_TEST(a_journey_comes_back_as_it_went)
{
    struct journey out,
        in = {.seq = 7,
              .rounds = 2,
              .tries = 1,
              .attempts = 12,
              .due_ms = 1795630000123,
              .first_seen_ms = 1795620000001,
              .lane = LANE_LOW,
              .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    rd_kafka_headers_t *h = journey_write(&in, "HTTP 429");
    journey_read(h, &out);
    ck_assert(out.seq == 7 && out.rounds == 2 && out.tries == 1 && out.attempts == 12);
    ck_assert(out.due_ms == in.due_ms && out.first_seen_ms == in.first_seen_ms);
    ck_assert_int_eq(out.lane, LANE_LOW);
    ck_assert_str_eq(out.traceparent, in.traceparent);
    rd_kafka_headers_destroy(h);
}
END_TEST

START_TEST(strange_headers_are_as_none)
{
    static const char *const bad[] = {"",   "-1",  "1e3",       "99999999999999999999",
                                      "7 ", "abc", "3000000000"};
    struct journey out;
    journey_read(NULL, &out);
    ck_assert(out.seq == 0 && out.lane == -1 && !out.traceparent[0]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rd_kafka_headers_t *h = rd_kafka_headers_new(3);
        (void)rd_kafka_header_add(h, "quern-seq", -1, bad[i], -1);
        (void)rd_kafka_header_add(h, "quern-lane", -1, bad[i], -1);
        (void)rd_kafka_header_add(h, "traceparent", -1, NULL, 0);
        journey_read(h, &out);
        ck_assert_msg(out.seq == 0 && out.lane == -1, "\"%s\"", bad[i]);
        rd_kafka_headers_destroy(h);
    }
}
END_TEST

START_TEST(the_shortest_tier_that_is_long_enough)
{
    static const struct {
        int64_t wait_ms;
        int tier;
    } cases[] = {{-5, 0},    {0, 0},      {10000, 0},   {10001, 1},   {60000, 1},
                 {60001, 2}, {600001, 3}, {3600000, 3}, {86400000, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(retry_tier(cases[i].wait_ms), cases[i].tier);
    ck_assert_int_eq(retry_round_tier(0), 0);
    ck_assert_int_eq(retry_round_tier(9), 3);
}
END_TEST

START_TEST(a_new_generation_keeps_every_other_member)
{
    static const char old[] =
        "{\"v\":1,\"x\":[1, 2],\"generation\":4,\"sensitive\":true,\"body\":{\"a\":1.0}}";
    static const char want[] =
        "{\"generation\":5,\"v\":1,\"x\":[1, 2],\"sensitive\":true,\"body\":{\"a\":1.0}}";
    struct error err;
    struct buf b;
    buf_init(&b, 1024);
    ck_assert_int_eq(task_doc_regenerate(old, strlen(old), 5, &b, &err), QUERN_OK);
    ck_assert_str_eq(b.data, want);
    ck_assert_int_eq(task_doc_regenerate("[1]", 3, 5, &b, &err), QUERN_FAIL);
    ck_assert_int_eq(task_doc_regenerate("garbage", 7, 5, &b, &err), QUERN_FAIL);
    buf_free(&b);
}
END_TEST

Suite *suite_faults(void)
{
    const TTest *const tests[] = {a_breaker_opens_at_the_third_failure_in_a_row,
                                  a_failure_among_successes_is_the_tasks_own,
                                  probes_are_few_and_the_wait_doubles_to_its_limit,
                                  a_backend_that_asks_for_a_longer_wait_gets_it,
                                  bad_tasks_alone_come_to_their_end,
                                  one_task_alone_opens_it_only_if_there_is_no_connection,
                                  a_backend_that_says_it_is_out_is_believed_at_once,
                                  without_a_threshold_it_never_opens,
                                  a_room_wakes_intake_once_and_with_a_margin,
                                  a_narrow_room_takes_little_but_not_nothing,
                                  a_journey_comes_back_as_it_went,
                                  strange_headers_are_as_none,
                                  the_shortest_tier_that_is_long_enough,
                                  a_new_generation_keeps_every_other_member,
                                  NULL};
    return suite_of("faults", tests);
}
