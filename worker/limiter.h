/* How many calls may be in flight: in all, to each backend, and, by what the backend bears, from
 * each lane to it. Pure. */
#ifndef QUERN_LIMITER_H
#define QUERN_LIMITER_H
#include "aimd.h"
#include "common/config.h"

struct limiter {
    int64_t max, in_flight;
    int64_t backend_max[CONFIG_BACKENDS_MAX], backend_in_flight[CONFIG_BACKENDS_MAX];
    struct aimd adaptive[CONFIG_BACKENDS_MAX][LANE_COUNT];
};

void limiter_init(struct limiter *l, const struct config *c);
bool limiter_full(const struct limiter *l);
bool limiter_may_call(const struct limiter *l, size_t backend, int lane);
void limiter_begin(struct limiter *l, size_t backend, int lane);
void limiter_end(struct limiter *l, size_t backend, int lane);
#endif
