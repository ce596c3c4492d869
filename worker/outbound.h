/* What the worker writes to Kafka: dead letters, and the copies of tasks for the retry topics. Both
 * stand in PostgreSQL already: what cannot be published now is tried again until it can, and a task
 * is told to be published only when Kafka has acknowledged it. */
#ifndef QUERN_OUTBOUND_H
#define QUERN_OUTBOUND_H
#include "sink.h"

struct outbound;
struct outbound *outbound_new(struct ev_loop *loop, const struct config *c,
                              const struct sink_events *events, void *arg, struct error *err);
void outbound_free(struct outbound *o);
/* By the task's status: a copy of its record for a retry topic, or its dead letter. */
void outbound_add(struct outbound *o, struct task *t);
/* A new task for the lane `low`: it is tried for as long as the client library does, and told if it
 * was not taken. Copies both. */
void outbound_submit(struct outbound *o, const struct buf *key, const struct buf *record);
/* How many of those Kafka has, and has not taken. */
void outbound_submitted(const struct outbound *o, int64_t *sent, int64_t *lost);
#endif
