/* The Kafka consumer of a worker: its settings and its topics. */
#ifndef QUERN_CONSUMER_H
#define QUERN_CONSUMER_H
#include <librdkafka/rdkafka.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/error.h"

/* Is a request to join the group on its way? The broker answers what we send after it only when the
 * rebalance is over, and refuses a commit then, for it is of an older generation; in librdkafka
 * before 2.10 the whole assignment is lost with it. So nothing is committed while this is set.
 * Written by librdkafka's threads. */
struct join_watch {
    _Atomic int64_t since_us; /* wall clock; 0: none */
};
/* How long it has been on its way, in ms; -1: there is none. */
int64_t join_watch_ms(const struct join_watch *w);

/* A member of one of the groups (see kafka_group()); cooperative-sticky, commits nothing
 * by itself; rebalances and commits come as events. `join` lives as long as it. NULL: `err` names
 * the property that is wrong. */
rd_kafka_t *consumer_new(const struct config *c, int group, struct join_watch *join,
                         struct error *err);
/* One that joins no group: it reads what rd_kafka_incremental_assign() names, and tells the end of
 * partitions. */
rd_kafka_t *consumer_scout(const struct config *c, int group, struct error *err);
/* Subscribes to the group's topics. */
MUST_CHECK quern_status consumer_subscribe(rd_kafka_t *rk, const struct config *c, int group,
                                           struct error *err);
/* Bytes of a lane's queue, or of that of one retry topic's partition, from which on librdkafka does
 * not fetch. */
size_t consumer_prefetch(const struct config *c, int group);
/* To be called when that many bytes were taken and the queue is empty. librdkafka looks again at a
 * queue that was full when its broker's thread wakes, which may be a second later if no fetch is
 * under way: a small request, whose answer nobody waits for, wakes it. */
void consumer_nudge(rd_kafka_t *rk);
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
