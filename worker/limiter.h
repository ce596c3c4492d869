/* How many calls may be in flight: in all, to each backend, and, by what the backend bears, from
 * each lane to it. Pure; times in seconds.
 *
 * Calls take seconds, and those that begin together end together: a task of a higher lane would
 * wait for one of a lower lane to end. So for LIMITER_EXPECTS after a lane's last task the lower
 * lanes leave it some places: one more than it had in flight at most in that time, up to an eighth.
 */
#ifndef QUERN_LIMITER_H
#define QUERN_LIMITER_H
#include "aimd.h"
#include "common/config.h"

#define LIMITER_EXPECTS 30.0

/* The calls of one lane. */
struct limiter_lane {
    int64_t in_flight, peak; /* peak: lately */
    double expected_until;
};

struct limiter {
    int64_t max, in_flight;
    struct limiter_lane lane[LANE_COUNT];
    int64_t backend_max[CONFIG_BACKENDS_MAX], backend_in_flight[CONFIG_BACKENDS_MAX];
    struct aimd adaptive[CONFIG_BACKENDS_MAX][LANE_COUNT];
};

void limiter_init(struct limiter *l, const struct config *c);
bool limiter_full(const struct limiter *l);
/* A task of this lane is here. */
void limiter_expect(struct limiter *l, int lane, double now);
bool limiter_may_call(const struct limiter *l, size_t backend, int lane, double now);
void limiter_begin(struct limiter *l, size_t backend, int lane);
void limiter_end(struct limiter *l, size_t backend, int lane);
#endif
