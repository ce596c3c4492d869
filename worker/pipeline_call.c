/* When calls begin, and what follows a failure: the same again, the next candidate, a retry topic,
 * the dead letters; or, if the backend is out, waiting for it. pipeline_http.c makes the calls. */
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "pipeline_private.h"

/* ---- where a task can go -------------------------------------------------------------------- */

struct breaker *pipeline_breaker(struct pipeline *p, const struct task *t)
{
    return &p->breakers[pipeline_backend(p, t)];
}

size_t pipeline_candidate_after(const struct pipeline *p, const struct task *t, size_t candidate)
{
    return route_candidate(p->config, t->route, candidate + 1, t->doc.wishes.sensitive);
}

bool pipeline_has_next(const struct pipeline *p, const struct task *t)
{
    return pipeline_candidate_after(p, t, t->candidate) < t->route->candidates.count;
}

/* Attempts, and the keys that were tried, are each candidate's own. */
static void set_candidate(struct task *t, size_t candidate)
{
    if (candidate == t->candidate)
        return;
    t->candidate = candidate;
    t->tries = 0;
    t->keys_refused = 0;
}

/* The first candidate from the present one on that is not out; else the present one stays. */
static void choose_candidate(struct pipeline *p, struct task *t)
{
    const struct config_candidate *c = t->route->candidates.items;
    for (size_t i = t->candidate; i < t->route->candidates.count;
         i = pipeline_candidate_after(p, t, i)) {
        if (breaker_waits(&p->breakers[router_backend(p->router, &c[i])], ev_now(p->loop)))
            continue;
        set_candidate(t, i);
        return;
    }
}

size_t pipeline_count_waiting(const struct pipeline *p)
{
    size_t n = p->counts.in_state[TASK_WAITING] + p->counts.in_state[TASK_HELD];
    for (size_t i = 0; i < p->gates.count; i++)
        n += p->breakers[p->gates.gate[i].backend].open ? p->lanes.of_gate[i] : 0;
    return n;
}

static bool any_backend_in(const struct pipeline *p)
{
    for (size_t i = 0; i < p->config->backends.count; i++)
        if (!p->breakers[i].open)
            return true;
    return false;
}

/* While nothing could be called, waiting in memory costs nothing: intake pauses at its bounds.
 * While others could be, only so many may wait. */
void pipeline_ready(struct pipeline *p, struct task *t)
{
    choose_candidate(p, t);
    if (breaker_waits(pipeline_breaker(p, t), ev_now(p->loop)) && any_backend_in(p) &&
        pipeline_count_waiting(p) >= p->waiting_max) {
        (void)error_set(&t->error, ERROR_RETRY, "backend_out",
                        "backend \"%s\" is out, and many tasks wait for it",
                        task_candidate(t)->backend);
        pipeline_park(p, t, 0);
        return;
    }
    pipeline_enter(p, t, TASK_READY);
}

/* A call that was in flight when an outage began fails before it can be known as one. If nothing
 * has succeeded since and the backend is out, the attempt is given back. */
static void take_back_try(const struct breaker *b, struct task *t)
{
    if (b->open && t->may_take_back && t->failed > b->last_success)
        t->tries--;
    t->may_take_back = false;
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct task *t = timer->data;
    struct pipeline *p = t->pipeline;
    (void)loop;
    (void)events;
    take_back_try(pipeline_breaker(p, t), t);
    if (!pipeline_expire(p, t))
        pipeline_ready(p, t);
}

static void retry_later(struct pipeline *p, struct task *t, int64_t delay_ms)
{
    if (any_backend_in(p) && pipeline_count_waiting(p) >= p->waiting_max) {
        pipeline_park(p, t, retry_tier(delay_ms));
        return;
    }
    pipeline_leave(p, t);
    ev_timer_init(&t->timer, on_retry, (double)delay_ms / 1000.0, 0.);
    t->timer.data = t;
    pipeline_enter(p, t, TASK_WAITING);
}

void pipeline_next_candidate(struct pipeline *p, struct task *t)
{
    pipeline_leave(p, t); /* while it still counts for the old candidate */
    task_forget_again(t);
    set_candidate(t, pipeline_candidate_after(p, t, t->candidate));
    pipeline_ready(p, t);
}

/* Every candidate has failed. */
static void give_up(struct pipeline *p, struct task *t, int64_t retry_after_ms)
{
    bool passes = t->error.class == ERROR_RETRY || t->error.class == ERROR_THROTTLED;
    if (passes && t->tries <= p->retry.attempts && retry_after_ms > p->retry.retry_after_max_ms) {
        pipeline_park(p, t, retry_tier(retry_after_ms));
    } else if (passes && t->journey.rounds < p->config->retry.rounds) {
        t->tries = 0;
        pipeline_park(p, t, retry_round_tier(t->journey.rounds++));
    } else {
        pipeline_fail(p, t);
    }
}

bool pipeline_too_old(const struct pipeline *p, const struct task *t)
{
    return units_now_us() / 1000 - t->journey.first_seen_ms > p->config->retry.give_up_after;
}

bool pipeline_is_blocked(const struct pipeline *p, const struct task *t)
{
    return p->breakers[pipeline_backend(p, t)].open;
}

/* ---- failures ------------------------------------------------------------------------------- */

static bool is_spent(const struct error *e)
{
    return strcmp(e->code, "quota_exhausted") == 0;
}

/* Does this failure speak of the backend, not of the task alone? A spent quota does; a refused key
 * if the backend has worked before: then it was no mistake in the configuration. */
static bool speaks_of_backend(const struct breaker *b, const struct error *e)
{
    if (e->class == ERROR_RETRY || e->class == ERROR_THROTTLED)
        return true;
    return is_spent(e) || (b->last_success >= 0 && classify_is(e, OF_KEY));
}

/* What waits before the gate of a backend that is out goes to its next candidate, if it has one;
 * it may come back. */
static void reroute(struct pipeline *p, size_t gate)
{
    struct task **all;
    size_t count = lanes_list(&p->lanes, gate, &all);
    for (size_t i = 0; i < count; i++) {
        if (!pipeline_has_next(p, all[i]))
            continue;
        pipeline_pull(p, all[i]);
        pipeline_leave(p, all[i]);
        pipeline_ready(p, all[i]);
    }
    free(all);
}

static void begin_outage(struct pipeline *p, const struct task *t)
{
    log_warn("a backend is out; its tasks wait", LOG_S("backend", task_candidate(t)->backend),
             LOG_S("type", t->error.code), LOG_S("error", t->error.message));
    for (size_t i = 0; i < p->gates.count; i++)
        if (p->gates.gate[i].backend == pipeline_backend(p, t))
            reroute(p, i);
}

/* It failed before, others succeeded, and it fails again; or it comes from a round of failures, or
 * from the dead letters. That says nothing of the backend, unless that cannot be reached at all. */
static bool is_suspect(const struct breaker *b, const struct task *t, const struct call_result *r)
{
    bool history = t->journey.rounds > 0 || t->doc.generation > 0;
    return (t->failed > 0 && b->last_success > t->failed) || (history && r->http_status > 0);
}

/* Tells the breaker. True if the backend is out: then no attempt is spent. */
static bool backend_is_out(struct pipeline *p, struct task *t, const struct call_result *r)
{
    struct breaker *b = pipeline_breaker(p, t);
    bool was_open = b->open, suspect = is_suspect(b, t, r);
    const bool sure = is_spent(&t->error);
    int64_t most = p->retry.retry_after_max_ms;
    int64_t asked = r->retry_after_ms < most ? r->retry_after_ms : most;
    if (!speaks_of_backend(b, &t->error)) {
        if (classify_is(&t->error, OF_KEY))
            breaker_forget(b, t->probe);
        else
            breaker_success(b, t->probe, t->called,
                            ev_now(p->loop)); /* it answers, and in its right mind */
        return false;
    }
    t->failed = ev_now(p->loop);
    if (suspect && !sure) {
        breaker_forget(b, t->probe);
        return false;
    }
    /* Where it may be the task that is bad, only its first failure is free. */
    bool again = t->attempt_count > 1 && !r->unreached && classify_is(&t->error, OF_TASK);
    const struct breaker_case c = {.probe = t->probe,
                                   .sent = t->called,
                                   .wait_min = asked > 0 ? (double)asked / 1000.0 : 0,
                                   .task = r->unreached ? NULL : t,
                                   .again = again,
                                   .sure = sure};
    enum breaker_verdict v = breaker_failure(b, &c, ev_now(p->loop));
    if (b->open && !was_open)
        begin_outage(p, t);
    t->may_take_back = !again;
    return v == BREAKER_OUTAGE && !again;
}

/* The backend does not know the key, or its quota is spent: is there another key to try? Each once.
 * A key that was replaced meanwhile is none of them. */
static bool try_next_key(struct pipeline *p, struct task *t)
{
    const size_t backend = pipeline_backend(p, t);
    const bool other =
        t->error.class == ERROR_NEXT_KEY && (router_refuse_key(p->router, backend, t->key) ||
                                             ++t->keys_refused < router_keys(p->router, backend));
    if (other)
        breaker_forget(pipeline_breaker(p, t), t->probe);
    else
        t->keys_refused = 0;
    return other;
}

/* Does the failure say nothing of the request? */
static bool may_pass(const struct error *e)
{
    return e->class == ERROR_RETRY || e->class == ERROR_THROTTLED || e->class == ERROR_NEXT_KEY;
}

void pipeline_after_failure(struct pipeline *p, struct task *t, const struct call_result *r)
{
    int64_t delay_ms = 0;
    const bool other_key = try_next_key(p, t), out = other_key || backend_is_out(p, t, r);
    t->tries -= out;
    pipeline_pack_failed(p, t, may_pass(&t->error));
    pipeline_share_nothing(p, t);
    enum retry_step step = retry_decide(&p->retry, t->error.class, t->tries, r->retry_after_ms,
                                        random_u64(), &delay_ms);
    log_debug("attempt failed", LOG_S("custom_id", t->doc.custom_id), LOG_N("tries", t->tries),
              LOG_S("type", t->error.code), LOG_S("error", t->error.message));
    if (t->partition->revoked && (out || step != RETRY_GIVE_UP)) {
        t->status = STATUS_NONE; /* the partition's next owner tries again */
        pipeline_enter(p, t, TASK_SETTLING);
    } else if (pipeline_cancelled(p, t)) {
        pipeline_finish_cancelled(p, t);
    } else if (out && !other_key && pipeline_too_old(p, t)) {
        pipeline_fail(p, t);
    } else if (out) {
        pipeline_leave(p, t);
        pipeline_ready(p, t);
    } else if (step == RETRY_AGAIN) {
        retry_later(p, t, delay_ms);
    } else if (step == RETRY_NEXT_CANDIDATE && pipeline_has_next(p, t)) {
        pipeline_next_candidate(p, t);
    } else {
        give_up(p, t, r->retry_after_ms);
    }
}

/* ---- dispatch ------------------------------------------------------------------------------- */

static bool may_call(void *arg, int lane, size_t gate)
{
    struct pipeline *p = arg;
    const size_t backend = p->gates.gate[gate].backend;
    const double now = ev_now(p->loop);
    return limiter_may_call(&p->limiter, backend, lane, now) &&
           breaker_may_call(&p->breakers[backend], now) && gate_is_open(&p->gates.gate[gate], now);
}

/* A pool without tasks is not asked: it may have nothing to commit, and so no answer to show. */
static bool owns_its_tasks(const struct pipeline *p, double now)
{
    for (int pool = 0; pool < POOL_COUNT; pool++)
        if (p->rooms[pool].tasks && now > p->owned_until[pool])
            return false;
    return true;
}

/* Whatever may be called is, unless too many answers wait for PostgreSQL, or the tasks may be
 * others' by now. */
void pipeline_dispatch(struct pipeline *p)
{
    struct task *t;
    if (p->limits_unknown || !owns_its_tasks(p, ev_now(p->loop)))
        return;
    while (p->answer_bytes < p->answer_bytes_max && !limiter_full(&p->limiter) &&
           (t = lanes_pop(&p->lanes, may_call, p)) != NULL)
        if (!pipeline_expire(p, t) && !pipeline_share(p, t) && pipeline_admit(p, t) &&
            !pipeline_pack(p, t) && pipeline_translate(p, t))
            pipeline_enter(p, t, TASK_CALLING);
}
