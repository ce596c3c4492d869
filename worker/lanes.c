#include "lanes.h"

#include <utlist.h>

void lanes_init(struct lanes *l, const int64_t weight[LANE_COUNT], size_t gates)
{
    *l = (struct lanes){.gates = gates};
    for (int i = 0; i < LANE_COUNT; i++)
        l->weight[i] = weight[i];
}

void lanes_push(struct lanes *l, struct task *t, size_t gate, bool first)
{
    if (first)
        DL_PREPEND(l->queue[t->lane][gate], t);
    else
        DL_APPEND(l->queue[t->lane][gate], t);
    l->of_gate[gate]++;
    l->count++;
}

void lanes_remove(struct lanes *l, struct task *t, size_t gate)
{
    DL_DELETE(l->queue[t->lane][gate], t);
    l->of_gate[gate]--;
    l->count--;
}

/* The gate of this lane whose turn it is, or l->gates if none has a task and room. */
static size_t next_gate(const struct lanes *l, int lane, lanes_may_call *may, void *arg)
{
    for (size_t i = 0; i < l->gates; i++) {
        size_t b = (l->turn[lane] + i) % l->gates;
        if (l->queue[lane][b] && may(arg, lane, b))
            return b;
    }
    return l->gates;
}

struct task *lanes_pop(struct lanes *l, lanes_may_call *may, void *arg)
{
    size_t gate[LANE_COUNT];
    int64_t total = 0;
    int best = -1;
    if (l->count == 0)
        return NULL;
    for (int i = 0; i < LANE_COUNT; i++) {
        gate[i] = next_gate(l, i, may, arg);
        if (gate[i] == l->gates)
            continue;
        total += l->weight[i];
        l->credit[i] += l->weight[i];
        if (best < 0 || l->credit[i] > l->credit[best])
            best = i;
    }
    if (best < 0)
        return NULL;
    l->credit[best] -= total;
    struct task *t = l->queue[best][gate[best]];
    l->turn[best] = (gate[best] + 1) % l->gates;
    lanes_remove(l, t, gate[best]);
    return t;
}
