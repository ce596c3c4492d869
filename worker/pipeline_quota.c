/* Limits in the pipeline: a task whose turn has come is called, waits for a meter, or has met the
 * end of a budget. What waits takes no place of a call, and does not hold up its lane: beyond
 * retry.waiting_tasks it goes to a retry topic. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "bound.h"
#include "common/log.h"
#include "common/money.h"
#include "common/units.h"
#include "pipeline_private.h"

enum { SUBJECT_MAX = TASK_NAME_MAX + 64 };

/* The upper bound of its next call's cost; -1: its model has no price. */
static int64_t most_cost(const struct pipeline *p, const struct task *t, const struct usage *bound)
{
    const struct config_backend *b = p->config->backends.items;
    b += pipeline_backend(p, t);
    const struct price *price = prices_find(p->prices, b, task_upstream_model(t));
    return price ? bound_cost(price, b, t->doc.body, *bound) : -1;
}

static bool has_kind(const struct quota *q, enum limit_kind kind)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->items[i].meter->kind == kind && !q->items[i].meter->gone)
            return true;
    return false;
}

/* "budget "acme" (tenant "acme")" */
static const char *describe(const struct meter *m, char out[SUBJECT_MAX + LIMIT_NAME_MAX])
{
    const int len = (int)strcspn(m->name, "\x1f");
    if (m->per == AXIS_ALL)
        (void)snprintf(out, SUBJECT_MAX + LIMIT_NAME_MAX, "\"%.*s\"", len, m->name);
    else
        (void)snprintf(out, SUBJECT_MAX + LIMIT_NAME_MAX, "\"%.*s\" (%s \"%s\")", len, m->name,
                       limit_axis_names[m->per], m->subject);
    return out;
}

/* The budget is used up, and nothing that is in use would come back for this task. */
static void at_limit(struct pipeline *p, struct task *t, const struct meter *m)
{
    char what[SUBJECT_MAX + LIMIT_NAME_MAX], spent[MONEY_TEXT_MAX], amount[MONEY_TEXT_MAX],
        need[MONEY_TEXT_MAX];
    (void)error_set(&t->error, ERROR_PERMANENT, "budget_exceeded",
                    "budget %s: $%s of $%s are spent, and this call may cost up to $%s; raise it "
                    "with `quern limits set`, then `quern retry JOB --failed`",
                    describe(m, what), money_format(m->spent, spent),
                    money_format(m->amount, amount), money_format(meter_need(m, t), need));
    if (!m->park) {
        pipeline_fail(p, t);
        return;
    }
    const double left = m->period_end - ev_now(p->loop);
    pipeline_park(p, t, left < 120 ? 0 : 1); /* it may be raised: looked at again within a minute */
}

/* About how long the task at the end of the meter's queue waits, in ms. */
static int64_t wait_of(const struct meter *m)
{
    const double window = strtod(m->span, NULL);
    if (window <= 0 || m->amount <= 0)
        return 0;
    return (int64_t)((double)m->held_count / (double)m->amount * window);
}

static void hold(struct pipeline *p, struct task *t, struct meter *m)
{
    char what[SUBJECT_MAX + LIMIT_NAME_MAX];
    if (pipeline_count_waiting(p) >= p->waiting_max) {
        (void)error_set(&t->error, ERROR_THROTTLED, "limit_reached",
                        "limit %s is used up, and many tasks wait for it", describe(m, what));
        pipeline_park(p, t, retry_tier(wait_of(m)));
        return;
    }
    meter_hold(&p->meters, m, t);
    pipeline_enter(p, t, TASK_HELD);
}

/* Fills in the needs of its next call. False: the task has failed. */
static bool need(struct pipeline *p, struct task *t, const struct usage *more)
{
    struct usage bound = bound_usage(t->doc.url, t->doc.body);
    bound.input += more->input;
    bound.output += more->output;
    const int64_t cost = has_kind(t->quota, LIMIT_COST) ? most_cost(p, t, &bound) : 0;
    if (cost < 0) {
        (void)error_set(
            &t->error, ERROR_PERMANENT, "budget_unpriced",
            "a budget holds for this task, and its model \"%s\" has no price; give it one "
            "with prices.models (0 if it costs nothing)",
            task_upstream_model(t));
        pipeline_fail(p, t);
        return false;
    }
    double tokens = 0;
    if (has_kind(t->quota, LIMIT_TOKENS))
        tokens = fmin(pipeline_estimate_most(p, t, &bound) + (double)(more->input + more->output),
                      (double)(bound.input + bound.output));
    quota_need(t->quota, (int64_t)ceil(tokens), cost);
    return true;
}

bool pipeline_admit(struct pipeline *p, struct task *t)
{
    static const struct usage no_more;
    if (!meters_assign(&p->meters, t))
        return true;
    if (!need(p, t, &no_more))
        return false;
    struct meter *m = quota_blocked(t, ev_now(p->loop));
    if (m)
        hold(p, t, m);
    return !m;
}

bool pipeline_admit_part(struct pipeline *p, struct task *t, const struct usage *more)
{
    const double now = ev_now(p->loop);
    if (!meters_assign(&p->meters, t))
        return true;
    if (!need(p, t, more)) {
        pipeline_pack_leave(p, t);
        return false;
    }
    struct meter *m = quota_blocked(t, now);
    if (!m) {
        quota_begin(t, now);
        return true;
    }
    pipeline_pack_leave(p, t);
    hold(p, t, m);
    return false;
}

/* How many of those that wait may go now, from the first on; those that a budget will never let go
 * end. */
static size_t choose(struct pipeline *p, struct meter *m, struct task **last)
{
    struct task *t, *next;
    size_t count = 0;
    int64_t room = meter_room(m, ev_now(p->loop));
    *last = NULL;
    DL_FOREACH_SAFE (m->held, t, next) {
        const int64_t need = meter_need(m, t);
        if (m->gone || need <= room) {
            room -= need;
            *last = t;
            count++;
        } else if (meter_is_spent(m, need)) {
            at_limit(p, t, m);
        } else {
            break;
        }
    }
    return count;
}

void pipeline_meter_answered(struct pipeline *p, struct meter *m)
{
    struct task *t, *before;
    size_t count = choose(p, m, &t);
    for (; count > 0;
         count--, t = before) { /* backwards: each goes before the others of its lane */
        before = t->prev;
        t->waited = true;
        pipeline_leave(p, t);
        pipeline_ready(p, t);
    }
    pipeline_dispatch(p);
}

struct meters *pipeline_meters(struct pipeline *p)
{
    p->limits_unknown = true;
    return &p->meters;
}

bool pipeline_has_limits(const struct pipeline *p)
{
    return p->meters.rule_count > 0;
}

void pipeline_limits_known(struct pipeline *p)
{
    struct meter *m, *next;
    p->limits_unknown = false;
    DL_FOREACH_SAFE (p->meters.gone, m, next)
        pipeline_meter_answered(p, m);
    pipeline_dispatch(p);
}
