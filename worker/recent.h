/* How it went lately: by lane, what ended in the last minute or two, and how long it waited and was
 * called. Each worker tells it to PostgreSQL every few seconds, for `quern queue`. Pure. */
#ifndef QUERN_RECENT_H
#define QUERN_RECENT_H
#include "common/buf.h"
#include "common/config.h"

/* Four buckets to each doubling, from 1 ms to a day and a half; PostgreSQL's recent_quantile()
 * reads them. */
enum { RECENT_BUCKETS = 108 };
#define RECENT_PERIOD 60.0 /* seconds */

struct recent_lane {
    int64_t done, failed, calls, failed_calls;
    int64_t queue[RECENT_BUCKETS], call[RECENT_BUCKETS];
};

struct recent {
    double since, before; /* when this period began, and the one before it */
    struct recent_lane now[LANE_COUNT], last[LANE_COUNT];
};

void recent_init(struct recent *r, double now);
/* A call ended, or a task; `queue_us` below 0: the task was not called, or not first here. */
void recent_call(struct recent *r, int lane, int64_t us, bool failed, double now);
void recent_task(struct recent *r, int lane, int64_t queue_us, bool failed, double now);
/* Appends a JSON object: {"seconds": of what it tells, "lanes": {"high": {"done", "failed",
 * "calls", "failed_calls", "queue": [counts], "call": [counts]}, …}}; lanes without any are left
 * out. */
void recent_write(struct recent *r, double now, struct buf *out);
#endif
