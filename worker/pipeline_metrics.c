/* What the pipeline tells about itself. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipeline_private.h"

static const char *const state_names[TASK_STATES] = {"checking", "twin",     "ready",   "sharing",
                                                     "packing",  "riding",   "held",    "calling",
                                                     "waiting",  "settling", "burying", "parking"};

static const char *backend_name(const struct pipeline *p, size_t i)
{
    return ((const struct config_backend *)p->config->backends.items)[i].name;
}

static void write_states(const struct pipeline *p, struct buf *out)
{
    expose(out, M_TASKS);
    for (int s = 0; s < TASK_STATES; s++)
        expose_value(out, M_TASKS, (double)p->counts.in_state[s], LABELS(state_names[s]));
}

static void write_limits(const struct pipeline *p, struct buf *out)
{
    const size_t count = p->config->backends.count;
    expose(out, M_IN_FLIGHT);
    for (size_t b = 0; b < count; b++)
        for (int lane = 0; lane < LANE_COUNT; lane++)
            expose_value(out, M_IN_FLIGHT, (double)p->limiter.adaptive[b][lane].in_flight,
                         LABELS(backend_name(p, b), lane_names[lane]));
    expose(out, M_LIMIT);
    for (size_t b = 0; b < count; b++)
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            const struct aimd *a = &p->limiter.adaptive[b][lane];
            expose_value(
                out, M_LIMIT, (double)(int64_t)a->limit,
                LABELS(backend_name(p, b), lane_names[lane], a->reason ? a->reason : "configured"));
        }
    expose(out, M_BREAKER_OPEN);
    for (size_t b = 0; b < count; b++)
        expose_value(out, M_BREAKER_OPEN, p->breakers[b].open, LABELS(backend_name(p, b)));
}

/* The models that a gate is for: a name, a pattern, or "*". */
static const char *gate_model(const struct gate *g)
{
    const char *model = g->limit ? g->limit->model : g->model;
    return model ? model : "*";
}

/* Several gates of a backend may be for the same models; a scrape has each series once. */
static bool is_first_gate(const struct gates *gs, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (gs->gate[k].backend == gs->gate[i].backend &&
            strcmp(gate_model(&gs->gate[k]), gate_model(&gs->gate[i])) == 0)
            return false;
    return true;
}

static double closed_for(const struct pipeline *p, const struct gate *same)
{
    double until = 0;
    for (size_t i = 0; i < p->gates.count; i++) {
        const struct gate *g = &p->gates.gate[i];
        if (g->backend == same->backend && strcmp(gate_model(g), gate_model(same)) == 0)
            until = fmax(until, g->closed_until);
    }
    return fmax(0, until - ev_now(p->loop));
}

static void write_gates(const struct pipeline *p, struct buf *out)
{
    expose(out, M_RATE_LIMITED);
    for (size_t i = 0; i < p->gates.count; i++) {
        const struct gate *g = &p->gates.gate[i];
        if (is_first_gate(&p->gates, i))
            expose_value(out, M_RATE_LIMITED, closed_for(p, g),
                         LABELS(backend_name(p, g->backend), gate_model(g)));
    }
}

/* Keys are model, url and feature; kinds beyond SERIES_MAX are left out, and so is what is not
 * known yet. */
static void write_estimates(const struct pipeline *p, struct buf *out)
{
    char model[ESTIMATE_KEY_MAX];
    size_t n = 0;
    expose(out, M_ESTIMATE_ERROR);
    for (const struct estimate *e = p->estimates.by_key; e && n < SERIES_MAX; e = e->hh.next) {
        const double error = estimate_error(e);
        if (error < 0)
            continue;
        (void)snprintf(model, sizeof model, "%s", e->key);
        char *url = strchr(model, '\x1f'), *feature = url ? strchr(url + 1, '\x1f') : NULL;
        if (!feature)
            continue;
        *url++ = *feature++ = '\0';
        expose_value(out, M_ESTIMATE_ERROR, error, LABELS(model, feature, url));
        n++;
    }
}

void pipeline_write_metrics(struct pipeline *p, struct buf *out)
{
    write_states(p, out);
    expose_one(out, M_CONCURRENCY, (double)p->limiter.max);
    write_limits(p, out);
    write_gates(p, out);
    for (int m = 0; m < METRICS; m++)
        if (metric_defs[m].group != G_NONE)
            metrics_write(&p->metrics, (enum metric)m, out);
    write_estimates(p, out);
}

void pipeline_write_recent(struct pipeline *p, struct buf *out)
{
    recent_write(&p->recent, ev_now(p->loop), out);
}

void pipeline_count_warning(struct pipeline *p, const char *limit, int64_t percent)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, percent);
    metrics_series(&p->metrics, G_BUDGETS, LABELS(limit, text))->value[0]++;
}

int64_t pipeline_duplicates(const struct pipeline *p)
{
    return p->duplicates;
}
