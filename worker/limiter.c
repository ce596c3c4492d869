#include "limiter.h"

void limiter_init(struct limiter *l, const struct config *c)
{
    const struct config_backend *b = c->backends.items;
    *l = (struct limiter){.max = c->worker.concurrency};
    for (size_t i = 0; i < c->backends.count; i++) {
        l->backend_max[i] = b[i].concurrency.max;
        for (int lane = 0; lane < LANE_COUNT; lane++)
            aimd_init(&l->adaptive[i][lane], b[i].concurrency.min, b[i].concurrency.max,
                      b[i].concurrency.start);
    }
}

bool limiter_full(const struct limiter *l)
{
    return l->in_flight >= l->max;
}

bool limiter_may_call(const struct limiter *l, size_t backend, int lane)
{
    return !limiter_full(l) && l->backend_in_flight[backend] < l->backend_max[backend] &&
           aimd_has_room(&l->adaptive[backend][lane]);
}

void limiter_begin(struct limiter *l, size_t backend, int lane)
{
    l->in_flight++;
    l->backend_in_flight[backend]++;
    l->adaptive[backend][lane].in_flight++;
}

void limiter_end(struct limiter *l, size_t backend, int lane)
{
    l->in_flight--;
    l->backend_in_flight[backend]--;
    l->adaptive[backend][lane].in_flight--;
}
