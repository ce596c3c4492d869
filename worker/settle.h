/* Writes outcomes to PostgreSQL: many in one transaction, one transaction at a time. What waits for
 * it is bounded by the window that the tasks came through, and is kept while PostgreSQL is away. */
#ifndef QUERN_SETTLE_H
#define QUERN_SETTLE_H
#include "metrics.h"
#include "sink.h"

struct settle;
struct settle *settle_new(struct ev_loop *loop, const struct config *c,
                          const struct sink_events *events, void *arg);
void settle_free(struct settle *s);
/* A task with its final status, to be parked, or (STATUS_NONE) with attempts to be booked only. */
void settle_add(struct settle *s, struct task *t);
/* Kafka has this dead letter or parked copy: noted in a later transaction. */
void settle_published(struct settle *s, int64_t publication_id);

/* What it has done since it was made. */
struct settle_stats {
    struct histogram rows, seconds; /* a transaction */
    int64_t failures, duplicates;   /* duplicates: outcomes that were there already */
    size_t waiting;
};
void settle_stats(const struct settle *s, struct settle_stats *out);
#endif
