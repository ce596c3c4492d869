#include "lanes.h"

#include <utlist.h>

#include "common/mem.h"

void lanes_init(struct lanes *l, const int64_t weight[LANE_COUNT], size_t gates)
{
    *l = (struct lanes){.gates = gates};
    for (int i = 0; i < LANE_COUNT; i++)
        l->weight[i] = weight[i];
    tenant_init(&l->everyone, (struct scale){0});
}

void lanes_free(struct lanes *l)
{
    tenant_free(&l->everyone);
}

static struct flow *flow_of(struct lanes *l, const struct task *t, size_t gate)
{
    return tenant_flow(t->tenant ? t->tenant : &l->everyone, t->lane, gate);
}

void lanes_push(struct lanes *l, struct task *t, size_t gate, bool first)
{
    flow_push(&l->ring[t->lane][gate], flow_of(l, t, gate), t, first);
    l->of_gate[gate]++;
    l->count++;
}

void lanes_remove(struct lanes *l, struct task *t, size_t gate)
{
    flow_remove(&l->ring[t->lane][gate], flow_of(l, t, gate), t);
    l->of_gate[gate]--;
    l->count--;
}

size_t lanes_list(const struct lanes *l, size_t gate, struct task ***out)
{
    struct flow *f;
    struct task *t;
    size_t n = 0;
    *out = mem_array(NULL, l->of_gate[gate], sizeof **out);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        CDL_FOREACH (l->ring[lane][gate], f)
            DL_FOREACH (f->tasks, t)
                (*out)[n++] = t;
    return n;
}

/* The gate of this lane whose turn it is, or l->gates if none has a task and room. */
static size_t next_gate(const struct lanes *l, int lane, lanes_may_call *may, void *arg)
{
    for (size_t i = 0; i < l->gates; i++) {
        size_t b = (l->turn[lane] + i) % l->gates;
        if (l->ring[lane][b] && may(arg, lane, b))
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
    l->turn[best] = (gate[best] + 1) % l->gates;
    l->of_gate[gate[best]]--;
    l->count--;
    return flow_pop(&l->ring[best][gate[best]]);
}
