#include "sender.h"

#include <stdlib.h>

#include "common/kafka.h"
#include "common/mem.h"
#include "common/task_doc.h"

enum { WAIT_TIMEOUT_MS = 30000, POLL_MS = 100 };

struct sender {
    const struct config *config;
    rd_kafka_t *rk;
    rd_kafka_queue_t *events;
    size_t open; /* not acknowledged yet */
    rd_kafka_resp_err_t failure;
};

struct sender *sender_new(const struct config *c, struct error *err)
{
    rd_kafka_t *rk = kafka_producer(c, "quern", err);
    if (!rk)
        return NULL;
    struct sender *s = mem_zero(sizeof *s);
    s->config = c;
    s->rk = rk;
    s->events = rd_kafka_queue_get_main(rk);
    return s;
}

void sender_free(struct sender *s)
{
    (void)rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_queue_destroy(s->events);
    rd_kafka_destroy(s->rk);
    free(s);
}

static quern_status unreachable(const struct sender *s, const char *why, struct error *err)
{
    return error_set(err, ERROR_RETRY, "unreachable",
                     "Kafka (%s) did not take the records: %s; run the same command again to go on",
                     s->config->kafka.brokers, why);
}

static void serve(struct sender *s, int timeout_ms)
{
    const rd_kafka_message_t *m;
    rd_kafka_event_t *e = rd_kafka_queue_poll(s->events, timeout_ms);
    if (!e)
        return;
    while (rd_kafka_event_type(e) == RD_KAFKA_EVENT_DR &&
           (m = rd_kafka_event_message_next(e)) != NULL) {
        s->open--;
        if (m->err)
            s->failure = m->err;
    }
    rd_kafka_event_destroy(e);
}

quern_status sender_send(struct sender *s, int lane, const char *job_id, const char *custom_id,
                         const void *record, size_t len, const struct journey *journey,
                         struct error *err)
{
    char topic[KAFKA_TOPIC_MAX];
    struct buf key;
    buf_init(&key, UUID_TEXT_LEN + 1 + TASK_ID_MAX);
    buf_printf(&key, "%s/%s", job_id, custom_id);
    rd_kafka_headers_t *headers = journey ? journey_write(journey, NULL) : NULL;
    rd_kafka_resp_err_t r = rd_kafka_producev(
        s->rk, RD_KAFKA_V_TOPIC(kafka_lane_topic(s->config, lane, topic)),
        RD_KAFKA_V_KEY(key.data, key.len), RD_KAFKA_V_VALUE((void *)(uintptr_t)record, len),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    buf_free(&key);
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR) {
        s->open++;
        return QUERN_OK;
    }
    if (headers)
        rd_kafka_headers_destroy(headers);
    return unreachable(s, rd_kafka_err2str(r), err);
}

quern_status sender_wait(struct sender *s, struct error *err)
{
    for (int left = WAIT_TIMEOUT_MS; s->open && !s->failure && left > 0; left -= POLL_MS)
        serve(s, POLL_MS);
    if (s->failure)
        return unreachable(s, rd_kafka_err2str(s->failure), err);
    return s->open ? unreachable(s, "no answer in time", err) : QUERN_OK;
}
