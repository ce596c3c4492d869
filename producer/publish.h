/* The second reading of an input: each task becomes a Kafka record. */
#ifndef QUERN_PUBLISH_H
#define QUERN_PUBLISH_H
#include "job_store.h"

/* Called about ten times a second; `sent` counts what Kafka acknowledged, earlier runs included. */
typedef void publish_progress(void *arg, int64_t sent, int64_t total);

/* Sends the tasks that Kafka has not acknowledged yet, and closes the job. If it is interrupted or
 * fails, how far it came is in the job, and the same call goes on from there. Code "unreachable":
 * Kafka did not take the records in time. */
MUST_CHECK quern_status publish(const struct config *c, PGconn *db, struct input *in,
                                const struct submission *s, const struct job *job,
                                publish_progress *progress, void *arg, struct error *err);
#endif
