#include "consumer.h"

#include <stdio.h>

#include "common/kafka.h"
#include "common/log.h"
#include "common/units.h"

enum { API_JOIN_GROUP = 11, JOIN_LONGEST_US = 60000000 }; /* Kafka protocol; a lost reply */

/* For the queue of a lane (2 MiB at a memory limit of 1 GiB), or of each of up to 16 partitions of
 * the retry topics (1 MiB). A lane's holds a few of the largest tasks at least: with room for one,
 * librdkafka fetches the next only when the queue is empty, and large tasks come ten a second. */
static int64_t prefetch_kib(const struct config *c, int group)
{
    enum { LANE_SHARE = 512, LANE_LEAST = 1024, RETRY_SHARE = 1024, RETRY_LEAST = 64 };
    bool retries = group == KAFKA_RETRIES;
    int64_t kib = c->worker.memory_limit / 1024 / (retries ? RETRY_SHARE : LANE_SHARE);
    int64_t least = retries ? RETRY_LEAST : LANE_LEAST;
    return kib < least ? least : kib;
}

/* Of one partition, in one fetch, as it is compressed: prompts alike grow twentyfold and more, and
 * what is fetched is unpacked at once. A single batch is fetched whatever its size. */
static int64_t fetch_bytes(int64_t prefetch)
{
    enum { PARTS = 128, LEAST = 16 << 10, MOST = 1 << 20 };
    int64_t bytes = prefetch * 1024 / PARTS;
    return bytes < LEAST ? LEAST : bytes > MOST ? MOST : bytes;
}

/* How long Kafka keeps a fetch that finds nothing. A record that comes ends the wait, so this costs
 * no latency, and each fetch of a quiet lane costs Kafka 0.3 ms of CPU and the worker 0.1. But a
 * partition that is left out, as its queue is full, waits for the fetch under way of one that is
 * idle; with one queue for all of a lane, all are left out together. Those that the scout's way
 * gives a queue of their own until their first record are not. */
static const char *fetch_wait_ms(const struct config *c, int group)
{
    return group != KAFKA_RETRIES && c->fairness.lookahead > 0 ? "20" : "200";
}

static rd_kafka_conf_t *make_conf(const struct config *c, int group, int64_t kib, struct error *err)
{
    char session[32], heartbeat[32], prefetch[32], fetch[32], id[KAFKA_TOPIC_MAX];
    (void)snprintf(session, sizeof session, "%lld", (long long)c->kafka.session_timeout);
    (void)snprintf(heartbeat, sizeof heartbeat, "%lld", (long long)c->kafka.session_timeout / 4);
    (void)snprintf(prefetch, sizeof prefetch, "%lld", (long long)kib);
    (void)snprintf(fetch, sizeof fetch, "%lld", (long long)fetch_bytes(kib));
    const char *const properties[][2] = {
        {"group.id", kafka_group(c, group, id)},
        {"group.instance.id", c->kafka.instance_id},
        {"partition.assignment.strategy", "cooperative-sticky"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"},
        {"session.timeout.ms", session},
        {"heartbeat.interval.ms", heartbeat},
        {"fetch.max.bytes", "4194304"},
        {"fetch.message.max.bytes", fetch},
        {"fetch.wait.max.ms", fetch_wait_ms(c, group)},
        {"queued.max.messages.kbytes", prefetch}, /* by bytes: by count, a full queue stalls 1 s */
    };
    rd_kafka_conf_t *conf = kafka_conf(c, "quern-worker", err);
    quern_status status = conf ? QUERN_OK : QUERN_FAIL;
    for (size_t i = 0; status == QUERN_OK && i < sizeof properties / sizeof *properties; i++)
        status = kafka_set(conf, properties[i][0], properties[i][1], err);
    if (status == QUERN_OK)
        status = kafka_set_properties(conf, c, err);
    if (status != QUERN_OK && conf) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    if (conf)
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                           RD_KAFKA_EVENT_ERROR);
    return conf;
}

size_t consumer_prefetch(const struct config *c, int group)
{
    return (size_t)prefetch_kib(c, group) * 1024;
}

void consumer_nudge(rd_kafka_t *rk)
{
    rd_kafka_topic_partition_list_t *ours;
    if (rd_kafka_assignment(rk, &ours) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    (void)rd_kafka_offsets_for_times(rk, ours, 0);
    rd_kafka_topic_partition_list_destroy(ours);
}

int64_t join_watch_ms(const struct join_watch *w)
{
    int64_t since = atomic_load(&w->since_us), age = units_now_us() - since;
    return since && age < JOIN_LONGEST_US ? age / 1000 : -1;
}

static rd_kafka_resp_err_t on_request(rd_kafka_t *rk, int fd, const char *broker, int32_t id,
                                      int16_t api, int16_t version, int32_t correlation,
                                      size_t size, void *arg)
{
    struct join_watch *w = arg;
    (void)rk, (void)fd, (void)broker, (void)id, (void)version, (void)correlation, (void)size;
    if (api == API_JOIN_GROUP)
        atomic_store(&w->since_us, units_now_us());
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_response(rd_kafka_t *rk, int fd, const char *broker, int32_t id,
                                       int16_t api, int16_t version, int32_t correlation,
                                       size_t size, int64_t rtt, rd_kafka_resp_err_t err, void *arg)
{
    struct join_watch *w = arg;
    (void)rk, (void)fd, (void)broker, (void)id, (void)version, (void)correlation, (void)size;
    (void)rtt, (void)err;
    if (api == API_JOIN_GROUP)
        atomic_store(&w->since_us, 0);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *arg,
                                  char *errstr, size_t size)
{
    (void)conf, (void)errstr, (void)size;
    rd_kafka_resp_err_t r = rd_kafka_interceptor_add_on_request_sent(rk, "join", on_request, arg);
    return r ? r : rd_kafka_interceptor_add_on_response_received(rk, "join", on_response, arg);
}

/* Takes over the settings. */
static rd_kafka_t *make(rd_kafka_conf_t *conf, struct error *err)
{
    char text[512];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (rk) {
        (void)rd_kafka_poll_set_consumer(rk);
        return rk;
    }
    rd_kafka_conf_destroy(conf);
    (void)error_set(err, ERROR_FATAL, "config", "cannot make a Kafka consumer: %s", text);
    return NULL;
}

rd_kafka_t *consumer_new(const struct config *c, int group, struct join_watch *join,
                         struct error *err)
{
    rd_kafka_conf_t *conf = make_conf(c, group, prefetch_kib(c, group), err);
    if (!conf)
        return NULL;
    (void)rd_kafka_conf_interceptor_add_on_new(conf, "join", on_new, join);
    return make(conf, err);
}

rd_kafka_t *consumer_scout(const struct config *c, int group, struct error *err)
{
    rd_kafka_conf_t *conf = make_conf(c, group, prefetch_kib(c, group), err);
    if (!conf)
        return NULL;
    if (kafka_set(conf, "enable.partition.eof", "true", err) == QUERN_OK)
        return make(conf, err);
    rd_kafka_conf_destroy(conf);
    return NULL;
}

quern_status consumer_subscribe(rd_kafka_t *rk, const struct config *c, int group,
                                struct error *err)
{
    int first, end;
    kafka_group_topics(group, &first, &end);
    char name[KAFKA_TOPIC_MAX];
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(KAFKA_TOPICS);
    for (int i = first; i < end; i++)
        (void)rd_kafka_topic_partition_list_add(topics, kafka_topic(c, i, name),
                                                RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t r = rd_kafka_subscribe(rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR)
        return QUERN_OK;
    return error_set(err, ERROR_FATAL, "kafka", "cannot subscribe to the topics: %s",
                     rd_kafka_err2str(r));
}

void consumer_pause(rd_kafka_t *rk, const char *topic, int32_t partition, bool paused)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(one, topic, partition);
    rd_kafka_resp_err_t r =
        (paused ? rd_kafka_pause_partitions : rd_kafka_resume_partitions)(rk, one);
    rd_kafka_topic_partition_list_destroy(one);
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_warn("cannot pause or resume a partition", LOG_S("error", rd_kafka_err2str(r)));
}

void consumer_forward(rd_kafka_t *rk, const char *topic, int32_t partition, rd_kafka_queue_t *to)
{
    rd_kafka_queue_t *from = rd_kafka_queue_get_partition(rk, topic, partition);
    rd_kafka_queue_forward(from, to);
    rd_kafka_queue_destroy(from);
}

void consumer_wake(rd_kafka_queue_t *queue, int fd)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof one);
}

rd_kafka_queue_t *consumer_queue(rd_kafka_t *rk, const char *topic, int32_t partition, int fd)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(rk, topic, partition);
    rd_kafka_queue_forward(queue, NULL); /* it would go to the group's queue */
    consumer_wake(queue, fd);
    return queue;
}
