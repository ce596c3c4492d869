/* The gates in the pipeline: what wakes it when one may have opened. */
#include <math.h>

#include "common/log.h"
#include "pipeline_private.h"

#define PACED_EVERY 0.01 /* seconds: how smooth a paced stream of calls is */

static void on_paced(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    pipeline_dispatch(timer->data);
}

static void on_leased(void *arg)
{
    pipeline_dispatch(arg);
}

/* Wakes the loop when the next closed gate opens. */
static void await_gates(struct pipeline *p)
{
    double now = ev_now(p->loop), next = HUGE_VAL;
    for (size_t i = 0; i < p->gates.count; i++)
        if (p->gates.gate[i].closed_until > now)
            next = fmin(next, p->gates.gate[i].closed_until);
    ev_timer_stop(p->loop, &p->resume);
    if (next < HUGE_VAL) {
        ev_timer_set(&p->resume, next - now, 0.);
        ev_timer_start(p->loop, &p->resume);
    }
}

static void on_resume(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    await_gates(timer->data);
    pipeline_dispatch(timer->data);
}

void pipeline_pause(struct pipeline *p, const struct task *t, double seconds)
{
    const struct config_candidate *c = task_candidate(t);
    struct gate *g = &p->gates.gate[t->gate];
    double now = ev_now(p->loop), most = (double)p->retry.retry_after_max_ms / 1000.0;
    double until = now + fmin(seconds, most);
    if (until <= g->closed_until)
        return;
    if (g->closed_until <= now)
        log_info("a rate limit is used up, as the backend says; its calls wait",
                 LOG_S("backend", c->backend), LOG_S("model", task_upstream_model(t)),
                 LOG_N("ms", (until - now) * 1000.0));
    g->closed_until = until;
    await_gates(p);
}

static size_t count_before(void *arg, size_t gate)
{
    const struct pipeline *p = arg;
    return p->lanes.of_gate[gate];
}

static const struct lease_events lease_events = {count_before, on_leased};

void pipeline_start_gates(struct pipeline *p)
{
    gates_init(&p->gates, p->config);
    ev_timer_init(&p->paced, on_paced, PACED_EVERY, PACED_EVERY);
    ev_timer_init(&p->resume, on_resume, 0., 0.);
    p->paced.data = p->resume.data = p;
    p->leases = leases_new(p->loop, p->config, &p->gates, &lease_events, p);
    if (p->leases)
        ev_timer_start(p->loop, &p->paced);
}

void pipeline_stop_gates(struct pipeline *p)
{
    ev_timer_stop(p->loop, &p->paced);
    ev_timer_stop(p->loop, &p->resume);
    leases_free(p->leases);
}
