#include "deadletter.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "common/json.h"
#include "common/kafka.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"

#define TRY_AGAIN_AFTER 1.0 /* seconds */

enum { LETTER_MAX = 8 << 20 };

struct deadletter {
    struct ev_loop *loop;
    const struct sink_events *events;
    void *arg;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    char topic[KAFKA_TOPIC_MAX];
    int wake_fd;
    ev_io wake;
    ev_timer timer;
    struct task *again; /* refused by the producer, to be tried at the timer */
};

static void write_record(const struct task *t, struct buf *out)
{
    struct error err;
    if (json_check(t->record, t->record_len, &err)) {
        buf_str(out, ",\"record\":");
        json_minify(json_root(t->record, t->record_len), out);
        return;
    }
    size_t len = (t->record_len + 2) / 3 * 4;
    buf_str(out, ",\"record_base64\":\"");
    if (buf_reserve(out, len)) {
        (void)EVP_EncodeBlock((unsigned char *)out->data + out->len,
                              (const unsigned char *)t->record, (int)t->record_len);
        out->len += len;
    }
    buf_char(out, '"');
}

void deadletter_write(const struct task *t, struct buf *out)
{
    char id[UUID_TEXT_LEN + 1], now[UNITS_TEXT_MAX];
    buf_printf(out, "{\"v\":1,\"id\":%" PRId64, t->letter_id);
    if (t->readable) {
        buf_printf(out, ",\"job_id\":\"%s\",", uuid_format(&t->doc.job_id, id));
        buf_json_member(out, "custom_id", t->doc.custom_id);
        buf_printf(out, ",\"generation\":%" PRId64, t->doc.generation);
    }
    buf_printf(out, ",\"status\":\"%s\",", task_status_names[t->status]);
    buf_json_member(out, "reason", t->error.code);
    buf_char(out, ',');
    buf_json_member(out, "error", t->error.message);
    buf_printf(out, ",\"attempts\":%zu,", t->attempt_count);
    buf_json_member(out, "topic", t->partition->topic);
    buf_printf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"failed_at\":\"%s\"",
               t->partition->number, t->offset, units_format_time(units_now_us(), now));
    write_record(t, out);
    buf_char(out, '}');
}

/* The key of the task's own record. */
static void write_key(const struct task *t, struct buf *out)
{
    char id[UUID_TEXT_LEN + 1];
    if (t->readable)
        buf_printf(out, "%s/%s", uuid_format(&t->doc.job_id, id), t->doc.custom_id);
}

static void try_later(struct deadletter *d, struct task *t)
{
    DL_APPEND(d->again, t);
    if (!ev_is_active(&d->timer)) {
        ev_timer_set(&d->timer, TRY_AGAIN_AFTER, 0.);
        ev_timer_start(d->loop, &d->timer);
    }
}

void deadletter_add(struct deadletter *d, struct task *t)
{
    struct buf doc, key;
    buf_init(&doc, LETTER_MAX);
    buf_init(&key, UUID_TEXT_LEN + 1 + TASK_ID_MAX);
    deadletter_write(t, &doc);
    write_key(t, &key);
    rd_kafka_resp_err_t r = rd_kafka_producev(
        d->rk, RD_KAFKA_V_TOPIC(d->topic), RD_KAFKA_V_KEY(key.data, key.len),
        RD_KAFKA_V_VALUE(doc.data, doc.len), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(t), RD_KAFKA_V_END);
    buf_free(&doc);
    buf_free(&key);
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    log_warn("a dead letter could not be published; trying again",
             LOG_S("error", rd_kafka_err2str(r)));
    try_later(d, t);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct deadletter *d = timer->data;
    struct task *list = d->again, *t, *next;
    (void)loop;
    (void)events;
    d->again = NULL;
    DL_FOREACH_SAFE (list, t, next) {
        DL_DELETE(list, t);
        deadletter_add(d, t);
    }
}

static void on_reports(struct deadletter *d, rd_kafka_event_t *e)
{
    const rd_kafka_message_t *m;
    while ((m = rd_kafka_event_message_next(e)) != NULL) {
        if (m->err) {
            log_warn("a dead letter was not taken by Kafka; trying again",
                     LOG_S("error", rd_kafka_err2str(m->err)));
            try_later(d, m->_private);
        } else {
            d->events->buried(d->arg, m->_private);
        }
    }
}

static void on_wake(struct ev_loop *loop, ev_io *w, int events)
{
    struct deadletter *d = w->data;
    rd_kafka_event_t *e;
    uint64_t n;
    (void)loop;
    (void)events;
    if (read(d->wake_fd, &n, sizeof n) < 0)
        n = 0; /* drained by an earlier turn */
    while ((e = rd_kafka_queue_poll(d->queue, 0)) != NULL) {
        if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_DR)
            on_reports(d, e);
        else if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_ERROR)
            log_warn("Kafka producer", LOG_S("error", rd_kafka_event_error_string(e)));
        rd_kafka_event_destroy(e);
    }
}

struct deadletter *deadletter_new(struct ev_loop *loop, const struct config *c,
                                  const struct sink_events *events, void *arg, struct error *err)
{
    static const uint64_t one = 1;
    rd_kafka_t *rk = kafka_producer(c, "quern-worker", err);
    if (!rk)
        return NULL;
    struct deadletter *d = mem_zero(sizeof *d);
    d->loop = loop;
    d->events = events;
    d->arg = arg;
    d->rk = rk;
    d->queue = rd_kafka_queue_get_main(rk);
    (void)kafka_dead_topic(c, d->topic);
    d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rd_kafka_queue_io_event_enable(d->queue, d->wake_fd, &one, sizeof one);
    ev_io_init(&d->wake, on_wake, d->wake_fd, EV_READ);
    ev_timer_init(&d->timer, on_timer, 0., 0.);
    d->wake.data = d->timer.data = d;
    ev_io_start(loop, &d->wake);
    return d;
}

void deadletter_free(struct deadletter *d)
{
    ev_io_stop(d->loop, &d->wake);
    ev_timer_stop(d->loop, &d->timer);
    (void)rd_kafka_purge(d->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_queue_destroy(d->queue);
    rd_kafka_destroy(d->rk);
    close(d->wake_fd);
    free(d);
}
