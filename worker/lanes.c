#include "lanes.h"

#include <utlist.h>

void lanes_init(struct lanes *l, const int64_t weight[LANE_COUNT], size_t backends)
{
    *l = (struct lanes){.backends = backends};
    for (int i = 0; i < LANE_COUNT; i++)
        l->weight[i] = weight[i];
}

void lanes_push(struct lanes *l, struct task *t, size_t backend, bool first)
{
    if (first)
        DL_PREPEND(l->queue[t->lane][backend], t);
    else
        DL_APPEND(l->queue[t->lane][backend], t);
    l->of_backend[backend]++;
    l->count++;
}

void lanes_remove(struct lanes *l, struct task *t, size_t backend)
{
    DL_DELETE(l->queue[t->lane][backend], t);
    l->of_backend[backend]--;
    l->count--;
}

/* The backend of this lane whose turn it is, or l->backends if none has a task and room. */
static size_t next_backend(const struct lanes *l, int lane, lanes_may_call *may, void *arg)
{
    for (size_t i = 0; i < l->backends; i++) {
        size_t b = (l->turn[lane] + i) % l->backends;
        if (l->queue[lane][b] && may(arg, lane, b))
            return b;
    }
    return l->backends;
}

struct task *lanes_pop(struct lanes *l, lanes_may_call *may, void *arg)
{
    size_t backend[LANE_COUNT];
    int64_t total = 0;
    int best = -1;
    if (l->count == 0)
        return NULL;
    for (int i = 0; i < LANE_COUNT; i++) {
        backend[i] = next_backend(l, i, may, arg);
        if (backend[i] == l->backends)
            continue;
        total += l->weight[i];
        l->credit[i] += l->weight[i];
        if (best < 0 || l->credit[i] > l->credit[best])
            best = i;
    }
    if (best < 0)
        return NULL;
    l->credit[best] -= total;
    struct task *t = l->queue[best][backend[best]];
    l->turn[best] = (backend[best] + 1) % l->backends;
    lanes_remove(l, t, backend[best]);
    return t;
}
