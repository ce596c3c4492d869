/*
 * The way of a task:
 *
 *   receive --> CHECKING --> READY --> CALLING --> SETTLING --> done
 *      |           |          ^ ^         | |          |          ^
 *      |           |          | '-WAITING-' |          v          |
 *      |           |          |  (retry)    |       BURYING ------+
 *      |           |          '-------------'     (dead letter)   |
 *      |           |          next candidate                      |
 *      |           '------------- result is known already --------'
 *      '--> TWIN (a task of the same id is here) --> CHECKING, when that one is done
 *
 * enter() is the one function that changes a task's state; leave() takes it out of what its state
 * put it in. A task leaves the pipeline only when its outcome is durable: only then is its slot in
 * the partition's window done, and its offset may be committed.
 *
 * A stage knows no other stage. What a stage reports comes in through a callback, which decides the
 * next state.
 */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "attempt.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"

struct lane_load {
    size_t tasks, bytes;
    bool full; /* intake was told so */
};

struct pipeline {
    struct ev_loop *loop;
    const struct config *config;
    struct caller *caller;
    struct router *router;
    const struct price_table *prices;
    const struct sink_ops *sink;
    void *sink_arg;
    const struct source_ops *source;
    void *source_arg;
    struct lanes lanes;
    struct limiter limiter;
    struct retry_policy retry;
    size_t lane_tasks_max, lane_bytes_max;
    size_t answer_bytes, answer_bytes_max; /* of answers that wait to be written */
    struct lane_load load[LANE_COUNT];
    struct task *by_identity;
    ev_prepare before_wait;
    struct pipeline_counts counts;
};

static void enter(struct pipeline *p, struct task *t, enum task_state state);

static size_t backend_of(const struct pipeline *p, const struct task *t)
{
    return router_backend(p->router, task_candidate(t));
}

/* ---- memory --------------------------------------------------------------------------------- */

bool pipeline_has_room(const struct pipeline *p, int lane)
{
    return p->load[lane].tasks < p->lane_tasks_max && p->load[lane].bytes < p->lane_bytes_max;
}

static void charge(struct pipeline *p, const struct task *t)
{
    struct lane_load *l = &p->load[t->lane];
    l->tasks++;
    l->bytes += task_bytes(t);
    l->full = l->full || !pipeline_has_room(p, t->lane);
}

/* Intake goes on at seven eighths: it is not worth waking it for one task. */
static void discharge(struct pipeline *p, const struct task *t)
{
    struct lane_load *l = &p->load[t->lane];
    l->tasks--;
    l->bytes -= task_bytes(t);
    if (l->full && l->tasks <= p->lane_tasks_max / 8 * 7 && l->bytes <= p->lane_bytes_max / 8 * 7) {
        l->full = false;
        p->source->room(p->source_arg, t->lane);
    }
}

/* ---- in and out ----------------------------------------------------------------------------- */

static struct task *same_identity(const struct pipeline *p, const struct task *t)
{
    struct task *other;
    HASH_FIND(hh, p->by_identity, t->identity, t->identity_len, other);
    return other;
}

/* One task of an identity is in charge; others wait for it, as its twins. */
static void admit(struct pipeline *p, struct task *t)
{
    if (same_identity(p, t)) {
        enter(p, t, TASK_TWIN);
        return;
    }
    HASH_ADD_KEYPTR(hh, p->by_identity, t->identity, t->identity_len, t);
    enter(p, t, TASK_CHECKING);
}

void pipeline_receive(struct pipeline *p, struct partition *from, int64_t offset,
                      const void *record, size_t len)
{
    struct task *t = task_new(from, offset, record, len);
    t->pipeline = p;
    t->state = TASK_STATES; /* in none yet */
    charge(p, t);
    if (t->readable) {
        admit(p, t);
        return;
    }
    log_warn("a record is no task; it goes to the dead letters", LOG_S("topic", from->topic),
             LOG_N("partition", from->number), LOG_N("offset", offset),
             LOG_S("error", t->error.message));
    task_finish(t, STATUS_FAILED);
    enter(p, t, TASK_SETTLING);
}

/* Takes a task out of the pipeline; its twins are looked at again. `done`: its outcome is durable.
 */
static void release(struct pipeline *p, struct task *t, bool done)
{
    struct partition *from = t->partition;
    struct task *twins = t->twins, *twin, *next;
    if (t->readable && same_identity(p, t) == t)
        HASH_DEL(p->by_identity, t);
    if (done && !from->released)
        (void)window_done(&from->window, t->number);
    p->counts.finished += done;
    p->answer_bytes -= t->response_len;
    discharge(p, t);
    task_free(t);
    DL_FOREACH_SAFE (twins, twin, next) {
        DL_DELETE(twins, twin);
        p->counts.in_state[TASK_TWIN]--;
        twin->state = TASK_STATES;
        admit(p, twin);
    }
    p->source->left(p->source_arg, from);
}

/* ---- states --------------------------------------------------------------------------------- */

static void start_call(struct pipeline *p, struct task *t);
static void dispatch(struct pipeline *p);

/* Undoes what entering the present state did. */
static void leave(struct pipeline *p, struct task *t)
{
    switch (t->state) {
    case TASK_TWIN:
        DL_DELETE(same_identity(p, t)->twins, t);
        break;
    case TASK_WAITING:
        ev_timer_stop(p->loop, &t->timer);
        break;
    case TASK_CALLING:
        limiter_end(&p->limiter, backend_of(p, t));
        break;
    default: /* the stage itself took it out of its list */
        break;
    }
    if (t->state != TASK_STATES)
        p->counts.in_state[t->state]--;
}

static void enter(struct pipeline *p, struct task *t, enum task_state state)
{
    leave(p, t);
    t->state = state;
    p->counts.in_state[state]++;
    switch (state) {
    case TASK_CHECKING:
        p->sink->look_up(p->sink_arg, t);
        break;
    case TASK_TWIN:
        DL_APPEND(same_identity(p, t)->twins, t);
        break;
    case TASK_READY:
        lanes_push(&p->lanes, t, backend_of(p, t), t->tries > 0);
        break;
    case TASK_CALLING:
        limiter_begin(&p->limiter, backend_of(p, t));
        start_call(p, t);
        break;
    case TASK_WAITING:
        ev_timer_start(p->loop, &t->timer);
        break;
    case TASK_SETTLING:
        p->sink->settle(p->sink_arg, t);
        break;
    case TASK_BURYING:
        p->sink->bury(p->sink_arg, t);
        break;
    case TASK_STATES:
        break;
    }
}

static void complete(struct pipeline *p, struct task *t)
{
    leave(p, t);
    release(p, t, true);
}

static void fail(struct pipeline *p, struct task *t)
{
    task_finish(t, STATUS_FAILED);
    enter(p, t, TASK_SETTLING);
}

static bool expire(struct pipeline *p, struct task *t)
{
    char when[UNITS_TEXT_MAX];
    if (t->doc.deadline_us == 0 || units_now_us() < t->doc.deadline_us)
        return false;
    (void)error_set(&t->error, ERROR_PERMANENT, "expired", "the deadline was %s",
                    units_format_time(t->doc.deadline_us, when));
    task_finish(t, STATUS_EXPIRED);
    enter(p, t, TASK_SETTLING);
    return true;
}

/* ---- what the sink reports ------------------------------------------------------------------ */

static void on_looked_up(void *arg, struct task *t, enum known known)
{
    struct pipeline *p = arg;
    if (known == KNOWN_DONE) {
        complete(p, t);
    } else if (known == KNOWN_BURIED) {
        (void)error_set(&t->error, ERROR_PERMANENT, "failed", "it failed before; see its result");
        t->status = STATUS_FAILED;
        enter(p, t, TASK_BURYING);
    } else if (!(t->route = router_find(p->router, t->doc.model))) {
        (void)error_set(&t->error, ERROR_PERMANENT, "model_not_found",
                        "no entry of `models` in the configuration fits the model \"%s\"",
                        t->doc.model);
        fail(p, t);
    } else if (!expire(p, t)) {
        enter(p, t, TASK_READY);
    }
}

static void on_settled(void *arg, struct task *t)
{
    struct pipeline *p = arg;
    if (t->status == STATUS_NONE) { /* only its books: another worker owns the task */
        leave(p, t);
        release(p, t, false);
    } else if (t->letter_id) {
        enter(p, t, TASK_BURYING);
    } else {
        complete(p, t);
    }
}

static void on_buried(void *arg, struct task *t)
{
    complete(arg, t);
}

const struct sink_events pipeline_sink_events = {on_looked_up, on_settled, on_buried};

/* ---- calls ---------------------------------------------------------------------------------- */

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct task *t = timer->data;
    struct pipeline *p = t->pipeline;
    (void)loop;
    (void)events;
    if (!expire(p, t))
        enter(p, t, TASK_READY);
}

static void keep_response(struct pipeline *p, struct task *t, struct json body)
{
    struct buf b;
    p->answer_bytes -= t->response_len;
    free(t->response);
    t->response = NULL;
    t->response_len = 0;
    if (!body.p)
        return;
    buf_init(&b, body.len);
    if (memchr(body.p, '\n', body.len))
        json_minify(body, &b);
    else
        buf_add(&b, body.p, body.len);
    t->response = b.data;
    t->response_len = b.len;
    p->answer_bytes += b.len;
}

static void retry_later(struct pipeline *p, struct task *t, int64_t delay_ms)
{
    ev_timer_init(&t->timer, on_retry, (double)delay_ms / 1000.0, 0.);
    t->timer.data = t;
    enter(p, t, TASK_WAITING);
}

/* An attempt failed, and t->error says how. */
static void after_failure(struct pipeline *p, struct task *t, int64_t retry_after_ms)
{
    int64_t delay_ms = 0;
    enum retry_step step =
        retry_decide(&p->retry, t->error.class, t->tries, retry_after_ms, random_u64(), &delay_ms);
    log_debug("attempt failed", LOG_S("custom_id", t->doc.custom_id), LOG_N("try", t->tries),
              LOG_S("type", t->error.code), LOG_S("error", t->error.message));
    if (t->partition->revoked && step != RETRY_GIVE_UP) {
        t->status = STATUS_NONE; /* the partition's next owner tries again */
        enter(p, t, TASK_SETTLING);
    } else if (step == RETRY_AGAIN) {
        retry_later(p, t, delay_ms);
    } else if (step == RETRY_NEXT_CANDIDATE && t->candidate + 1 < t->route->candidates.count) {
        leave(p, t); /* while it still counts for the old candidate */
        t->state = TASK_STATES;
        t->candidate++;
        t->tries = 0;
        enter(p, t, TASK_READY);
    } else {
        fail(p, t);
    }
}

static void read_answer(struct pipeline *p, struct task *t, const struct call_result *r,
                        struct reply *reply)
{
    size_t backend = backend_of(p, t);
    *reply = (struct reply){.error = r->error};
    if (r->http_status == 0)
        return;
    router_redact(p->router, backend, r->body, r->len);
    router_dialect(p->router, backend)->reply(r->http_status, r->body, r->len, reply);
}

static void on_called(void *arg, const struct call_result *r)
{
    struct task *t = arg;
    struct pipeline *p = t->pipeline;
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    struct reply reply;
    t->call = NULL;
    read_answer(p, t, r, &reply);
    a->http_status = t->http_status = r->http_status;
    attempt_end(a, reply.success ? NULL : &reply.error);
    attempt_book(a, p->prices, &reply);
    keep_response(p, t, reply.body);
    if (reply.success) {
        task_finish(t, STATUS_SUCCEEDED);
        enter(p, t, TASK_SETTLING);
    } else {
        t->error = reply.error;
        after_failure(p, t, r->retry_after_ms);
    }
    dispatch(p); /* at once: answers come in bursts, and the slot would wait for the last of them */
}

static void start_call(struct pipeline *p, struct task *t)
{
    size_t backend = backend_of(p, t);
    struct buf body;
    t->tries++;
    attempt_begin(t);
    buf_init(&body, t->record_len + TASK_NAME_MAX * 6UL + 64);
    router_dialect(p->router, backend)->request(t->doc.body, task_upstream_model(t), &body);
    t->call =
        call_start(p->caller, router_endpoint(p->router, backend, t->doc.url), &body, on_called, t);
}

static bool may_call(void *arg, size_t backend)
{
    return limiter_may_call(&((struct pipeline *)arg)->limiter, backend);
}

/* Whatever may be called is, unless too many answers wait for PostgreSQL. */
static void dispatch(struct pipeline *p)
{
    struct task *t;
    while (p->answer_bytes < p->answer_bytes_max && !limiter_full(&p->limiter) &&
           (t = lanes_pop(&p->lanes, may_call, p)) != NULL)
        if (!expire(p, t))
            enter(p, t, TASK_CALLING);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *w, int events)
{
    (void)loop;
    (void)events;
    dispatch(w->data);
}

/* ---- partitions that go away ---------------------------------------------------------------- */

/* Takes a task that is not started from its stage. What it spent so far is still booked. */
static void drop(struct pipeline *p, struct task *t)
{
    if (t->state == TASK_CHECKING)
        p->sink->look_up_cancel(p->sink_arg, t);
    else if (t->state == TASK_READY)
        lanes_remove(&p->lanes, t, backend_of(p, t));
    if (t->attempt_count) {
        t->status = STATUS_NONE;
        enter(p, t, TASK_SETTLING);
        return;
    }
    leave(p, t);
    release(p, t, false);
}

static void drop_all(struct pipeline *p, struct partition *from, unsigned states)
{
    struct task *t, *next;
    DL_FOREACH_SAFE2 (from->tasks, t, next, partition_next)
        if (states & (1U << t->state))
            drop(p, t);
}

void pipeline_revoke(struct pipeline *p, struct partition *from)
{
    from->revoked = true;
    drop_all(p, from, 1U << TASK_TWIN); /* first: nobody is woken by the others then */
    drop_all(p, from, 1U << TASK_CHECKING | 1U << TASK_READY | 1U << TASK_WAITING);
}

void pipeline_abort(struct pipeline *p, struct partition *from)
{
    struct task *t, *next;
    struct error aborted;
    (void)error_set(&aborted, ERROR_RETRY, "aborted",
                    "the worker gave the task back before the answer came");
    DL_FOREACH_SAFE2 (from->tasks, t, next, partition_next) {
        if (t->state != TASK_CALLING)
            continue;
        call_abort(t->call);
        t->call = NULL;
        attempt_end(&t->attempts[t->attempt_count - 1], &aborted);
        t->status = STATUS_NONE;
        enter(p, t, TASK_SETTLING);
    }
}

/* ---- making --------------------------------------------------------------------------------- */

struct pipeline *pipeline_new(struct ev_loop *loop, const struct config *c, struct caller *caller,
                              struct router *router, const struct price_table *prices,
                              const struct sink_ops *sink, void *sink_arg,
                              const struct source_ops *source, void *source_arg)
{
    struct pipeline *p = mem_zero(sizeof *p);
    p->loop = loop;
    p->config = c;
    p->caller = caller;
    p->router = router;
    p->prices = prices;
    p->sink = sink;
    p->sink_arg = sink_arg;
    p->source = source;
    p->source_arg = source_arg;
    p->retry = (struct retry_policy){(int)c->retry.attempts, c->retry.base_delay,
                                     c->retry.max_delay, c->retry.retry_after_max};
    p->lane_tasks_max =
        (size_t)(c->worker.queue_tasks ? c->worker.queue_tasks : 3 * c->worker.concurrency + 1000);
    p->lane_bytes_max = (size_t)c->worker.queue_memory;
    p->answer_bytes_max = (size_t)c->worker.response_memory;
    lanes_init(&p->lanes, c->lanes.weight, c->backends.count);
    limiter_init(&p->limiter, c);
    ev_prepare_init(&p->before_wait, on_prepare);
    p->before_wait.data = p;
    ev_prepare_start(loop, &p->before_wait);
    return p;
}

void pipeline_free(struct pipeline *p)
{
    ev_prepare_stop(p->loop, &p->before_wait);
    free(p);
}

void pipeline_count(const struct pipeline *p, struct pipeline_counts *out)
{
    *out = p->counts;
}
