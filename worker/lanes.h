/* Tasks that wait for their turn, by lane and gate; among the tenants of these, see flows.h. Pure.
 *
 * The lanes share by weight (smooth weighted round robin): with weights 16:4:1 and all waiting,
 * 16 of 21 calls go to `high`. A lane with nothing to do gives its share to the others. Inside a
 * lane the gates take turns, so that a full or slow one does not hold up the rest. */
#ifndef QUERN_LANES_H
#define QUERN_LANES_H
#include "flows.h"
#include "gates.h"

struct lanes {
    int64_t weight[LANE_COUNT], credit[LANE_COUNT];
    size_t gates;
    struct flow *ring[LANE_COUNT][GATES_MAX];
    struct tenant everyone;    /* of tasks without a tenant */
    size_t turn[LANE_COUNT];   /* the gate to be asked first */
    size_t of_gate[GATES_MAX]; /* tasks before it */
    size_t count;
};

/* May a call from this lane to this gate start now? */
typedef bool lanes_may_call(void *arg, int lane, size_t gate);

void lanes_init(struct lanes *l, const int64_t weight[LANE_COUNT], size_t gates);
/* No task may be left. */
void lanes_free(struct lanes *l);
/* `first`: before the others of its tenant there (a retry). */
void lanes_push(struct lanes *l, struct task *t, size_t gate, bool first);
void lanes_remove(struct lanes *l, struct task *t, size_t gate);
/* Those that wait before a gate, in any order: how many; the caller frees the array. */
size_t lanes_list(const struct lanes *l, size_t gate, struct task ***out);
/* Takes the next task whose gate may be called, or NULL. */
struct task *lanes_pop(struct lanes *l, lanes_may_call *may, void *arg);
#endif
