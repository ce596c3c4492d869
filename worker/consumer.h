/* The Kafka consumer of a worker: its settings and its topics. */
#ifndef QUERN_CONSUMER_H
#define QUERN_CONSUMER_H
#include <librdkafka/rdkafka.h>

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"

/* A member of the group, cooperative-sticky, that commits nothing by itself; rebalances and commits
 * come as events. NULL: `err` names the property that is wrong. */
rd_kafka_t *consumer_new(const struct config *c, struct error *err);
/* Subscribes to the lanes and the retry topics. */
MUST_CHECK quern_status consumer_subscribe(rd_kafka_t *rk, const struct config *c,
                                           struct error *err);
/* Stops or resumes the fetching of a partition. The caller knows which are paused: resuming one
 * that is not can rewind it in librdkafka before 2.4. */
void consumer_pause(rd_kafka_t *rk, const char *topic, int32_t partition, bool paused);
/* Sends the records of a partition to a queue of its own, before the partition is taken. */
void consumer_forward(rd_kafka_t *rk, const char *topic, int32_t partition, rd_kafka_queue_t *to);
/* A partition's own queue, which wakes the loop through `fd`; the caller destroys it. */
rd_kafka_queue_t *consumer_queue(rd_kafka_t *rk, const char *topic, int32_t partition, int fd);
/* Lets a queue that is no longer empty write to an eventfd. */
void consumer_wake(rd_kafka_queue_t *queue, int fd);
#endif
