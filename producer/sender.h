/* Single records to Kafka, acknowledged: for what is sent again (replays, parked tasks). Blocking.
 */
#ifndef QUERN_SENDER_H
#define QUERN_SENDER_H
#include "common/buf.h"
#include "common/config.h"
#include "common/journey.h"
#include "common/uuid.h"

struct sender;

/* NULL: `err` names the property that is wrong. */
struct sender *sender_new(const struct config *c, struct error *err);
void sender_free(struct sender *s);
/* Queues a task's record for its lane; `journey` (NULL: a fresh one) becomes its headers. Copied.
 */
MUST_CHECK quern_status sender_send(struct sender *s, int lane, const char *job_id,
                                    const char *custom_id, const void *record, size_t len,
                                    const struct journey *journey, struct error *err);
/* Waits until Kafka has acknowledged all of them. Code "unreachable": it did not, in time; some may
 * have arrived. */
MUST_CHECK quern_status sender_wait(struct sender *s, struct error *err);
#endif
