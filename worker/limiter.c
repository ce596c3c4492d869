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

void limiter_expect(struct limiter *l, int lane, double now)
{
    struct limiter_lane *of = &l->lane[lane];
    if (now >= of->expected_until)
        of->peak = of->in_flight;
    of->expected_until = now + LIMITER_EXPECTS;
}

/* Places that lower lanes leave to one that has `busy` of them. */
static int64_t kept(const struct limiter_lane *of, int64_t busy, int64_t max, double now)
{
    enum { PART = 8 };
    if (now >= of->expected_until)
        return 0;
    int64_t want = of->peak + 1 < max / PART ? of->peak + 1 : max / PART;
    return want > busy ? want - busy : 0;
}

bool limiter_may_call(const struct limiter *l, size_t backend, int lane, double now)
{
    int64_t free = l->max - l->in_flight;
    int64_t there = l->backend_max[backend] - l->backend_in_flight[backend];
    for (int higher = 0; higher < lane; higher++) {
        const struct limiter_lane *of = &l->lane[higher];
        free -= kept(of, of->in_flight, l->max, now);
        there -= kept(of, l->adaptive[backend][higher].in_flight, l->backend_max[backend], now);
    }
    return free > 0 && there > 0 && aimd_has_room(&l->adaptive[backend][lane]);
}

void limiter_begin(struct limiter *l, size_t backend, int lane)
{
    struct limiter_lane *of = &l->lane[lane];
    of->in_flight++;
    of->peak = of->in_flight > of->peak ? of->in_flight : of->peak;
    l->in_flight++;
    l->backend_in_flight[backend]++;
    l->adaptive[backend][lane].in_flight++;
}

void limiter_end(struct limiter *l, size_t backend, int lane)
{
    l->lane[lane].in_flight--;
    l->in_flight--;
    l->backend_in_flight[backend]--;
    l->adaptive[backend][lane].in_flight--;
}
