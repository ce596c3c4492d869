/* Kafka: client configuration and topic names, the same for both programs. */
#ifndef QUERN_KAFKA_H
#define QUERN_KAFKA_H
#include <librdkafka/rdkafka.h>

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"

enum { KAFKA_TOPIC_MAX = 250, KAFKA_TOPICS = LANE_COUNT + RETRY_TIERS + 1 };

/* PREFIXtasks.LANE; `out` has KAFKA_TOPIC_MAX bytes. Each returns out. */
char *kafka_lane_topic(const struct config *c, int lane, char *out);
char *kafka_retry_topic(const struct config *c, int tier, char *out);
char *kafka_dead_topic(const struct config *c, char *out);
/* All of them, by index from 0 to KAFKA_TOPICS - 1: the lanes, the retry tiers, the dead letters.
 */
char *kafka_topic(const struct config *c, int index, char *out);
/* The workers' consumer groups: one for each lane, by its number, and KAFKA_RETRIES for the retry
 * topics. Each has its own, for the assignor shares out the sum of a group's partitions: of one
 * lane, a worker might get all. */
enum { KAFKA_RETRIES = LANE_COUNT, KAFKA_GROUPS };
char *kafka_group(const struct config *c, int group, char *out);
/* The topics of that group: indices for kafka_topic() from *first to *end - 1. */
void kafka_group_topics(int group, int *first, int *end);

/* Brokers, security and logging. The caller owns the result until rd_kafka_new takes
 * it. NULL: `err` names the property. */
rd_kafka_conf_t *kafka_conf(const struct config *c, const char *client, struct error *err);
/* One property on top. */
MUST_CHECK quern_status kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                                  struct error *err);
/* kafka.properties, last: the operator's word counts where no promise rests on it. */
MUST_CHECK quern_status kafka_set_properties(rd_kafka_conf_t *conf, const struct config *c,
                                             struct error *err);
/* An idempotent producer (acks=all) with bounded memory. Delivery reports come as events. */
rd_kafka_t *kafka_producer(const struct config *c, const char *client, struct error *err);
#endif
