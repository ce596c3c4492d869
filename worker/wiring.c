/* Who hears of what: callbacks that pass what one part tells to another. */
#include "notify.h"
#include "worker.h"

/* ---- the sink: PostgreSQL, the dead-letter topic and the retry topics ------------------------ */

static void sink_look_up(void *arg, struct task *t)
{
    lookup_add(((struct worker *)arg)->lookup, t);
}

static void sink_look_up_cancel(void *arg, struct task *t)
{
    lookup_cancel(((struct worker *)arg)->lookup, t);
}

static void sink_settle(void *arg, struct task *t)
{
    settle_add(((struct worker *)arg)->settle, t);
}

static void sink_publish(void *arg, struct task *t)
{
    outbound_add(((struct worker *)arg)->outbound, t);
}

static void sink_submit(void *arg, const struct buf *key, const struct buf *record)
{
    outbound_submit(((struct worker *)arg)->outbound, key, record);
}

const struct sink_ops worker_sink_ops = {sink_look_up, sink_look_up_cancel, sink_settle,
                                         sink_publish, sink_submit};

static void on_looked_up(void *arg, struct task *t, enum known known)
{
    pipeline_sink_events.looked_up(((struct worker *)arg)->pipeline, t, known);
}

static void on_settled(void *arg, struct task *t)
{
    trace_settled(((struct worker *)arg)->trace, t);
    pipeline_sink_events.settled(((struct worker *)arg)->pipeline, t);
}

static void on_published(void *arg, struct task *t)
{
    struct worker *w = arg;
    settle_published(w->settle, t->publication_id);
    pipeline_sink_events.published(w->pipeline, t);
}

const struct sink_events worker_sink_events = {on_looked_up, on_settled, on_published};

static void on_cancelled(void *arg, const struct uuid *job, int64_t generation, bool lets_finish)
{
    pipeline_cancel(((struct worker *)arg)->pipeline, job, generation, lets_finish);
}

const struct watch_events worker_watch_events = {on_cancelled};

/* ---- the source: Kafka ----------------------------------------------------------------------- */

static bool intake_has_room(void *arg, int pool)
{
    return pipeline_has_room(((struct worker *)arg)->pipeline, pool);
}

static bool intake_wants(void *arg, int pool, const char *tenant, bool low)
{
    return pipeline_wants(((struct worker *)arg)->pipeline, pool, tenant, low);
}

static void intake_receive(void *arg, struct partition *p, int64_t offset, const void *data,
                           size_t len, const struct journey *journey)
{
    pipeline_receive(((struct worker *)arg)->pipeline, p, offset, data, len, journey);
}

static void intake_revoke(void *arg, struct partition *p)
{
    pipeline_revoke(((struct worker *)arg)->pipeline, p);
}

static void intake_abort(void *arg, struct partition *p)
{
    pipeline_abort(((struct worker *)arg)->pipeline, p);
}

static void intake_look(void *arg, struct partition *p)
{
    pipeline_unstick(((struct worker *)arg)->pipeline, p);
}

static void intake_owned(void *arg, int pool, double until)
{
    pipeline_own(((struct worker *)arg)->pipeline, pool, until);
}

void worker_stop(struct worker *w)
{
    w->stopping = true;
    for (int pool = 0; pool < POOL_COUNT; pool++)
        intake_stop(w->intakes[pool]);
}

static void intake_fatal(void *arg)
{
    struct worker *w = arg;
    w->failed = true;
    worker_stop(w);
}

static void end_loop(void *arg)
{
    ev_break(((struct worker *)arg)->loop, EVBREAK_ALL);
}

static void intake_stopped(void *arg)
{
    struct worker *w = arg;
    if (--w->running == 0)
        trace_drain(w->trace, end_loop, w);
}

const struct intake_events worker_intake_events = {intake_has_room, intake_wants, intake_receive,
                                                   intake_revoke,   intake_abort, intake_look,
                                                   intake_owned,    intake_fatal, intake_stopped};

static void source_room(void *arg, int pool)
{
    struct worker *w = arg;
    intake_source.room(w->intakes[pool], pool);
}

static void source_left(void *arg, struct partition *p)
{
    struct worker *w = arg;
    intake_source.left(w->intakes[p->pool], p);
}

const struct source_ops worker_source_ops = {source_room, source_left};

/* ---- limits ---------------------------------------------------------------------------------- */

static void on_limits_answered(void *arg, struct meter *m)
{
    pipeline_meter_answered(((struct worker *)arg)->pipeline, m);
}

static void on_limits_changed(void *arg)
{
    pipeline_limits_known(((struct worker *)arg)->pipeline);
}

static void on_told(void *arg, int64_t id)
{
    quota_delivered(((struct worker *)arg)->quota, id);
}

static void on_warned(void *arg, const struct quota_warning *q)
{
    struct worker *w = arg;
    pipeline_count_warning(w->pipeline, q->name, q->percent);
    notify_budget(w->webhook, q, on_told, w);
}

const struct quota_events worker_quota_events = {on_limits_answered, on_limits_changed, on_warned};
