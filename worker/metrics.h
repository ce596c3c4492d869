/* What is counted and measured, in Prometheus' text format (version 0.0.4). Every metric is a row
 * of metric_defs; docs/metrics.md is made from them. Counters and histograms are kept here, in
 * series found by their labels; gauges are asked of the parts when somebody reads. Pure; one
 * thread. */
#ifndef QUERN_METRICS_H
#define QUERN_METRICS_H
#include <stdio.h>
#include <uthash.h>

#include "common/buf.h"

enum metric {
    M_BUILD_INFO,
    M_START_TIME,
    M_CPU,
    M_MEMORY,
    M_MEMORY_LIMIT,
    M_BACKLOG,
    M_PARKED_TASKS,
    M_QUEUE_DEPTH,
    M_QUEUE_AGE,
    M_PARTITIONS,
    M_REBALANCES,
    M_WINDOW_OPEN,
    M_WINDOW_FILL,
    M_WINDOW_HEAD_AGE,
    M_TASKS,
    M_CONCURRENCY,
    M_IN_FLIGHT,
    M_LIMIT,
    M_BREAKER_OPEN,
    M_RATE_LIMITED,
    M_ATTEMPTS,
    M_UNPRICED,
    M_RETRIES,
    M_CALL_SECONDS,
    M_FIRST_TOKEN,
    M_TOKEN_RATE,
    M_RESULTS,
    M_TASK_SECONDS,
    M_QUEUE_SECONDS,
    M_TOKENS,
    M_COST,
    M_TENANT_TOKENS,
    M_ANSWERS_SHARED,
    M_SAVED,
    M_PARKED,
    M_DEAD_LETTERS,
    M_DUPLICATES,
    M_ESTIMATE_ERROR,
    M_BUDGET_USED,
    M_BUDGET_WARNINGS,
    M_GUARDS,
    M_COMPLETIONS,
    M_JUDGED,
    M_SETTLE_ROWS,
    M_SETTLE_SECONDS,
    M_SETTLE_WAITING,
    M_SETTLE_FAILURES,
    M_SPANS,
    METRICS
};

/* Series that share their labels. */
enum metric_group {
    G_NONE, /* a gauge, or what a part keeps itself */
    G_ATTEMPTS,
    G_BACKENDS,
    G_CALLS,
    G_RESULTS,
    G_TIMES,
    G_USE,
    G_TENANTS,
    G_SHARED,
    G_SAVED,
    G_PARKED,
    G_LETTERS,
    G_BUDGETS,
    G_GUARDS,
    G_COMPLETIONS,
    METRIC_GROUPS
};

enum metric_type { COUNTER, GAUGE, HISTOGRAM };
enum { METRIC_LABELS_MAX = 3, METRIC_VALUES_MAX = 5, METRIC_HISTOGRAMS_MAX = 3 };
/* Series of a group; further ones count together, their texts from tasks all "other". */
enum { SERIES_MAX = 500 };

enum { BUCKETS_MAX = 18 };
/* Upper bounds, which end with 0. */
typedef double buckets[BUCKETS_MAX + 1];
extern const buckets buckets_call, buckets_task, buckets_rate, buckets_rows, buckets_settle;

struct histogram {
    uint64_t count[BUCKETS_MAX + 1]; /* not cumulative; the last: above all bounds */
    double sum;
};
void histogram_add(struct histogram *h, const buckets bounds, double value);

struct metric_def {
    const char *name;
    enum metric_type type;
    const char *labels; /* "backend,model"; "": none. What is in brackets comes from tasks */
    const char *help;
    enum metric_group group;
    int slot;                 /* of the group's values, or histograms */
    const char *const *kinds; /* not NULL: values from `slot` on, told apart by a label more */
    bool pico;                /* the value counts 10^-12 */
    const double *bounds;     /* of a histogram */
};
extern const struct metric_def metric_defs[METRICS];

struct series {
    UT_hash_handle hh;
    char *key;    /* values of the labels, each ended by NUL */
    char *labels; /* as they are written */
    int64_t value[METRIC_VALUES_MAX];
    struct histogram *histograms; /* NULL: the group has none */
};

struct metrics {
    struct series *groups[METRIC_GROUPS];
    struct series *last[METRIC_GROUPS]; /* that was found last: mostly the next one too */
};

void metrics_init(struct metrics *ms);
void metrics_free(struct metrics *ms);
/* The series of these labels, made if it is not there; a missing text is "". */
struct series *metrics_series(struct metrics *ms, enum metric_group g,
                              const char *const values[METRIC_LABELS_MAX]);
/* Appends all that is kept for a metric. */
void metrics_write(const struct metrics *ms, enum metric m, struct buf *out);

/* Appends HELP and TYPE; values follow. */
void expose(struct buf *out, enum metric m);
/* A value with these labels, in the order of the definition; NULL ends them early. */
void expose_value(struct buf *out, enum metric m, double value,
                  const char *const values[METRIC_LABELS_MAX]);
/* A metric with one value and no labels. */
void expose_one(struct buf *out, enum metric m, double value);
/* A metric with one histogram and no labels. */
void expose_histogram(struct buf *out, enum metric m, const struct histogram *h);

#define LABELS(...)                                                                                \
    (const char *const[METRIC_LABELS_MAX])                                                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* The table of all metrics, as Markdown. */
void metrics_reference(FILE *out);

struct task;
struct recent;
/* What a task's attempts and outcome, which are committed, add. */
void metrics_settled(struct metrics *ms, struct recent *lately, struct task *t, double now);
#endif
