/* What ends or moves tasks from outside: partitions that go away, cancelled jobs, deadlines, heads
 * that hold up their partition. */
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "pipeline_private.h"

/* Is the task looked up, and not called? */
static bool waits(const struct task *t)
{
    return t->state == TASK_READY || t->state == TASK_SHARING || t->state == TASK_HELD ||
           t->state == TASK_PACKING || t->state == TASK_WAITING;
}

/* ---- partitions that go away ---------------------------------------------------------------- */

void pipeline_drop(struct pipeline *p, struct task *t)
{
    pipeline_pull(p, t);
    if (t->attempt_count) {
        t->status = STATUS_NONE;
        pipeline_enter(p, t, TASK_SETTLING);
        return;
    }
    pipeline_leave(p, t);
    pipeline_release(p, t, false);
}

static void drop_all(struct pipeline *p, struct partition *from, unsigned states)
{
    struct task *t, *next;
    DL_FOREACH_SAFE2 (from->tasks, t, next, partition_next)
        if (states & (1U << t->state))
            pipeline_drop(p, t);
}

void pipeline_revoke(struct pipeline *p, struct partition *from)
{
    from->revoked = true;
    drop_all(p, from, 1U << TASK_TWIN); /* first: nobody is woken by the others then */
    drop_all(p, from,
             1U << TASK_CHECKING | 1U << TASK_READY | 1U << TASK_SHARING | 1U << TASK_HELD |
                 1U << TASK_WAITING);
}

void pipeline_abort(struct pipeline *p, struct partition *from)
{
    struct task *t, *next;
    drop_all(p, from, 1U << TASK_RIDING); /* first: no call that ends brings them back then */
    DL_FOREACH_SAFE2 (from->tasks, t, next, partition_next) {
        if (t->state != TASK_CALLING)
            continue;
        pipeline_abort_call(p, t, "aborted",
                            "the worker gave the task back before the answer came");
        t->status = STATUS_NONE;
        pipeline_enter(p, t, TASK_SETTLING);
    }
}

/* ---- stuck heads ---------------------------------------------------------------------------- */

static bool is_stuck(const struct pipeline *p, const struct task *t)
{
    if (t->state == TASK_READY && t->tenant && !window_full(&t->partition->window))
        return false; /* others were before it by intent */
    const int64_t now = units_now_us(), limit = p->config->worker.head_timeout * 1000;
    if (t->state == TASK_READY || t->state == TASK_HELD || t->state == TASK_WAITING)
        return now - t->received_us > limit;
    return t->state == TASK_CALLING && now - t->attempts[t->attempt_count - 1].started_us > limit;
}

/* What waits for PostgreSQL or Kafka cannot be helped by either; it stays. */
void pipeline_unstick(struct pipeline *p, struct partition *from)
{
    struct task *head = from->tasks;
    bool blocks = window_count(&from->window) > window_open(&from->window);
    if (from->revoked || !head || !blocks || !is_stuck(p, head))
        return;
    log_warn("a task holds up its partition; it moves to a retry topic",
             LOG_S("custom_id", head->doc.custom_id), LOG_S("topic", from->topic),
             LOG_N("partition", from->number), LOG_N("offset", head->offset));
    if (head->state == TASK_CALLING)
        pipeline_abort_call(p, head, "stuck", "the call ran longer than worker.head_timeout");
    (void)error_set(&head->error, ERROR_RETRY, "stuck",
                    "it was the oldest open task of its partition for too long");
    pipeline_pull(p, head);
    if (head->tries > p->retry.attempts)
        pipeline_finish(p, head, STATUS_FAILED);
    else
        pipeline_park(p, head, 0);
}

/* ---- cancelled jobs ------------------------------------------------------------------------- */

static struct cancel *find_cancel(const struct pipeline *p, const struct uuid *job)
{
    struct cancel *c;
    if (!p->cancels)
        return NULL;
    HASH_FIND(hh, p->cancels, job, sizeof *job, c);
    return c;
}

const struct cancel *pipeline_cancelled(const struct pipeline *p, const struct task *t)
{
    const struct cancel *c = find_cancel(p, &t->doc.job_id);
    return c && c->generation >= t->doc.generation ? c : NULL;
}

void pipeline_finish_cancelled(struct pipeline *p, struct task *t)
{
    (void)error_set(&t->error, ERROR_PERMANENT, "cancelled", "its job was cancelled");
    pipeline_finish(p, t, STATUS_CANCELLED);
}

static void cancel_task(struct pipeline *p, struct task *t, const struct cancel *c)
{
    if (t->state == TASK_CALLING && c->lets_finish)
        return;
    if (t->state == TASK_CALLING)
        pipeline_abort_call(p, t, "cancelled", "its job was cancelled before the answer came");
    else if (!waits(t))
        return; /* CHECKING: its look-up tells; RIDING: others' call, of which it has its part of
                   the cost, is waited for; further on: the outcome stands */
    pipeline_pull(p, t);
    pipeline_finish_cancelled(p, t);
}

/* False if it is known already. */
static bool note_cancel(struct pipeline *p, const struct uuid *job, int64_t generation,
                        bool lets_finish)
{
    struct cancel *c = find_cancel(p, job);
    if (c && c->generation >= generation && (lets_finish || !c->lets_finish))
        return false;
    if (!c && HASH_COUNT(p->cancels) >= CANCELS_MAX)
        pipeline_forget_cancels(p); /* those that still matter are told again within a second */
    if (!c) {
        c = mem_zero(sizeof *c);
        c->job = *job;
        HASH_ADD(hh, p->cancels, job, sizeof c->job, c);
    }
    c->generation = generation;
    c->lets_finish = lets_finish;
    return true;
}

void pipeline_cancel(struct pipeline *p, const struct uuid *job, int64_t generation,
                     bool lets_finish)
{
    const struct cancel c = {.generation = generation, .lets_finish = lets_finish};
    struct task *t, *next;
    if (!note_cancel(p, job, generation, lets_finish))
        return;
    size_t before = p->counts.in_state[TASK_SETTLING];
    HASH_ITER (hh, p->by_identity, t, next)
        if (uuid_equal(&t->doc.job_id, job) && t->doc.generation <= generation)
            cancel_task(p, t, &c);
    char id[UUID_TEXT_LEN + 1];
    log_info("a job was cancelled", LOG_S("job_id", uuid_format(job, id)),
             LOG_N("ended", p->counts.in_state[TASK_SETTLING] - before));
}

/* ---- deadlines ------------------------------------------------------------------------------ */

bool pipeline_expire(struct pipeline *p, struct task *t)
{
    char when[UNITS_TEXT_MAX];
    if (t->doc.deadline_us == 0 || units_now_us() < t->doc.deadline_us)
        return false;
    (void)error_set(&t->error, ERROR_PERMANENT, "expired", "the deadline was %s",
                    units_format_time(t->doc.deadline_us, when));
    pipeline_finish(p, t, STATUS_EXPIRED);
    return true;
}

static void give_up(struct pipeline *p, struct task *t)
{
    if (!t->error.code[0])
        (void)error_set(&t->error, ERROR_RETRY, "backend_out",
                        "backend \"%s\" was out for too long", task_candidate(t)->backend);
    pipeline_fail(p, t);
}

static bool any_breaker_open(const struct pipeline *p)
{
    for (size_t i = 0; i < p->config->backends.count; i++)
        if (p->breakers[i].open)
            return true;
    return false;
}

/* A task whose turn does not come, because its backend is out, ends in time all the same. */
void pipeline_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct pipeline *p = timer->data;
    struct task *t, *next;
    const int64_t now = units_now_us();
    bool outage = any_breaker_open(p);
    (void)loop;
    (void)events;
    if (p->with_deadline == 0 && !outage)
        return;
    HASH_ITER (hh, p->by_identity, t, next) {
        if (!waits(t))
            continue;
        bool late = t->doc.deadline_us != 0 && now >= t->doc.deadline_us;
        bool hopeless = outage && pipeline_is_blocked(p, t) && pipeline_too_old(p, t);
        if (!late && !hopeless)
            continue;
        pipeline_pull(p, t);
        if (!pipeline_expire(p, t))
            give_up(p, t);
    }
}
