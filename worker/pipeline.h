/* The way of a task through the worker: the stages and their order. pipeline.c has the picture. */
#ifndef QUERN_PIPELINE_H
#define QUERN_PIPELINE_H
#include "call.h"
#include "common/kafka.h"
#include "lanes.h"
#include "limiter.h"
#include "retry.h"
#include "router.h"
#include "sink.h"
#include "source.h"

/* Tasks count against the bounds of their lane, or, from a retry topic, of the retries. */
enum { POOL_RETRY = KAFKA_RETRIES, POOL_COUNT = KAFKA_GROUPS };

struct pipeline;
struct meter;
struct meters;

struct pipeline *pipeline_new(struct ev_loop *loop, const struct config *c, struct caller *caller,
                              struct router *router, const struct price_table *prices,
                              const struct sink_ops *sink, void *sink_arg,
                              const struct source_ops *source, void *source_arg);
/* No task may be left in it. */
void pipeline_free(struct pipeline *p);

bool pipeline_has_room(const struct pipeline *p, int pool);
/* Is a task of this tenant (may be "") welcome before those that came earlier? As long as few of it
 * wait here for their calls; `low`: half as few. */
bool pipeline_wants(const struct pipeline *p, int pool, const char *tenant, bool low);
/* Takes a record; it is copied, and so is its journey (NULL: a fresh one). */
void pipeline_receive(struct pipeline *p, struct partition *from, int64_t offset,
                      const void *record, size_t len, const struct journey *journey);

/* The source vouches that the tasks of a pool (a lane, or the retry topics) are ours until then, by
 * the loop's clock; later no call is begun. Without a word of it, they always are. */
void pipeline_own(struct pipeline *p, int pool, double until);
/* Memory is short: little more is taken; what is here goes on, and frees it. */
void pipeline_save_memory(struct pipeline *p, bool save);

/* Drops what is not started from a partition that is going away; calls in flight go on. */
void pipeline_revoke(struct pipeline *p, struct partition *from);
/* Ends the calls in flight of a partition: their results would be nobody's. */
void pipeline_abort(struct pipeline *p, struct partition *from);
/* If the partition's oldest open task is older than worker.head_timeout and finished ones wait
 * behind it, it moves to a retry topic. */
void pipeline_unstick(struct pipeline *p, struct partition *from);
/* A job is cancelled up to a generation. Its tasks end as cancelled, those in flight too unless
 * `lets_finish`. May be told any number of times. */
void pipeline_cancel(struct pipeline *p, const struct uuid *job, int64_t generation,
                     bool lets_finish);

/* For the sink: what it told. */
extern const struct sink_events pipeline_sink_events;

/* The copy of the day's volume that rules look at: to be kept fresh. Lives as long as the pipeline.
 */
struct volumes *pipeline_volumes(struct pipeline *p);

struct guards;
/* What is checked in tasks, and the key that records are sealed with (guards/seal.h); before any
 * comes. Borrowed. NULL: nothing is. */
void pipeline_set_guards(struct pipeline *p, struct guards *guards, const unsigned char *key);

/* What of the limits this worker may use: quota.h keeps it fresh, and tells what has changed. No
 * call begins before pipeline_limits_known(), once it was asked for. */
struct meters *pipeline_meters(struct pipeline *p);
bool pipeline_has_limits(const struct pipeline *p);
void pipeline_limits_known(struct pipeline *p);
void pipeline_meter_answered(struct pipeline *p, struct meter *m);

/* Appends what the pipeline counts and measures, in Prometheus' text format. */
void pipeline_write_metrics(struct pipeline *p, struct buf *out);
/* Appends how it went lately, as a JSON object; see recent.h. */
void pipeline_write_recent(struct pipeline *p, struct buf *out);
/* A budget has warned. */
void pipeline_count_warning(struct pipeline *p, const char *limit, int64_t percent);
/* Duplicates that were found before their call. */
int64_t pipeline_duplicates(const struct pipeline *p);

struct pipeline_counts {
    size_t in_state[TASK_STATES];
    int64_t finished, parked;
};
void pipeline_count(const struct pipeline *p, struct pipeline_counts *out);
#endif
