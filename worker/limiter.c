#include "limiter.h"

void limiter_init(struct limiter *l, const struct config *c)
{
    const struct config_backend *b = c->backends.items;
    *l = (struct limiter){.max = c->worker.concurrency};
    for (size_t i = 0; i < c->backends.count; i++)
        l->backend_max[i] = b[i].max_concurrency;
}

bool limiter_full(const struct limiter *l)
{
    return l->in_flight >= l->max;
}

bool limiter_may_call(const struct limiter *l, size_t backend)
{
    return !limiter_full(l) && l->backend_in_flight[backend] < l->backend_max[backend];
}

void limiter_begin(struct limiter *l, size_t backend)
{
    l->in_flight++;
    l->backend_in_flight[backend]++;
}

void limiter_end(struct limiter *l, size_t backend)
{
    l->in_flight--;
    l->backend_in_flight[backend]--;
}
