#include "publish.h"

#include <string.h>

#include "cli.h"
#include "common/kafka.h"
#include "common/units.h"
#include "common/window.h"

enum {
    UNACKED_MAX = 200000, /* records on their way: the producer's own queue is smaller */
    METADATA_TIMEOUT_MS = 10000,
    SAVE_EVERY_US = 1000000,
    SHOW_EVERY_US = 100000,
    FLUSH_TIMEOUT_MS = 125000, /* a little over delivery.timeout.ms */
    FLUSH_INTERRUPTED_MS = 5000,
};

struct publisher {
    const struct config *config;
    PGconn *db;
    const struct job *job;
    publish_progress *progress;
    void *progress_arg;
    rd_kafka_t *rk;
    rd_kafka_queue_t *events;
    char topic[KAFKA_TOPIC_MAX];
    struct window window; /* of input positions; its watermark is what a rerun skips */
    rd_kafka_resp_err_t failure;
    int64_t saved, next_save, next_show;
    struct buf record, key;
};

static int64_t acknowledged(const struct publisher *p)
{
    int64_t n = window_watermark(&p->window);
    return n < 0 ? p->job->published : n;
}

static void on_reports(struct publisher *p, rd_kafka_event_t *e)
{
    const rd_kafka_message_t *m;
    while ((m = rd_kafka_event_message_next(e)) != NULL) {
        if (m->err)
            p->failure = m->err;
        else
            (void)window_done(&p->window, (uint64_t)(uintptr_t)m->_private);
    }
}

static void serve_events(struct publisher *p, int timeout_ms)
{
    rd_kafka_event_t *e;
    while ((e = rd_kafka_queue_poll(p->events, timeout_ms)) != NULL) {
        if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_DR)
            on_reports(p, e);
        else if (rd_kafka_event_error(e) == RD_KAFKA_RESP_ERR__FATAL)
            p->failure = rd_kafka_event_error(e);
        rd_kafka_event_destroy(e);
        timeout_ms = 0;
    }
}

static quern_status save(struct publisher *p, bool closed, struct error *err)
{
    int64_t n = acknowledged(p);
    if (n == p->saved && !closed)
        return QUERN_OK;
    p->saved = n;
    return job_progress(p->db, p->job, n, closed, err);
}

/* Now and then: shows and saves how far it is. */
static quern_status tick(struct publisher *p, struct error *err)
{
    int64_t now = units_now_us();
    if (now >= p->next_show) {
        p->next_show = now + SHOW_EVERY_US;
        p->progress(p->progress_arg, acknowledged(p), p->job->total);
    }
    if (now < p->next_save)
        return QUERN_OK;
    p->next_save = now + SAVE_EVERY_US;
    return save(p, false, err);
}

static quern_status failed(struct publisher *p, struct error *err)
{
    return error_set(err, ERROR_RETRY, "unreachable",
                     "Kafka (%s) did not take the records for %s: %s; run the same command again "
                     "to go on",
                     p->config->kafka.brokers, p->topic, rd_kafka_err2str(p->failure));
}

static quern_status send_one(struct publisher *p, int64_t position, struct error *err)
{
    uint64_t number = window_add(&p->window, position);
    for (;;) {
        rd_kafka_resp_err_t r = rd_kafka_producev(
            p->rk, RD_KAFKA_V_TOPIC(p->topic), RD_KAFKA_V_KEY(p->key.data, p->key.len),
            RD_KAFKA_V_VALUE(p->record.data, p->record.len),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)number),
            RD_KAFKA_V_END);
        if (r == RD_KAFKA_RESP_ERR_NO_ERROR)
            return QUERN_OK;
        if (r != RD_KAFKA_RESP_ERR__QUEUE_FULL || p->failure) {
            p->failure = p->failure ? p->failure : r;
            return failed(p, err);
        }
        serve_events(p, 50);
        if (tick(p, err) != QUERN_OK)
            return QUERN_FAIL;
    }
}

/* Tasks of one custom_id have one key, so one partition, so one worker at a time. */
static void make_key(struct publisher *p, const struct input_item *item)
{
    buf_clear(&p->key);
    buf_printf(&p->key, "%s/", p->job->id_text);
    buf_add(&p->key, item->custom_id, item->id_len);
}

static quern_status send_all(struct publisher *p, struct input *in, const struct submission *s,
                             struct error *err)
{
    struct input_item item;
    enum input_result r;
    int64_t position = 0;
    while ((r = in->ops->next(in, &item, err)) == INPUT_ITEM) {
        if (position++ < p->job->published)
            continue;
        if (cli_interrupted || p->failure)
            break;
        if (plan_record(s, &p->job->id, &item, &p->record, err) != QUERN_OK)
            return error_prefix(err, "%s:%lld (it was good before: did the file change?)",
                                item.file, (long long)item.line);
        make_key(p, &item);
        if (send_one(p, position - 1, err) != QUERN_OK)
            return QUERN_FAIL;
        if (position % 256 == 0 || window_full(&p->window)) {
            do
                serve_events(p, window_full(&p->window) ? 50 : 0);
            while (window_full(&p->window) && !p->failure);
            if (tick(p, err) != QUERN_OK)
                return QUERN_FAIL;
        }
    }
    if (cli_interrupted || p->failure)
        return QUERN_OK;
    if (r == INPUT_END && position == p->job->total)
        return QUERN_OK;
    return r == INPUT_END || r == INPUT_ITEM ? error_set(err, ERROR_PERMANENT, "invalid_input",
                                                         "the input changed while it was read")
                                             : QUERN_FAIL;
}

/* Waits for the acknowledgements; shorter if interrupted. */
static quern_status drain(struct publisher *p, struct error *err)
{
    int64_t start = units_now_us() / 1000;
    while (window_count(&p->window) > 0 && !p->failure) {
        int64_t waited = units_now_us() / 1000 - start;
        if (waited > (cli_interrupted ? FLUSH_INTERRUPTED_MS : FLUSH_TIMEOUT_MS))
            break;
        serve_events(p, 50);
        if (tick(p, err) != QUERN_OK)
            return QUERN_FAIL;
    }
    return QUERN_OK;
}

static quern_status open_topic(struct publisher *p, struct error *err)
{
    const struct rd_kafka_metadata *m;
    rd_kafka_topic_t *t = rd_kafka_topic_new(p->rk, p->topic, NULL);
    rd_kafka_resp_err_t r = rd_kafka_metadata(p->rk, 0, t, &m, METADATA_TIMEOUT_MS);
    rd_kafka_topic_destroy(t);
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_RETRY, "unreachable",
                         "cannot reach Kafka at %s: %s; check kafka.brokers, and that it runs",
                         p->config->kafka.brokers, rd_kafka_err2str(r));
    bool there = m->topic_cnt == 1 && m->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_metadata_destroy(m);
    if (there)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "topics",
                     "Kafka has no topic %s: run `quern topics create`", p->topic);
}

static quern_status run(struct publisher *p, struct input *in, const struct submission *s,
                        struct error *err)
{
    struct error late;
    if (open_topic(p, err) != QUERN_OK || in->ops->rewind(in, err) != QUERN_OK)
        return QUERN_FAIL;
    quern_status status = send_all(p, in, s, err);
    if (drain(p, &late) != QUERN_OK && status == QUERN_OK) {
        *err = late;
        status = QUERN_FAIL;
    }
    bool whole = status == QUERN_OK && acknowledged(p) == p->job->total;
    if (save(p, whole, &late) != QUERN_OK && status == QUERN_OK) {
        *err = late;
        return QUERN_FAIL;
    }
    p->progress(p->progress_arg, acknowledged(p), p->job->total);
    if (status != QUERN_OK || whole)
        return status;
    if (cli_interrupted)
        return error_set(err, ERROR_RETRY, "interrupted",
                         "interrupted: %lld of %lld tasks are sent; run the same command again to "
                         "send the rest",
                         (long long)acknowledged(p), (long long)p->job->total);
    return failed(p, err);
}

quern_status publish(const struct config *c, PGconn *db, struct input *in,
                     const struct submission *s, const struct job *job, publish_progress *progress,
                     void *arg, struct error *err)
{
    struct publisher p = {.config = c,
                          .db = db,
                          .job = job,
                          .progress = progress,
                          .progress_arg = arg,
                          .saved = job->published};
    p.rk = kafka_producer(c, "quern", err);
    if (!p.rk)
        return QUERN_FAIL;
    (void)kafka_lane_topic(c, s->lane, p.topic);
    p.events = rd_kafka_queue_get_main(p.rk);
    window_init(&p.window, UNACKED_MAX);
    buf_init(&p.record, (size_t)c->submit.record_max);
    buf_init(&p.key, 1024);
    quern_status status = run(&p, in, s, err);
    (void)rd_kafka_purge(p.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_queue_destroy(p.events);
    rd_kafka_destroy(p.rk);
    window_free(&p.window);
    buf_free(&p.record);
    buf_free(&p.key);
    return status;
}
