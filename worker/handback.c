/*
 * How a partition is given back, at a rebalance or at shutdown:
 *
 *   revoked: what is not started is dropped, calls in flight go on
 *      | no task is left, or the grace is over (then calls are aborted and their books written)
 *   committing: the watermark, and its answer awaited
 *      |
 *   released: unassigned; a late result is still written, but commits nothing
 *
 * If the assignment was lost, nothing is committed, and nothing is begun. If we ourselves were
 * frozen (the loop stood still), others have had our tasks for a while: calls are aborted at once.
 * If Kafka did not answer, or a commit crossed a rebalance, nobody may have them: the next
 * assignment tells. Of what comes back to us, redelivered records wait for the calls as twins; the
 * calls of what goes to others are aborted then.
 */
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "intake_private.h"

#define AFTER_ABORT 10.0 /* seconds: for the writing of what was aborted */
#define COMMIT_TIMEOUT 5.0
#define CLOSE_TIMEOUT 10.0

/* At shutdown, the tasks of partitions that were lost before are waited for too. */
static bool drained(const struct intake *in)
{
    const struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->p.revoked && s->p.tasks && (in->stopping || !s->p.released))
            return false;
    return true;
}

static void release_revoked(struct intake *in)
{
    struct slot *s, *next;
    DL_FOREACH_SAFE (in->slots, s, next) {
        if (s->p.revoked)
            s->p.released = true;
        if (s->p.released && !s->p.tasks)
            intake_free_slot(in, s);
    }
}

/* The partitions are free: tells librdkafka. */
static void release(struct intake *in)
{
    release_revoked(in);
    if (!in->leaving)
        return;
    intake_check(rd_kafka_incremental_unassign(in->rk, in->leaving), "cannot give partitions back");
    rd_kafka_topic_partition_list_destroy(in->leaving);
    in->leaving = NULL;
}

/* At shutdown, leaves the group too. */
static void give_back(struct intake *in)
{
    release(in);
    if (in->phase == CLOSING) /* we are leaving already */
        return;
    in->phase = RUNNING;
    if (!in->stopping)
        return;
    in->phase = CLOSING;
    in->deadline = ev_now(in->loop) + CLOSE_TIMEOUT;
    intake_check(rd_kafka_consumer_close_queue(in->rk, in->group), "cannot leave the group");
}

/* Until the watermarks are committed, or the time is up. A commit that crosses a rebalance is
 * refused and tried again. */
static void go_on_committing(struct intake *in)
{
    bool late = ev_now(in->loop) >= in->deadline;
    if (!late && (in->commit_running || join_watch_ms(&in->join) >= 0))
        return; /* looked at again at the answer, or the next tick */
    if (late || !commits_send(in, true, false))
        give_back(in);
}

static void begin_commit(struct intake *in)
{
    in->phase = COMMITTING;
    in->deadline = ev_now(in->loop) + COMMIT_TIMEOUT;
    go_on_committing(in);
}

static void abort_revoked(struct intake *in)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->p.revoked && (in->stopping || !s->p.released))
            in->events->abort(in->arg, &s->p);
}

void handback_abort_lost(struct intake *in)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->p.released && s->p.tasks && !intake_find(in, s->p.topic, s->p.number))
            in->events->abort(in->arg, &s->p);
}

void handback_advance(struct intake *in)
{
    bool late = ev_now(in->loop) >= in->deadline;
    if (in->phase == DRAINING && !drained(in) && late) {
        log_warn("calls in flight were ended: the grace is over");
        abort_revoked(in);
        in->phase = ABORTED;
        in->deadline = ev_now(in->loop) + AFTER_ABORT;
    } else if ((in->phase == DRAINING && drained(in)) ||
               (in->phase == ABORTED && (drained(in) || late))) {
        begin_commit(in);
    } else if (in->phase == COMMITTING) {
        go_on_committing(in);
    } else if (in->phase == CLOSING && (rd_kafka_consumer_closed(in->rk) || late)) {
        in->phase = CLOSED;
        in->events->stopped(in->arg);
    }
}

static void drain(struct intake *in, int64_t grace_ms)
{
    in->phase = DRAINING;
    in->deadline = ev_now(in->loop) + (double)grace_ms / 1000.0;
    intake_soon(in);
}

/* What waited to become due waits at the next owner. */
static void revoke_slot(struct intake *in, struct slot *s)
{
    if (s->p.revoked)
        return;
    if (s->held)
        rd_kafka_message_destroy(s->held);
    s->held = NULL;
    scout_forget(in, s);
    in->events->revoke(in->arg, &s->p);
}

void handback_revoked(struct intake *in, const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(in->rk);
    log_info(lost ? "partitions lost" : "partitions revoked", LOG_S("of", intake_name(in)),
             LOG_N("count", list->cnt));
    for (int i = 0; i < list->cnt; i++) {
        struct slot *s = intake_find(in, list->elems[i].topic, list->elems[i].partition);
        if (s)
            revoke_slot(in, s);
    }
    if (in->leaving)
        rd_kafka_topic_partition_list_destroy(in->leaving);
    in->leaving = rd_kafka_topic_partition_list_copy(list);
    if (lost) {
        if (stall_longest(&in->stall) * 1000.0 >= (double)in->config->kafka.session_timeout / 2)
            abort_revoked(in);
        if (in->stopping && in->phase != CLOSING)
            release(in); /* and the grace goes on: calls in flight end and are written */
        else
            give_back(in);
    } else if (in->phase == CLOSING) {
        give_back(in);
    } else if (!in->stopping) {
        drain(in, in->config->worker.revoke_grace);
    }
}

void handback_all(struct intake *in)
{
    struct slot *s;
    in->stopping = true;
    DL_FOREACH (in->slots, s)
        revoke_slot(in, s);
    drain(in, in->fatal ? 0 : in->config->worker.shutdown_grace);
}
