/* What one task adds to the metrics, once its attempts and its outcome are committed. */
#include "common/units.h"
#include "guards/guard.h"
#include "guards/quality.h"
#include "metrics.h"
#include "recent.h"
#include "sharing.h"
#include "task.h"

enum { CALL_TIME, FIRST_TOKEN_TIME, TOKEN_RATE };      /* histograms of G_CALLS */
enum { TASK_TIME, QUEUE_TIME };                        /* of G_TIMES */
enum { INPUT, CACHED_INPUT, OUTPUT, REASONING, COST }; /* values of G_USE */
enum { ALL, UNPRICED };                                /* of G_ATTEMPTS */

static const char *outcome(bool good)
{
    return good ? "success" : "failure";
}

static void add_call(struct metrics *ms, const struct attempt *a)
{
    struct series *s = metrics_series(ms, G_CALLS, LABELS(a->backend, outcome(!a->error)));
    const double seconds = (double)a->duration_ms / 1000.0;
    histogram_add(&s->histograms[CALL_TIME], buckets_call, seconds);
    if (a->first_token_ms >= 0)
        histogram_add(&s->histograms[FIRST_TOKEN_TIME], buckets_call,
                      (double)a->first_token_ms / 1000.0);
    if (a->usage.output > 0 && a->duration_ms > 0)
        histogram_add(&s->histograms[TOKEN_RATE], buckets_rate, (double)a->usage.output / seconds);
}

static void add_use(struct metrics *ms, const struct task *t, const struct attempt *a)
{
    const struct usage *u = &a->usage;
    struct series *s =
        metrics_series(ms, G_USE, LABELS(a->model, t->doc.feature, lane_names[t->lane]));
    s->value[INPUT] += u->input;
    s->value[CACHED_INPUT] += u->cached;
    s->value[OUTPUT] += u->output;
    s->value[REASONING] += u->reasoning;
    s->value[COST] += a->cost > 0 ? a->cost : 0;
    metrics_series(ms, G_TENANTS, LABELS(t->doc.tenant))->value[ALL] += u->input + u->output;
}

static void add_attempt(struct metrics *ms, const struct task *t, const struct attempt *a)
{
    struct series *s = metrics_series(
        ms, G_ATTEMPTS, LABELS(a->backend, a->model, a->error ? a->error_type : "success"));
    s->value[ALL]++;
    s->value[UNPRICED] += a->cost < 0;
    if (a->number > 1)
        metrics_series(ms, G_BACKENDS, LABELS(a->backend))->value[ALL]++;
    add_call(ms, a);
    add_use(ms, t, a);
}

/* How long it waited for its first call; -1: that was not here, or there was none. */
static int64_t queue_us(const struct task *t, int64_t begun)
{
    return t->journey.attempts == 0 && t->attempt_count ? t->attempts[0].started_us - begun : -1;
}

static void add_times(struct metrics *ms, struct recent *lately, const struct task *t, double now)
{
    const bool good = task_status_is_success(t->status);
    const int64_t begun = task_begun_us(t), queue = queue_us(t, begun);
    struct series *s = metrics_series(ms, G_TIMES, LABELS(lane_names[t->lane], outcome(good)));
    histogram_add(&s->histograms[TASK_TIME], buckets_task, (double)(units_now_us() - begun) / 1e6);
    if (queue >= 0)
        histogram_add(&s->histograms[QUEUE_TIME], buckets_task, (double)queue / 1e6);
    recent_task(lately, t->lane, queue, !good, now);
}

static void add_saved(struct metrics *ms, const char *kind, int64_t pico)
{
    if (pico > 0)
        metrics_series(ms, G_SAVED, LABELS(kind))->value[ALL] += pico;
}

/* How the answer came about, and what it is worth. */
static void add_answer(struct metrics *ms, const struct task *t)
{
    if (t->sharing && t->sharing->source != SOURCE_CALL) {
        const char *source = answer_source_names[t->sharing->source];
        metrics_series(ms, G_SHARED, LABELS(source))->value[ALL]++;
        if (t->sharing->borrowed)
            add_saved(ms, source, t->sharing->borrowed->cost);
    }
    if (t->saved && t->saved->priced) {
        add_saved(ms, "routed", t->saved->routed);
        add_saved(ms, "packed", t->saved->packed);
        add_saved(ms, "compressed", t->saved->compressed);
    }
    if (t->measured)
        metrics_series(ms, G_COMPLETIONS,
                       LABELS(t->route ? task_upstream_model(t) : "",
                              completion_names[t->measured->completion]))
            ->value[ALL]++;
}

static void add_outcome(struct metrics *ms, struct recent *lately, const struct task *t, double now)
{
    const bool letter = !task_status_is_success(t->status);
    metrics_series(
        ms, G_RESULTS,
        LABELS(task_status_names[t->status], lane_names[t->lane], t->route ? t->route->name : ""))
        ->value[ALL]++;
    if (letter)
        metrics_series(ms, G_LETTERS, LABELS(t->error.code))->value[ALL]++;
    if (!t->readable)
        return;
    add_times(ms, lately, t, now);
    for (size_t i = 0; t->guarded && i < t->guarded->event_count; i++) {
        const struct guard_event *e = &t->guarded->events[i];
        metrics_series(ms, G_GUARDS, LABELS(e->guard, e->action, e->direction))->value[ALL]++;
    }
    if (!letter)
        add_answer(ms, t);
}

void metrics_settled(struct metrics *ms, struct recent *lately, struct task *t, double now)
{
    for (size_t i = 0; i < t->attempt_count; i++) {
        struct attempt *a = &t->attempts[i];
        if (a->counted)
            continue;
        a->counted = true;
        add_attempt(ms, t, a);
        recent_call(lately, t->lane, a->duration_ms * 1000, a->error != NULL, now);
    }
    if (task_status_is_final(t->status))
        add_outcome(ms, lately, t, now);
    else if (t->status == STATUS_PARKED && t->publication_id)
        metrics_series(ms, G_PARKED, LABELS(retry_tier_names[t->tier], t->error.code))
            ->value[ALL]++;
}
