/* Is there a result already? Asked of PostgreSQL for many tasks in one round trip, before a call is
 * made: redelivered, resubmitted and cancelled tasks are not paid for. Opens jobs that are unknown.
 */
#ifndef QUERN_LOOKUP_H
#define QUERN_LOOKUP_H
#include "sink.h"

struct lookup;
struct lookup *lookup_new(struct ev_loop *loop, const struct config *c,
                          const struct sink_events *events, void *arg);
void lookup_free(struct lookup *l);
void lookup_add(struct lookup *l, struct task *t);
void lookup_cancel(struct lookup *l, struct task *t);
#endif
