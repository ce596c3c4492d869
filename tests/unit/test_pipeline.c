/* The pipeline between a source and a sink in memory: whatever the order of events, a slot of the
 * window is done only when the outcome is durable, and nothing is called twice. Backends are out of
 * reach here (port 1 of loopback): calls fail at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/mem.h"
#include "common/prices.h"
#include "common/units.h"
#include "suites.h"
#include "worker/pipeline.h"

enum { HELD_MAX = 64 };

struct rig {
    struct ev_loop *loop;
    struct config *config;
    struct caller *caller;
    struct router *router;
    struct price_table *prices;
    struct pipeline *pipeline;
    struct partition partition;
    struct task *looking[HELD_MAX], *settling[HELD_MAX], *publishing[HELD_MAX];
    size_t looking_count, settling_count, publishing_count, left;
};

static void hold(struct task **list, size_t *count, struct task *t)
{
    ck_assert_uint_lt(*count, HELD_MAX);
    list[(*count)++] = t;
}

static void look_up(void *arg, struct task *t)
{
    struct rig *r = arg;
    hold(r->looking, &r->looking_count, t);
}

static void look_up_cancel(void *arg, struct task *t)
{
    struct rig *r = arg;
    for (size_t i = 0; i < r->looking_count; i++)
        if (r->looking[i] == t)
            r->looking[i] = r->looking[--r->looking_count];
}

static void settle(void *arg, struct task *t)
{
    struct rig *r = arg;
    hold(r->settling, &r->settling_count, t);
}

static void publish(void *arg, struct task *t)
{
    struct rig *r = arg;
    hold(r->publishing, &r->publishing_count, t);
}

static void room(void *arg, int lane)
{
    (void)arg;
    (void)lane;
}

static void left(void *arg, struct partition *p)
{
    (void)p;
    ((struct rig *)arg)->left++;
}

static void submit(void *arg, const struct buf *key, const struct buf *record)
{
    (void)arg;
    (void)key;
    (void)record;
}

static const struct sink_ops sink = {look_up, look_up_cancel, settle, publish, submit};
static const struct source_ops source = {room, left};
static const char yaml[] = "backends: [{name: b, base_url: \"http://127.0.0.1:1/v1\"}]\n"
                           "models: [{name: m, candidates: [{backend: b}]}]\n";

static void rig_up_with(struct rig *r, const char *more)
{
    char text[512];
    struct config_report report;
    struct error err;
    *r = (struct rig){.loop = ev_default_loop(0)};
    (void)snprintf(text, sizeof text, "%s%s", yaml, more);
    r->config = config_parse(text, strlen(text), "f", &report);
    ck_assert_msg(r->config != NULL, "%s", report.text.data);
    r->caller = caller_new(r->loop, r->config);
    r->router = router_new(r->config, r->caller, &err);
    r->prices = prices_load(r->config, &err);
    r->pipeline =
        pipeline_new(r->loop, r->config, r->caller, r->router, r->prices, &sink, r, &source, r);
    r->partition =
        (struct partition){.topic = mem_string("t"), .lane = LANE_NORMAL, .pool = LANE_NORMAL};
    window_init(&r->partition.window, 1000);
}

static void rig_up(struct rig *r)
{
    rig_up_with(r, "retry: {attempts: 0}\n");
}

static void rig_down(struct rig *r)
{
    struct pipeline_counts n;
    pipeline_count(r->pipeline, &n);
    for (int i = 0; i < TASK_STATES; i++)
        ck_assert_uint_eq(n.in_state[i], 0);
    ck_assert_ptr_null(r->partition.tasks);
    pipeline_free(r->pipeline);
    router_free(r->router);
    caller_free(r->caller);
    price_table_free(r->prices);
    config_free(r->config);
    window_free(&r->partition.window);
    free(r->partition.topic);
}

static void receive(struct rig *r, int64_t offset, const char *id, const char *model)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "{\"v\":1,\"job_id\":\"01a20d6f-00ed-7be5-85ed-e60541a08c3d\",\"custom_id\":"
                     "\"%s\",\"url\":\"/v1/chat/completions\",\"body\":{\"model\":\"%s\"}}",
                     id, model);
    pipeline_receive(r->pipeline, &r->partition, offset, text, (size_t)n, NULL);
}

static int64_t watermark(const struct rig *r)
{
    return window_watermark(&r->partition.window);
}

static void looked_up(struct rig *r, enum known known)
{
    struct task *t = r->looking[--r->looking_count];
    pipeline_sink_events.looked_up(r->pipeline, t, known);
}

static void settled(struct rig *r, int64_t letter)
{
    struct task *t = r->settling[--r->settling_count];
    t->publication_id = letter;
    pipeline_sink_events.settled(r->pipeline, t);
}

static void run_until_settling(struct rig *r, size_t count)
{
    for (int i = 0; i < 1000 && r->settling_count < count; i++)
        (void)ev_run(r->loop, EVRUN_ONCE);
    ck_assert_uint_eq(r->settling_count, count);
}

START_TEST(a_known_result_is_done_without_a_call)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "a", "m");
    ck_assert_int_eq(watermark(&r), 5);
    looked_up(&r, KNOWN_DONE);
    ck_assert_int_eq(watermark(&r), 6);
    ck_assert_uint_eq(r.settling_count, 0);
    rig_down(&r);
}
END_TEST

START_TEST(a_failed_task_is_done_after_result_and_dead_letter)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "a", "m");
    looked_up(&r, KNOWN_NOT);
    run_until_settling(&r, 1);
    ck_assert_int_eq(r.settling[0]->status, STATUS_FAILED);
    ck_assert_str_eq(r.settling[0]->error.code, "network");
    ck_assert_uint_eq(r.settling[0]->attempt_count, 1);
    ck_assert_int_eq(watermark(&r), 5);
    settled(&r, 77);
    ck_assert_int_eq(watermark(&r), 5); /* the letter is not acknowledged yet */
    pipeline_sink_events.published(r.pipeline, r.publishing[0]);
    ck_assert_int_eq(watermark(&r), 6);
    rig_down(&r);
}
END_TEST

START_TEST(an_unknown_model_and_an_unreadable_record_fail_without_a_call)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "a", "nobody-serves-this");
    looked_up(&r, KNOWN_NOT);
    pipeline_receive(r.pipeline, &r.partition, 6, "garbage", 7, NULL);
    ck_assert_uint_eq(r.settling_count, 2);
    ck_assert_str_eq(r.settling[0]->error.code, "model_not_found");
    ck_assert(!r.settling[1]->readable);
    settled(&r, 0);
    ck_assert_int_eq(watermark(&r), 5);
    settled(&r, 0);
    ck_assert_int_eq(watermark(&r), 7);
    rig_down(&r);
}
END_TEST

START_TEST(a_twin_waits_for_the_first_and_finds_its_result)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "a", "m");
    receive(&r, 6, "a", "m");
    receive(&r, 7, "a", "m");
    ck_assert_uint_eq(r.looking_count, 1);
    looked_up(&r, KNOWN_NOT);
    run_until_settling(&r, 1);
    ck_assert_uint_eq(r.looking_count, 0);
    settled(&r, 0);
    ck_assert_uint_eq(r.looking_count, 1); /* one of the twins is in charge now */
    looked_up(&r, KNOWN_DONE);
    looked_up(&r, KNOWN_DONE);
    ck_assert_int_eq(watermark(&r), 8);
    rig_down(&r);
}
END_TEST

START_TEST(a_revoke_drops_what_is_not_started_and_commits_nothing_of_it)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "checking", "m");
    receive(&r, 6, "checking", "m"); /* a twin */
    receive(&r, 7, "ready", "m");
    looked_up(&r, KNOWN_NOT);
    pipeline_revoke(r.pipeline, &r.partition);
    ck_assert_uint_eq(r.looking_count, 0);
    ck_assert_int_eq(watermark(&r), 5);
    rig_down(&r);
}
END_TEST

START_TEST(a_call_that_fails_after_a_revoke_is_booked_but_has_no_result)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "a", "m");
    looked_up(&r, KNOWN_NOT);
    (void)ev_run(r.loop, EVRUN_NOWAIT); /* the call begins */
    if (r.settling_count == 0) {
        pipeline_revoke(r.pipeline, &r.partition);
        pipeline_abort(r.pipeline, &r.partition);
    }
    ck_assert_uint_eq(r.settling_count, 1);
    ck_assert_uint_eq(r.settling[0]->attempt_count, 1);
    ck_assert(r.settling[0]->status == STATUS_NONE || r.settling[0]->status == STATUS_FAILED);
    bool aborted = r.settling[0]->status == STATUS_NONE;
    settled(&r, 0);
    ck_assert_int_eq(watermark(&r), aborted ? 5 : 6);
    rig_down(&r);
}
END_TEST

START_TEST(a_lane_is_full_at_its_limit)
{
    struct rig r;
    rig_up(&r);
    ck_assert(pipeline_has_room(r.pipeline, LANE_NORMAL));
    for (int i = 0; i < HELD_MAX; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "t%d", i);
        receive(&r, i, id, "m");
    }
    ck_assert(pipeline_has_room(r.pipeline, LANE_NORMAL)); /* 3 * 256 + 1,000 fit */
    while (r.looking_count)
        looked_up(&r, KNOWN_DONE);
    ck_assert_int_eq(watermark(&r), HELD_MAX);
    rig_down(&r);
}
END_TEST

START_TEST(a_failed_round_is_parked_and_done_only_when_kafka_has_the_copy)
{
    struct rig r;
    rig_up_with(&r, "retry: {attempts: 0, rounds: 1}\n");
    receive(&r, 5, "a", "m");
    looked_up(&r, KNOWN_NOT);
    run_until_settling(&r, 1);
    struct task *t = r.settling[0];
    ck_assert_int_eq(t->status, STATUS_PARKED);
    ck_assert(t->tier == 0 && t->copy.seq == 1 && t->copy.rounds == 1 && t->copy.attempts == 1);
    ck_assert_int_ge(t->copy.due_ms, units_now_us() / 1000 + 9000);
    settled(&r, 77);
    ck_assert_int_eq(watermark(&r), 5); /* the copy is not acknowledged yet */
    pipeline_sink_events.published(r.pipeline, r.publishing[0]);
    ck_assert_int_eq(watermark(&r), 6);
    rig_down(&r);
}
END_TEST

START_TEST(a_parking_that_was_refused_is_looked_up_again)
{
    struct rig r;
    rig_up_with(&r, "retry: {attempts: 0, rounds: 1}\n");
    receive(&r, 5, "a", "m");
    looked_up(&r, KNOWN_NOT);
    run_until_settling(&r, 1);
    settled(&r, 0); /* the row was refused: a result, a newer copy, or a cancelled job */
    ck_assert_uint_eq(r.publishing_count, 0);
    ck_assert_int_eq(watermark(&r), 5);
    looked_up(&r, KNOWN_CANCELLED);
    ck_assert_int_eq(r.settling[0]->status, STATUS_CANCELLED);
    ck_assert_uint_eq(r.settling[0]->attempt_count, 1); /* its call is booked all the same */
    settled(&r, 0);
    ck_assert_int_eq(watermark(&r), 6);
    rig_down(&r);
}
END_TEST

START_TEST(a_copy_that_a_dead_worker_did_not_publish_is_published_again)
{
    struct rig r;
    rig_up(&r);
    receive(&r, 5, "a", "m");
    r.looking[0]->copy = (struct journey){.seq = 1, .due_ms = 1};
    r.looking[0]->publication_id = 9;
    looked_up(&r, KNOWN_PARKED);
    ck_assert_uint_eq(r.publishing_count, 1);
    ck_assert_int_eq(watermark(&r), 5);
    pipeline_sink_events.published(r.pipeline, r.publishing[0]);
    ck_assert_int_eq(watermark(&r), 6);
    rig_down(&r);
}
END_TEST

START_TEST(no_call_begins_when_the_tasks_may_be_others)
{
    struct rig r;
    rig_up(&r);
    pipeline_own(r.pipeline, LANE_HIGH, ev_now(r.loop) - 1); /* has none */
    pipeline_own(r.pipeline, LANE_NORMAL, ev_now(r.loop) - 1);
    receive(&r, 5, "a", "m");
    looked_up(&r, KNOWN_NOT);
    (void)ev_run(r.loop, EVRUN_NOWAIT);
    struct pipeline_counts n;
    pipeline_count(r.pipeline, &n);
    ck_assert_uint_eq(n.in_state[TASK_READY], 1);
    pipeline_own(r.pipeline, LANE_NORMAL, ev_now(r.loop) + 100);
    run_until_settling(&r, 1);
    settled(&r, 0);
    rig_down(&r);
}
END_TEST

START_TEST(a_cancelled_job_ends_whatever_is_not_over)
{
    struct rig r;
    struct uuid job;
    rig_up(&r);
    ck_assert(uuid_parse("01a20d6f-00ed-7be5-85ed-e60541a08c3d", &job));
    pipeline_own(r.pipeline, LANE_NORMAL, ev_now(r.loop) - 1); /* so that none is called */
    receive(&r, 5, "ready", "m");
    looked_up(&r, KNOWN_NOT);
    receive(&r, 6, "checking", "m");
    pipeline_cancel(r.pipeline, &job, 0, false);
    ck_assert_uint_eq(r.settling_count, 1);
    ck_assert_int_eq(r.settling[0]->status, STATUS_CANCELLED);
    looked_up(&r, KNOWN_NOT); /* the look-up was answered before the cancellation */
    ck_assert_uint_eq(r.settling_count, 2);
    ck_assert_int_eq(r.settling[1]->status, STATUS_CANCELLED);
    settled(&r, 0);
    settled(&r, 0);
    pipeline_cancel(r.pipeline, &job, 0, false); /* told again: nothing */
    ck_assert_int_eq(watermark(&r), 7);
    rig_down(&r);
}
END_TEST

START_TEST(a_newer_generation_is_not_cancelled)
{
    struct rig r;
    struct uuid job;
    rig_up(&r);
    ck_assert(uuid_parse("01a20d6f-00ed-7be5-85ed-e60541a08c3d", &job));
    pipeline_cancel(r.pipeline, &job, 0, false);
    receive(&r, 5, "a\",\"generation\":1,\"x\":\"", "m");
    looked_up(&r, KNOWN_NOT);
    run_until_settling(&r, 1);
    ck_assert_int_eq(r.settling[0]->status, STATUS_FAILED); /* it was called */
    settled(&r, 0);
    rig_down(&r);
}
END_TEST

START_TEST(a_stuck_head_moves_on_only_if_it_blocks_finished_ones)
{
    struct rig r;
    rig_up(&r);
    pipeline_own(r.pipeline, LANE_NORMAL, ev_now(r.loop) - 1);
    receive(&r, 5, "head", "m");
    looked_up(&r, KNOWN_NOT);
    r.partition.tasks->received_us -= 3600 * 1000000LL;
    pipeline_unstick(r.pipeline, &r.partition);
    ck_assert_uint_eq(r.settling_count, 0); /* nothing waits behind it */
    receive(&r, 6, "b", "m");
    looked_up(&r, KNOWN_DONE);
    pipeline_unstick(r.pipeline, &r.partition);
    ck_assert_uint_eq(r.settling_count, 1);
    ck_assert_int_eq(r.settling[0]->status, STATUS_PARKED);
    settled(&r, 7);
    pipeline_sink_events.published(r.pipeline, r.publishing[0]);
    ck_assert_int_eq(watermark(&r), 7);
    rig_down(&r);
}
END_TEST

Suite *suite_pipeline(void)
{
    const TTest *const tests[] = {a_known_result_is_done_without_a_call,
                                  a_failed_task_is_done_after_result_and_dead_letter,
                                  an_unknown_model_and_an_unreadable_record_fail_without_a_call,
                                  a_twin_waits_for_the_first_and_finds_its_result,
                                  a_revoke_drops_what_is_not_started_and_commits_nothing_of_it,
                                  a_call_that_fails_after_a_revoke_is_booked_but_has_no_result,
                                  a_lane_is_full_at_its_limit,
                                  a_failed_round_is_parked_and_done_only_when_kafka_has_the_copy,
                                  a_parking_that_was_refused_is_looked_up_again,
                                  a_copy_that_a_dead_worker_did_not_publish_is_published_again,
                                  no_call_begins_when_the_tasks_may_be_others,
                                  a_cancelled_job_ends_whatever_is_not_over,
                                  a_newer_generation_is_not_cancelled,
                                  a_stuck_head_moves_on_only_if_it_blocks_finished_ones,
                                  NULL};
    return suite_of("pipeline", tests);
}
