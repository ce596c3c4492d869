#include "outbound.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "common/kafka.h"
#include "common/log.h"
#include "common/mem.h"
#include "deadletter.h"

#define TRY_AGAIN_AFTER 1.0 /* seconds */

enum { LETTER_MAX = 8 << 20, LAST_SENDS = 2000 /* ms */, LOST_TOLD = 1000 };

struct outbound {
    struct ev_loop *loop;
    const struct config *config;
    const struct sink_events *events;
    void *arg;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int wake_fd;
    ev_io wake;
    ev_timer timer;
    struct task *again; /* refused by the producer, to be tried at the timer */
    int64_t sent, lost; /* new tasks */
};

static rd_kafka_resp_err_t produce(struct outbound *o, struct task *t, const char *topic,
                                   const struct buf *key, const void *value, size_t len,
                                   rd_kafka_headers_t *headers)
{
    rd_kafka_resp_err_t r = rd_kafka_producev(
        o->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key->data, key->len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(t), RD_KAFKA_V_END);
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR && headers) /* they are still ours */
        rd_kafka_headers_destroy(headers);
    return r;
}

static rd_kafka_resp_err_t send_copy(struct outbound *o, struct task *t, const struct buf *key)
{
    char topic[KAFKA_TOPIC_MAX];
    size_t len;
    const char *record = task_kept_record(t, &len);
    return produce(o, t, kafka_retry_topic(o->config, t->tier, topic), key, record, len,
                   journey_write(&t->copy, t->error.message));
}

static rd_kafka_resp_err_t send_letter(struct outbound *o, struct task *t, const struct buf *key)
{
    char topic[KAFKA_TOPIC_MAX];
    struct buf doc;
    buf_init(&doc, LETTER_MAX);
    deadletter_write(t, &doc);
    rd_kafka_resp_err_t r =
        produce(o, t, kafka_dead_topic(o->config, topic), key, doc.data, doc.len, NULL);
    buf_free(&doc);
    return r;
}

static void try_later(struct outbound *o, struct task *t)
{
    DL_APPEND(o->again, t);
    if (!ev_is_active(&o->timer)) {
        ev_timer_set(&o->timer, TRY_AGAIN_AFTER, 0.);
        ev_timer_start(o->loop, &o->timer);
    }
}

void outbound_add(struct outbound *o, struct task *t)
{
    struct buf key;
    buf_init(&key, UUID_TEXT_LEN + 1 + TASK_ID_MAX);
    if (t->readable)
        task_doc_key(&t->doc, &key);
    rd_kafka_resp_err_t r = (t->status == STATUS_PARKED ? send_copy : send_letter)(o, t, &key);
    buf_free(&key);
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    log_warn("a dead letter or parked task could not be published; trying again",
             LOG_S("error", rd_kafka_err2str(r)));
    try_later(o, t);
}

static void count_submitted(struct outbound *o, rd_kafka_resp_err_t r)
{
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR) {
        o->sent++;
        return;
    }
    if (o->lost++ % LOST_TOLD == 0)
        log_warn("tasks for the judge were not taken by Kafka; those answers are not rated",
                 LOG_S("error", rd_kafka_err2str(r)), LOG_N("lost", o->lost));
}

void outbound_submit(struct outbound *o, const struct buf *key, const struct buf *record)
{
    char topic[KAFKA_TOPIC_MAX];
    rd_kafka_resp_err_t r = produce(o, NULL, kafka_lane_topic(o->config, LANE_LOW, topic), key,
                                    record->data, record->len, NULL);
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
        count_submitted(o, r);
}

void outbound_submitted(const struct outbound *o, int64_t *sent, int64_t *lost)
{
    *sent = o->sent;
    *lost = o->lost;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct outbound *o = timer->data;
    struct task *list = o->again, *t, *next;
    (void)loop;
    (void)events;
    o->again = NULL;
    DL_FOREACH_SAFE (list, t, next) {
        DL_DELETE(list, t);
        outbound_add(o, t);
    }
}

static void on_reports(struct outbound *o, rd_kafka_event_t *e)
{
    const rd_kafka_message_t *m;
    while ((m = rd_kafka_event_message_next(e)) != NULL) {
        if (!m->_private) {
            count_submitted(o, m->err);
        } else if (m->err) {
            log_warn("a dead letter or parked task was not taken by Kafka; trying again",
                     LOG_S("error", rd_kafka_err2str(m->err)));
            try_later(o, m->_private);
        } else {
            o->events->published(o->arg, m->_private);
        }
    }
}

static void on_wake(struct ev_loop *loop, ev_io *w, int events)
{
    struct outbound *o = w->data;
    rd_kafka_event_t *e;
    uint64_t n;
    (void)loop;
    (void)events;
    if (read(o->wake_fd, &n, sizeof n) < 0)
        n = 0; /* drained by an earlier turn */
    while ((e = rd_kafka_queue_poll(o->queue, 0)) != NULL) {
        if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_DR)
            on_reports(o, e);
        else if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_ERROR)
            log_warn("Kafka producer", LOG_S("error", rd_kafka_event_error_string(e)));
        rd_kafka_event_destroy(e);
    }
}

struct outbound *outbound_new(struct ev_loop *loop, const struct config *c,
                              const struct sink_events *events, void *arg, struct error *err)
{
    static const uint64_t one = 1;
    rd_kafka_t *rk = kafka_producer(c, "quern-worker", err);
    if (!rk)
        return NULL;
    struct outbound *o = mem_zero(sizeof *o);
    o->loop = loop;
    o->config = c;
    o->events = events;
    o->arg = arg;
    o->rk = rk;
    o->queue = rd_kafka_queue_get_main(rk);
    o->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rd_kafka_queue_io_event_enable(o->queue, o->wake_fd, &one, sizeof one);
    ev_io_init(&o->wake, on_wake, o->wake_fd, EV_READ);
    ev_timer_init(&o->timer, on_timer, 0., 0.);
    o->wake.data = o->timer.data = o;
    ev_io_start(loop, &o->wake);
    return o;
}

/* Ratings that were asked for last; tasks that wait for Kafka are left to others. */
static void await_last(struct outbound *o)
{
    enum { STEP = 50 };
    for (int waited = 0; waited < LAST_SENDS && rd_kafka_outq_len(o->rk) > 0; waited += STEP) {
        rd_kafka_event_t *e = rd_kafka_queue_poll(o->queue, STEP);
        if (e)
            rd_kafka_event_destroy(e);
    }
}

void outbound_free(struct outbound *o)
{
    ev_io_stop(o->loop, &o->wake);
    ev_timer_stop(o->loop, &o->timer);
    await_last(o);
    (void)rd_kafka_purge(o->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_queue_destroy(o->queue);
    rd_kafka_destroy(o->rk);
    close(o->wake_fd);
    free(o);
}
