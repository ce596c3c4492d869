/*
 * The way of a task:
 *
 *   receive --> CHECKING --> READY --> CALLING --> SETTLING ----------> done
 *      |           |          ^ ^         | |          |                  ^
 *      |           |          | '-WAITING-' |          |-> BURYING -------|
 *      |           |          |  (retry)    |          |   (dead letter)  |
 *      |           |          '-------------'          '-> PARKING -------|
 *      |           |          next candidate,              (retry topic)  |
 *      |           |          or the backend is out                       |
 *      |           '------------- result is known already ----------------'
 *      '--> TWIN (a task of the same id is here) --> CHECKING, when that one is done
 *
 * pipeline_enter() is the one function that changes a task's state; pipeline_leave() takes it out
 * of what its state put it in. A task leaves the pipeline only when its outcome is durable, or a
 * copy of its record in a retry topic: only then is its slot in the partition's window done, and
 * its offset may be committed.
 *
 * A stage knows no other stage. What a stage reports comes in through a callback, which decides the
 * next state.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/failpoint.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "degrade.h"
#include "guards/glossary.h"
#include "pipeline_private.h"

/* A last answer is made of a text that is in the record, escaped anew. */
enum { ANSWER_MAX = 16 * 6, ANSWER_MORE = 4096 };

size_t pipeline_backend(const struct pipeline *p, const struct task *t)
{
    return router_backend(p->router, task_candidate(t));
}

bool pipeline_has_room(const struct pipeline *p, int pool)
{
    return room_has(&p->rooms[pool]);
}

bool pipeline_wants(const struct pipeline *p, int pool, const char *tenant, bool low)
{
    enum { LEAST = 16 }; /* tasks */
    const struct room *r = &p->rooms[pool];
    const size_t share = r->tasks_max / (HASH_COUNT(p->tenants.by_name) + 1);
    const struct tenant *known = tenants_find(&p->tenants, tenant);
    const size_t most = (share > LEAST ? share : LEAST) / (low ? 2 : 1);
    return room_has_ahead(r) && (!known || known->waiting[pool] < most);
}

void pipeline_own(struct pipeline *p, int pool, double until)
{
    p->owned_until[pool] = until;
}

void pipeline_save_memory(struct pipeline *p, bool save)
{
    for (int pool = 0; pool < POOL_COUNT; pool++) {
        room_narrow(&p->rooms[pool], save);
        if (!save)
            p->source->room(p->source_arg, pool);
    }
}

/* The task enters its state, or leaves it. */
static void count(struct pipeline *p, const struct task *t, int by)
{
    p->counts.in_state[t->state] += (size_t)by;
    if (t->tenant && (t->state == TASK_CHECKING || t->state == TASK_READY))
        t->tenant->waiting[t->lane] += (size_t)by;
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
        pipeline_enter(p, t, TASK_TWIN);
        return;
    }
    HASH_ADD_KEYPTR(hh, p->by_identity, t->identity, t->identity_len, t);
    if (!t->guarded)
        pipeline_guard_ask(p, t);
    pipeline_share_begin(p, t);
    pipeline_enter(p, t, TASK_CHECKING);
}

void pipeline_receive(struct pipeline *p, struct partition *from, int64_t offset,
                      const void *record, size_t len, const struct journey *journey)
{
    struct task *t = task_new(from, offset, record, len, journey);
    pipeline_guard_open(p, t);
    t->pipeline = p;
    t->state = TASK_STATES; /* in none yet */
    room_charge(&p->rooms[from->pool], task_bytes(t));
    tenants_enter(&p->tenants, t);
    p->with_deadline += t->doc.deadline_us != 0;
    if (t->readable) {
        admit(p, t);
        return;
    }
    pipeline_guard_unreadable(p, t);
    log_warn("a record is no task; it goes to the dead letters", LOG_S("topic", from->topic),
             LOG_N("partition", from->number), LOG_N("offset", offset),
             LOG_S("error", t->error.message));
    pipeline_finish(p, t, STATUS_FAILED);
}

void pipeline_release(struct pipeline *p, struct task *t, bool done)
{
    struct partition *from = t->partition;
    struct task *twins = t->twins, *twin, *next;
    if (t->readable && same_identity(p, t) == t)
        HASH_DEL(p->by_identity, t);
    if (done && !from->released)
        (void)window_done(&from->window, t->number);
    p->counts.finished += done && task_status_is_final(t->status);
    p->counts.parked += done && t->status == STATUS_PARKED;
    p->answer_bytes -= pipeline_answer_bytes(t) + t->sealed_len;
    pipeline_share_end(p, t);
    p->with_deadline -= t->doc.deadline_us != 0;
    bool room = room_discharge(&p->rooms[from->pool], task_bytes(t));
    tenants_leave(&p->tenants, t);
    quota_release(&p->meters, t);
    task_free(t);
    DL_FOREACH_SAFE (twins, twin, next) {
        DL_DELETE(twins, twin);
        count(p, twin, -1);
        twin->state = TASK_STATES;
        admit(p, twin);
    }
    if (room)
        p->source->room(p->source_arg, from->pool);
    p->source->left(p->source_arg, from);
}

/* ---- states --------------------------------------------------------------------------------- */

void pipeline_leave(struct pipeline *p, struct task *t)
{
    switch (t->state) {
    case TASK_TWIN:
        DL_DELETE(same_identity(p, t)->twins, t);
        break;
    case TASK_HELD:
        meter_unhold(&p->meters, t);
        break;
    case TASK_WAITING:
        ev_timer_stop(p->loop, &t->timer);
        break;
    case TASK_CALLING:
        limiter_end(&p->limiter, pipeline_backend(p, t), t->lane);
        break;
    default: /* the stage itself took it out of its list */
        break;
    }
    if (t->state != TASK_STATES)
        count(p, t, -1);
    t->state = TASK_STATES;
}

void pipeline_enter(struct pipeline *p, struct task *t, enum task_state state)
{
    pipeline_leave(p, t);
    t->state = state;
    count(p, t, +1);
    switch (state) {
    case TASK_CHECKING:
        p->sink->look_up(p->sink_arg, t);
        break;
    case TASK_TWIN:
        DL_APPEND(same_identity(p, t)->twins, t);
        break;
    case TASK_READY:
        t->gate = gates_find(&p->gates, pipeline_backend(p, t), task_upstream_model(t));
        limiter_expect(&p->limiter, t->lane, ev_now(p->loop));
        lanes_push(&p->lanes, t, t->gate,
                   t->waited || (t->tries > 0 && !pipeline_is_blocked(p, t)));
        break;
    case TASK_CALLING:
        limiter_begin(&p->limiter, pipeline_backend(p, t), t->lane);
        pipeline_start_call(p, t);
        break;
    case TASK_SHARING:
    case TASK_PACKING:
    case TASK_RIDING:
    case TASK_HELD: /* their group, pack or meter has them already */
        break;
    case TASK_WAITING:
        ev_timer_start(p->loop, &t->timer);
        break;
    case TASK_SETTLING:
        p->sink->settle(p->sink_arg, t);
        break;
    case TASK_BURYING:
    case TASK_PARKING:
        p->sink->publish(p->sink_arg, t);
        break;
    case TASK_STATES:
        break;
    }
}

void pipeline_pull(struct pipeline *p, struct task *t)
{
    if (t->state == TASK_CHECKING)
        p->sink->look_up_cancel(p->sink_arg, t);
    else if (t->state == TASK_READY)
        lanes_remove(&p->lanes, t, t->gate);
    else if (t->state == TASK_PACKING || t->state == TASK_RIDING)
        pipeline_pack_leave(p, t);
}

static void complete(struct pipeline *p, struct task *t)
{
    pipeline_leave(p, t);
    pipeline_release(p, t, true);
}

void pipeline_finish(struct pipeline *p, struct task *t, enum task_status status)
{
    task_finish(t, status);
    pipeline_guard_seal(p, t); /* a result that PostgreSQL refuses becomes a failure */
    if (FAILPOINT("plant-done-before-write"))
        (void)window_done(&t->partition->window, t->number);
    pipeline_enter(p, t, TASK_SETTLING);
}

void pipeline_fail(struct pipeline *p, struct task *t)
{
    struct buf answer;
    buf_init(&answer, t->record_len * ANSWER_MAX + ANSWER_MORE);
    if (!degrade(t, &answer)) {
        buf_free(&answer);
        pipeline_finish(p, t, STATUS_FAILED);
        return;
    }
    pipeline_keep_response(p, t, json_root(answer.data, answer.len));
    buf_free(&answer);
    t->http_status = 200;
    pipeline_finish(p, t, STATUS_DEGRADED);
}

void pipeline_park(struct pipeline *p, struct task *t, int tier)
{
    log_debug("a task is parked", LOG_S("custom_id", t->doc.custom_id),
              LOG_S("topic", retry_tier_names[tier]), LOG_S("error", t->error.message));
    int64_t now = units_now_us() / 1000, due = now + retry_tier_ms[tier];
    if (t->doc.deadline_us && t->doc.deadline_us / 1000 < due) { /* it expires in time */
        due = t->doc.deadline_us / 1000;
        tier = retry_tier(due - now);
    }
    task_park(t, tier, due);
    pipeline_guard_seal(p, t);
    pipeline_enter(p, t, TASK_SETTLING);
}

bool pipeline_find_route(const struct pipeline *p, struct task *t)
{
    struct route_ask ask;
    struct json stream = json_get(t->doc.body, "stream");
    t->asks_stream = json_is(stream, 't') && stream.p[0] == 't';
    route_ask(&t->doc, t->lane, p->volumes, &ask);
    t->route = route_find(p->config, &ask);
    if (!t->route) {
        (void)error_set(&t->error, ERROR_PERMANENT, "model_not_found",
                        "no entry of `models` in the configuration fits the model \"%s\"; "
                        "`quern route --explain` shows why",
                        t->doc.model);
        return false;
    }
    t->candidate = route_candidate(p->config, t->route, 0, t->doc.wishes.sensitive);
    if (t->candidate < t->route->candidates.count)
        return true;
    t->candidate = 0;
    (void)error_set(&t->error, ERROR_PERMANENT, "invalid_request",
                    "sensitive: no candidate of the model \"%s\" has a backend that is private",
                    t->doc.model);
    return false;
}

/* ---- what the sink reports ------------------------------------------------------------------ */

static void on_looked_up(void *arg, struct task *t, enum known known)
{
    struct pipeline *p = arg;
    if (FAILPOINT("plant-no-lookup"))
        known = KNOWN_NOT;
    p->duplicates += known == KNOWN_DONE || known == KNOWN_BURIED;
    if (known == KNOWN_DONE) {
        complete(p, t);
    } else if (known == KNOWN_BURIED) {
        (void)error_set(&t->error, ERROR_PERMANENT, "failed", "it failed before; see its result");
        t->status = STATUS_FAILED;
        pipeline_guard_seal(p, t);
        pipeline_enter(p, t, TASK_BURYING);
    } else if (known == KNOWN_PARKED) {
        (void)error_set(&t->error, ERROR_RETRY, "parked", "it was parked before a worker was lost");
        t->status = STATUS_PARKED;
        t->tier = retry_tier(t->copy.due_ms - units_now_us() / 1000);
        pipeline_guard_seal(p, t);
        pipeline_enter(p, t, TASK_PARKING);
    } else if (known == KNOWN_CACHED) {
        pipeline_take_cached(p, t);
    } else if (known == KNOWN_ELSEWHERE) {
        pipeline_look_later(p, t);
    } else if (known == KNOWN_CANCELLED || pipeline_cancelled(p, t)) {
        pipeline_finish_cancelled(p, t);
    } else if (pipeline_guard_blocks(p, t)) {
        return;
    } else if (!pipeline_find_route(p, t)) {
        pipeline_fail(p, t);
    } else if (!pipeline_expire(p, t)) {
        pipeline_ready(p, t);
    }
}

static bool planted_loss(const struct task *t)
{
    return t->status == STATUS_PARKED ? FAILPOINT("plant-park-lost")
                                      : FAILPOINT("plant-letter-lost");
}

/* It was not parked: its job was cancelled, or another worker has come further with it. */
static void look_again(struct pipeline *p, struct task *t)
{
    t->status = STATUS_NONE;
    if (!t->partition->revoked) {
        pipeline_enter(p, t, TASK_CHECKING);
        return;
    }
    pipeline_leave(p, t);
    pipeline_release(p, t, false);
}

static void on_settled(void *arg, struct task *t)
{
    struct pipeline *p = arg;
    (void)FAILPOINT("after-write");
    metrics_settled(&p->metrics, &p->recent, t, ev_now(p->loop));
    if (t->status == STATUS_NONE) { /* only its books: another worker owns the task */
        pipeline_leave(p, t);
        pipeline_release(p, t, false);
    } else if (t->publication_id && !planted_loss(t)) {
        pipeline_enter(p, t, t->status == STATUS_PARKED ? TASK_PARKING : TASK_BURYING);
    } else if (t->status == STATUS_PARKED && !planted_loss(t)) {
        look_again(p, t);
    } else {
        pipeline_judge(p, t);
        complete(p, t);
    }
}

static void on_published(void *arg, struct task *t)
{
    (void)FAILPOINT("after-publish");
    complete(arg, t);
}

const struct sink_events pipeline_sink_events = {on_looked_up, on_settled, on_published};

/* ---- making --------------------------------------------------------------------------------- */

static void on_prepare(struct ev_loop *loop, ev_prepare *w, int events)
{
    (void)loop;
    (void)events;
    pipeline_dispatch(w->data);
}

static void set_bounds(struct pipeline *p, const struct config *c)
{
    const struct config_backend *b = c->backends.items;
    const int64_t memory = c->worker.memory_limit, concurrency = c->worker.concurrency;
    const int64_t tasks =
        c->worker.queue_tasks ? c->worker.queue_tasks : concurrency + concurrency / 2 + 1000;
    const int64_t bytes = c->worker.queue_memory ? c->worker.queue_memory : memory / 16;
    const int64_t parts = tenants_matter(&p->tenants) ? 2 : 1; /* one is for what goes ahead */
    for (int pool = 0; pool < POOL_COUNT; pool++)
        p->rooms[pool] = (struct room){.tasks_max = (size_t)((tasks + parts - 1) / parts),
                                       .bytes_max = (size_t)(bytes / parts)};
    p->waiting_max = (size_t)(c->retry.waiting_tasks ? c->retry.waiting_tasks : tasks / 2);
    p->answer_bytes_max = p->stream_bytes_max =
        (size_t)(c->worker.response_memory ? c->worker.response_memory : memory / 8);
    p->retry = (struct retry_policy){(int)c->retry.attempts, c->retry.base_delay,
                                     c->retry.max_delay, c->retry.retry_after_max};
    for (size_t i = 0; i < c->backends.count; i++)
        breaker_init(&p->breakers[i], b[i].breaker.failures, b[i].breaker.probes,
                     (double)b[i].breaker.wait / 1000.0, (double)b[i].breaker.wait_max / 1000.0);
}

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
    for (int pool = 0; pool < POOL_COUNT; pool++)
        p->owned_until[pool] = HUGE_VAL;
    p->volumes = volumes_new();
    tenants_init(&p->tenants, c);
    set_bounds(p, c);
    meters_init(&p->meters);
    metrics_init(&p->metrics);
    recent_init(&p->recent, ev_now(loop));
    estimates_init(&p->estimates);
    p->glossary = c->quality.rules.count ? glossary_new() : NULL;
    pipeline_start_gates(p);
    lanes_init(&p->lanes, c->lanes.weight, p->gates.count);
    limiter_init(&p->limiter, c);
    ev_prepare_init(&p->before_wait, on_prepare);
    ev_timer_init(&p->sweep, pipeline_sweep, 1., 1.);
    p->before_wait.data = p->sweep.data = p;
    ev_prepare_start(loop, &p->before_wait);
    ev_timer_start(loop, &p->sweep);
    return p;
}

void pipeline_forget_cancels(struct pipeline *p)
{
    struct cancel *c = p->cancels, *next;
    HASH_CLEAR(hh, p->cancels);
    for (; c; c = next) {
        next = c->hh.next;
        free(c);
    }
}

void pipeline_free(struct pipeline *p)
{
    ev_prepare_stop(p->loop, &p->before_wait);
    ev_timer_stop(p->loop, &p->sweep);
    pipeline_stop_gates(p);
    volumes_free(p->volumes);
    lanes_free(&p->lanes);
    meters_free(&p->meters);
    metrics_free(&p->metrics);
    estimates_free(&p->estimates);
    glossary_free(p->glossary);
    pipeline_forget_cancels(p);
    free(p);
}

struct volumes *pipeline_volumes(struct pipeline *p)
{
    return p->volumes;
}

void pipeline_count(const struct pipeline *p, struct pipeline_counts *out)
{
    *out = p->counts;
}
