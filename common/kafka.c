#include "common/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

enum { KAFKA_TEXT = 512 };

char *kafka_lane_topic(const struct config *c, int lane, char *out)
{
    (void)snprintf(out, KAFKA_TOPIC_MAX, "%stasks.%s", c->kafka.topic_prefix, lane_names[lane]);
    return out;
}

char *kafka_retry_topic(const struct config *c, int tier, char *out)
{
    (void)snprintf(out, KAFKA_TOPIC_MAX, "%sretry.%s", c->kafka.topic_prefix,
                   retry_tier_names[tier]);
    return out;
}

char *kafka_dead_topic(const struct config *c, char *out)
{
    (void)snprintf(out, KAFKA_TOPIC_MAX, "%sdead", c->kafka.topic_prefix);
    return out;
}

char *kafka_topic(const struct config *c, int index, char *out)
{
    if (index < LANE_COUNT)
        return kafka_lane_topic(c, index, out);
    index -= LANE_COUNT;
    return index < RETRY_TIERS ? kafka_retry_topic(c, index, out) : kafka_dead_topic(c, out);
}

char *kafka_group(const struct config *c, int group, char *out)
{
    const char *name = group == KAFKA_RETRIES ? "retry" : lane_names[group];
    (void)snprintf(out, KAFKA_TOPIC_MAX, "%s.%s", c->kafka.group, name);
    return out;
}

void kafka_group_topics(int group, int *first, int *end)
{
    *first = group;
    *end = group == KAFKA_RETRIES ? LANE_COUNT + RETRY_TIERS : group + 1;
}

/* librdkafka's own threads call this; the log writes each line with one system call. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    enum { SYSLOG_WARNING = 4 };
    /* These come as error events too, or pass by themselves. */
    bool known = strcmp(facility, "FAIL") == 0 || strcmp(facility, "GETPID") == 0;
    log_event(level <= SYSLOG_WARNING && !known ? LOG_WARN : LOG_DEBUG, "kafka client",
              LOG_FIELDS(LOG_S("facility", facility), LOG_S("text", text)));
}

quern_status kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                       struct error *err)
{
    char text[KAFKA_TEXT];
    if (!value || rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return QUERN_OK;
    return error_set(err, ERROR_FATAL, "config", "kafka property %s: %s", name, text);
}

static quern_status set_password(rd_kafka_conf_t *conf, const struct config *c, struct error *err)
{
    char *password;
    if (config_secret(c->kafka.sasl_password_env, c->kafka.sasl_password_file, &password, err) !=
        QUERN_OK)
        return error_prefix(err, "kafka.sasl_password");
    quern_status status = kafka_set(conf, "sasl.password", password, err);
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
    return status;
}

static quern_status set_all(rd_kafka_conf_t *conf, const struct config *c, const char *client,
                            struct error *err)
{
    const char *const plain[][2] = {
        {"bootstrap.servers", c->kafka.brokers},
        {"client.id", client},
        {"security.protocol", c->kafka.security_protocol},
        {"sasl.mechanism", c->kafka.sasl_mechanism},
        {"sasl.username", c->kafka.sasl_username},
        {"ssl.ca.location", c->kafka.ssl_ca_file},
        {"socket.nagle.disable", "true"},
        {"reconnect.backoff.max.ms", "2000"},
        {"topic.metadata.refresh.interval.ms", "30000"},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (kafka_set(conf, plain[i][0], plain[i][1], err) != QUERN_OK)
            return QUERN_FAIL;
    return set_password(conf, c, err);
}

quern_status kafka_set_properties(rd_kafka_conf_t *conf, const struct config *c, struct error *err)
{
    const struct config_pairs *p = &c->kafka.properties;
    for (size_t i = 0; i < p->count; i++)
        if (kafka_set(conf, p->items[i].name, p->items[i].value, err) != QUERN_OK)
            return QUERN_FAIL;
    return QUERN_OK;
}

rd_kafka_conf_t *kafka_conf(const struct config *c, const char *client, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (set_all(conf, c, client, err) == QUERN_OK)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_t *kafka_producer(const struct config *c, const char *client, struct error *err)
{
    static const char *const properties[][2] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"compression.codec", "lz4"},
        {"linger.ms", "5"},
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", "65536"},
        {"partitioner", "murmur2_random"}, /* as Java clients do: one key, one partition */
        {"delivery.timeout.ms", "120000"},
    };
    char text[KAFKA_TEXT];
    rd_kafka_conf_t *conf = kafka_conf(c, client, err);
    if (!conf)
        return NULL;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < sizeof properties / sizeof *properties; i++)
        status = kafka_set(conf, properties[i][0], properties[i][1], err);
    if (status != QUERN_OK || kafka_set_properties(conf, c, err) != QUERN_OK) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        (void)error_set(err, ERROR_FATAL, "config", "cannot make a Kafka producer: %s", text);
    }
    return rk;
}
