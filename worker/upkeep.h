/* What a worker does for all, now and then: tells PostgreSQL that it is there and how it goes, asks
 * for the backlog, marks jobs that are done, rolls costs up. On a connection of its own: nothing of
 * it holds up the work, and nothing depends on it. */
#ifndef QUERN_UPKEEP_H
#define QUERN_UPKEEP_H
#include <ev.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/limits.h"

struct upkeep_events {
    /* Appends how the worker is, as a JSON object: a row of `workers`. */
    void (*describe)(void *arg, struct buf *out);
};

struct upkeep;
struct upkeep *upkeep_new(struct ev_loop *loop, const struct config *c,
                          const struct upkeep_events *events, void *arg);
void upkeep_free(struct upkeep *u);

enum { UPKEEP_BUDGETS_MAX = 500 };
struct upkeep_budget {
    char name[LIMIT_NAME_MAX + 1];
    double used; /* share of it that its fullest subject has spent in this period */
};

/* By PostgreSQL's last answers. */
struct upkeep_news {
    bool known; /* there was one */
    int64_t backlog[LANE_COUNT], parked[LANE_COUNT];
    double answered; /* when, by the loop's clock */
    struct upkeep_budget *budgets;
    size_t budget_count;
};
const struct upkeep_news *upkeep_news(const struct upkeep *u);
#endif
