/* Tasks that wait for their turn: a queue for each lane and backend. Pure.
 *
 * The lanes share by weight (smooth weighted round robin): with weights 16:4:1 and all waiting,
 * 16 of 21 calls go to `high`. A lane with nothing to do gives its share to the others. Inside a
 * lane the backends take turns, so that a full or slow one does not hold up the rest. */
#ifndef QUERN_LANES_H
#define QUERN_LANES_H
#include "task.h"

struct lanes {
    int64_t weight[LANE_COUNT], credit[LANE_COUNT];
    size_t backends;
    struct task *queue[LANE_COUNT][CONFIG_BACKENDS_MAX];
    size_t turn[LANE_COUNT];                /* the backend to be asked first */
    size_t of_backend[CONFIG_BACKENDS_MAX]; /* tasks in its queues */
    size_t count;
};

/* May a call from this lane to this backend start now? */
typedef bool lanes_may_call(void *arg, int lane, size_t backend);

void lanes_init(struct lanes *l, const int64_t weight[LANE_COUNT], size_t backends);
/* `first`: before the others of its queue (a retry). */
void lanes_push(struct lanes *l, struct task *t, size_t backend, bool first);
void lanes_remove(struct lanes *l, struct task *t, size_t backend);
/* Takes the next task whose backend may be called, or NULL. */
struct task *lanes_pop(struct lanes *l, lanes_may_call *may, void *arg);
#endif
