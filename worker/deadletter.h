/* Publishes dead letters to their topic and waits for Kafka's acknowledgement. The letter itself is
 * in PostgreSQL already: what cannot be published now is tried again until it can. */
#ifndef QUERN_DEADLETTER_H
#define QUERN_DEADLETTER_H
#include "sink.h"

struct deadletter;
struct deadletter *deadletter_new(struct ev_loop *loop, const struct config *c,
                                  const struct sink_events *events, void *arg, struct error *err);
void deadletter_free(struct deadletter *d);
void deadletter_add(struct deadletter *d, struct task *t);

/* The document (schemas/dead_letter.schema.json) for a failed task. */
void deadletter_write(const struct task *t, struct buf *out);
#endif
