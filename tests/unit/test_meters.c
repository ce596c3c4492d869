/* What a worker holds of a limit, and when it gives it back: each question and answer by hand. */
#include <string.h>

#include "common/mem.h"
#include "suites.h"
#include "worker/meters.h"

/* Every task is under one limit for all. */
static void with_limit(struct meters *ms, enum limit_kind kind, int64_t amount)
{
    struct limit_rule *r = mem_zero(sizeof *r);
    *r = (struct limit_rule){
        .name = mem_string("l"), .kind = kind, .amount = amount, .span = mem_string("")};
    meters_init(ms);
    meters_set_rules(ms, r, 1);
}

static struct meter *meter_of(struct meters *ms, struct task *t)
{
    ck_assert(meters_assign(ms, t));
    return t->quota->items[0].meter;
}

static void answer(struct meter *m, int64_t granted)
{
    const struct meter_answer a = {
        .granted = granted, .life_us = 30000000, .amount = m->amount, .mark = 7};
    meter_answer(m, &a, 0, 0);
}

/* The task waits, and the answer to its first question comes; it asked for `wanted`. */
static void wait_for(struct meters *ms, struct task *t, struct meter *m, int64_t wanted,
                     int64_t granted)
{
    meter_hold(ms, m, t);
    ck_assert_int_eq(meter_ask(m).want, wanted);
    answer(m, granted);
    meter_unhold(ms, t);
}

/* The task leaves; its meter stays for one more question, which is returned, and then goes. */
static struct meter_question leave(struct meters *ms, struct task *t, struct meter *m)
{
    quota_release(ms, t);
    meters_sweep(ms);
    ck_assert_uint_eq(HASH_COUNT(ms->by_key), 1);
    ck_assert(meter_due(m, m->ask_at));
    const struct meter_question q = meter_ask(m);
    answer(m, 0);
    meters_sweep(ms);
    ck_assert_uint_eq(HASH_COUNT(ms->by_key), 0);
    meters_free(ms);
    return q;
}

START_TEST(a_share_comes_back_when_its_call_is_booked)
{
    struct meters ms;
    struct task t = {0};
    with_limit(&ms, LIMIT_COST, 100);
    struct meter *m = meter_of(&ms, &t);
    quota_need(t.quota, 0, 40);
    ck_assert_ptr_eq(quota_blocked(&t, 0), m);
    wait_for(&ms, &t, m, 40, 40);
    ck_assert_ptr_null(quota_blocked(&t, 0));
    quota_begin(&t, 0);
    quota_end(&t, 1, -1, 15);
    ck_assert_int_eq(meter_ask(m).hold, 15);
    answer(m, 15);
    const struct meter_question q = leave(&ms, &t, m);
    ck_assert_int_eq(q.hold + q.want, 0);
}
END_TEST

/* Others leave room for what this worker said that it wants, so it has to say that it does not. */
START_TEST(a_wish_is_taken_back)
{
    struct meters ms;
    struct task t = {0};
    with_limit(&ms, LIMIT_COST, 100);
    struct meter *m = meter_of(&ms, &t);
    quota_need(t.quota, 0, 40);
    wait_for(&ms, &t, m, 40, 0); /* the budget is spent */
    ck_assert_int_eq(leave(&ms, &t, m).want, 0);
}
END_TEST

START_TEST(what_a_rate_gave_and_nobody_used_goes_back_to_its_bucket)
{
    struct meters ms;
    struct task t = {0};
    with_limit(&ms, LIMIT_TOKENS, 100);
    struct meter *m = meter_of(&ms, &t);
    quota_need(t.quota, 30, 0);
    wait_for(&ms, &t, m, 30, 30);
    quota_begin(&t, 0);
    quota_end(&t, 1, 10, 0); /* twenty fewer than was thought */
    const struct meter_question q = leave(&ms, &t, m);
    ck_assert_int_eq(q.hold, 20);
    ck_assert_int_eq(q.bucket, 7);
}
END_TEST

Suite *suite_meters(void)
{
    const TTest *const tests[] = {a_share_comes_back_when_its_call_is_booked, a_wish_is_taken_back,
                                  what_a_rate_gave_and_nobody_used_goes_back_to_its_bucket, NULL};
    return suite_of("meters", tests);
}
