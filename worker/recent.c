#include "recent.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void recent_init(struct recent *r, double now)
{
    *r = (struct recent){.since = now, .before = now};
}

/* The period that is over becomes the last one; one that is long over is forgotten. */
static void turn(struct recent *r, double now)
{
    if (now - r->since < RECENT_PERIOD)
        return;
    const bool stale = now - r->since >= 2 * RECENT_PERIOD;
    if (stale)
        memset(r->last, 0, sizeof r->last);
    else
        memcpy(r->last, r->now, sizeof r->last);
    memset(r->now, 0, sizeof r->now);
    r->before = stale ? now - RECENT_PERIOD : r->since;
    r->since = now;
}

static void add(int64_t counts[RECENT_BUCKETS], int64_t us)
{
    const double ms = (double)us / 1000.0;
    const double n = ms > 1 ? floor(4 * log2(ms)) : 0;
    counts[n < RECENT_BUCKETS ? (size_t)n : RECENT_BUCKETS - 1]++;
}

void recent_call(struct recent *r, int lane, int64_t us, bool failed, double now)
{
    turn(r, now);
    r->now[lane].calls++;
    r->now[lane].failed_calls += failed;
    add(r->now[lane].call, us);
}

void recent_task(struct recent *r, int lane, int64_t queue_us, bool failed, double now)
{
    turn(r, now);
    r->now[lane].done++;
    r->now[lane].failed += failed;
    if (queue_us >= 0)
        add(r->now[lane].queue, queue_us);
}

static void write_counts(const char *name, const int64_t a[RECENT_BUCKETS],
                         const int64_t b[RECENT_BUCKETS], struct buf *out)
{
    int last = RECENT_BUCKETS;
    while (last > 0 && a[last - 1] + b[last - 1] == 0)
        last--;
    buf_printf(out, ",\"%s\":[", name);
    for (int i = 0; i < last; i++)
        buf_printf(out, "%s%" PRId64, i ? "," : "", a[i] + b[i]);
    buf_char(out, ']');
}

void recent_write(struct recent *r, double now, struct buf *out)
{
    const char *comma = "";
    turn(r, now);
    buf_printf(out, "{\"seconds\":%.1f,\"lanes\":{", now - r->before);
    for (int i = 0; i < LANE_COUNT; i++) {
        const struct recent_lane *a = &r->now[i], *b = &r->last[i];
        if (a->calls + b->calls + a->done + b->done == 0)
            continue;
        buf_printf(out,
                   "%s\"%s\":{\"done\":%" PRId64 ",\"failed\":%" PRId64 ",\"calls\":%" PRId64
                   ",\"failed_calls\":%" PRId64,
                   comma, lane_names[i], a->done + b->done, a->failed + b->failed,
                   a->calls + b->calls, a->failed_calls + b->failed_calls);
        write_counts("queue", a->queue, b->queue, out);
        write_counts("call", a->call, b->call, out);
        buf_char(out, '}');
        comma = ",";
    }
    buf_str(out, "}}");
}
