/* How a worker is: for Prometheus, for Kubernetes' probes, for `quern queue`, and in the log. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "worker.h"

/* PostgreSQL answers every few seconds, or it is away. */
#define DATABASE_SILENCE 15.0

int64_t worker_resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        (void)fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static const char *pool_name(int pool)
{
    return pool == POOL_RETRY ? "retry" : lane_names[pool];
}

static void all_stats(const struct worker *w, struct intake_stats out[POOL_COUNT])
{
    for (int pool = 0; pool < POOL_COUNT; pool++)
        intake_stats(w->intakes[pool], &out[pool]);
}

/* ---- the log -------------------------------------------------------------------------------- */

/* Of the lanes: what waits in a retry topic is meant to. */
static int64_t head_age_s(const struct worker *w)
{
    struct intake_stats s[POOL_COUNT];
    int64_t oldest = 0;
    all_stats(w, s);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        oldest = s[lane].head_age_us > oldest ? s[lane].head_age_us : oldest;
    return oldest / 1000000;
}

void worker_log(struct worker *w)
{
    struct pipeline_counts n;
    pipeline_count(w->pipeline, &n);
    if (n.finished != w->reported || n.in_state[TASK_CALLING])
        log_info("tasks", LOG_N("finished", n.finished), LOG_N("ready", n.in_state[TASK_READY]),
                 LOG_N("calling", n.in_state[TASK_CALLING]),
                 LOG_N("waiting", n.in_state[TASK_WAITING]),
                 LOG_N("settling", n.in_state[TASK_SETTLING]), LOG_N("parked", n.parked),
                 LOG_N("head_age_s", head_age_s(w)));
    w->reported = n.finished;
}

/* ---- metrics -------------------------------------------------------------------------------- */

static void write_process(const struct worker *w, struct buf *out)
{
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) != 0)
        memset(&use, 0, sizeof use);
    expose(out, M_BUILD_INFO);
    expose_value(out, M_BUILD_INFO, 1, LABELS(QUERN_VERSION));
    expose_one(out, M_START_TIME, (double)w->started_us / 1e6);
    expose_one(out, M_CPU,
               (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                   (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    expose_one(out, M_MEMORY, (double)worker_resident());
    expose_one(out, M_MEMORY_LIMIT, (double)w->config->worker.memory_limit);
}

/* What PostgreSQL has told lately; NULL: nothing, which is not 0. */
static const struct upkeep_news *news_of(const struct worker *w)
{
    const struct upkeep_news *news = upkeep_news(w->upkeep);
    return news->known && ev_now(w->loop) - news->answered <= DATABASE_SILENCE ? news : NULL;
}

static void write_backlog(const struct worker *w, struct buf *out)
{
    const struct upkeep_news *news = news_of(w);
    expose(out, M_BACKLOG);
    for (int lane = 0; lane < LANE_COUNT && news; lane++)
        expose_value(out, M_BACKLOG, (double)news->backlog[lane], LABELS(lane_names[lane]));
    expose(out, M_PARKED_TASKS);
    for (int lane = 0; lane < LANE_COUNT && news; lane++)
        expose_value(out, M_PARKED_TASKS, (double)news->parked[lane], LABELS(lane_names[lane]));
}

static void write_budgets(const struct worker *w, struct buf *out)
{
    const struct upkeep_news *news = news_of(w);
    expose(out, M_BUDGET_USED);
    for (size_t i = 0; news && i < news->budget_count; i++)
        expose_value(out, M_BUDGET_USED, news->budgets[i].used, LABELS(news->budgets[i].name));
}

static double of_intake(enum metric m, const struct intake_stats *s)
{
    switch (m) {
    case M_QUEUE_DEPTH:
        return (double)s->waiting;
    case M_QUEUE_AGE:
        return (double)s->task_age_us / 1e6;
    case M_PARTITIONS:
        return s->partitions;
    case M_REBALANCES:
        return (double)s->rebalances;
    case M_WINDOW_OPEN:
        return (double)s->open;
    case M_WINDOW_FILL:
        return s->fill;
    default:
        return (double)s->head_age_us / 1e6;
    }
}

static void write_intakes(const struct worker *w, struct buf *out)
{
    struct intake_stats s[POOL_COUNT];
    all_stats(w, s);
    for (int m = M_QUEUE_DEPTH; m <= M_WINDOW_HEAD_AGE; m++) {
        expose(out, (enum metric)m);
        for (int pool = 0; pool < POOL_COUNT; pool++)
            expose_value(out, (enum metric)m, of_intake((enum metric)m, &s[pool]),
                         LABELS(pool_name(pool)));
    }
}

/* A metric with one label that has two values. */
static void write_two(struct buf *out, enum metric m, const char *a, int64_t as, const char *b,
                      int64_t bs)
{
    expose(out, m);
    expose_value(out, m, (double)as, LABELS(a));
    expose_value(out, m, (double)bs, LABELS(b));
}

static void write_settle(const struct worker *w, struct buf *out)
{
    struct settle_stats s;
    settle_stats(w->settle, &s);
    write_two(out, M_DUPLICATES, "lookup", pipeline_duplicates(w->pipeline), "settle",
              s.duplicates);
    expose_histogram(out, M_SETTLE_ROWS, &s.rows);
    expose_histogram(out, M_SETTLE_SECONDS, &s.seconds);
    expose_one(out, M_SETTLE_WAITING, (double)s.waiting);
    expose_one(out, M_SETTLE_FAILURES, (double)s.failures);
}

static void write_sent(const struct worker *w, struct buf *out)
{
    int64_t sent, other;
    trace_counts(w->trace, &sent, &other);
    write_two(out, M_SPANS, "sent", sent, "dropped", other);
    outbound_submitted(w->outbound, &sent, &other);
    write_two(out, M_JUDGED, "sent", sent, "lost", other);
}

static unsigned write_metrics(const struct worker *w, struct buf *out)
{
    write_process(w, out);
    write_backlog(w, out);
    write_intakes(w, out);
    pipeline_write_metrics(w->pipeline, out);
    write_settle(w, out);
    write_budgets(w, out);
    write_sent(w, out);
    return 200;
}

/* ---- probes --------------------------------------------------------------------------------- */

/* It answers from inside the loop: who gets an answer knows that the loop turns. */
static unsigned write_health(struct buf *out)
{
    buf_str(out, "alive\n");
    return 200;
}

static unsigned write_ready(const struct worker *w, struct buf *out)
{
    struct intake_stats s[POOL_COUNT];
    all_stats(w, s);
    if (w->stopping)
        buf_str(out, "not ready: stopping\n");
    for (int pool = 0; pool < POOL_COUNT && !w->stopping; pool++)
        if (!s[pool].ready)
            buf_printf(out, "not ready: Kafka has not answered for %s\n", pool_name(pool));
    if (!news_of(w))
        buf_str(out, "not ready: PostgreSQL does not answer\n");
    if (out->len)
        return 503;
    buf_str(out, "ready\n");
    return 200;
}

unsigned worker_page(void *arg, const char *path, struct buf *body)
{
    const struct worker *w = arg;
    if (strcmp(path, "/metrics") == 0)
        return write_metrics(w, body);
    if (strcmp(path, "/healthz") == 0)
        return write_health(body);
    if (strcmp(path, "/readyz") == 0)
        return write_ready(w, body);
    return 0;
}

/* ---- quern queue ---------------------------------------------------------------------------- */

static void describe(void *arg, struct buf *out)
{
    const struct worker *w = arg;
    struct intake_stats s[POOL_COUNT];
    struct pipeline_counts n;
    all_stats(w, s);
    pipeline_count(w->pipeline, &n);
    buf_printf(out,
               "{\"calling\":%zu,\"concurrency\":%" PRId64 ",\"finished\":%" PRId64
               ",\"resident\":%" PRId64 ",\"stopping\":%s,\"queues\":{",
               n.in_state[TASK_CALLING], w->config->worker.concurrency, n.finished,
               worker_resident(), w->stopping ? "true" : "false");
    for (int pool = 0; pool < POOL_COUNT; pool++)
        buf_printf(out, "%s\"%s\":{\"waiting\":%" PRId64 ",\"open\":%zu,\"oldest_s\":%.3f}",
                   pool ? "," : "", pool_name(pool), s[pool].waiting, s[pool].open,
                   (double)s[pool].task_age_us / 1e6);
    buf_str(out, "},\"recent\":");
    pipeline_write_recent(w->pipeline, out);
    buf_char(out, '}');
}

const struct upkeep_events worker_upkeep_events = {describe};
