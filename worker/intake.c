#include "intake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "common/kafka.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "intake_private.h"

#define TICK 0.2 /* seconds: polls the group, so that it never thinks us gone */
#define LOOK_EVERY 1.0

enum {
    WINDOW_MAX = 262144, /* records of one partition past its first open one */
    PULL_MAX = 512,      /* records of a lane in one turn of the loop */
};

void intake_soon(struct intake *in)
{
    if (ev_is_active(&in->again))
        return;
    ev_timer_set(&in->again, 0., 0.);
    ev_timer_start(in->loop, &in->again);
}

struct slot *intake_find(struct intake *in, const char *topic, int32_t number)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (!s->p.released && s->p.number == number && strcmp(s->p.topic, topic) == 0)
            return s;
    return NULL;
}

void intake_free_slot(struct intake *in, struct slot *s)
{
    DL_DELETE(in->slots, s);
    scout_forget(in, s);
    if (s->held)
        rd_kafka_message_destroy(s->held);
    if (s->queue)
        rd_kafka_queue_destroy(s->queue);
    window_free(&s->p.window);
    free(s->p.topic);
    free(s);
}

const char *intake_name(const struct intake *in)
{
    return in->pool == KAFKA_RETRIES ? "retries" : lane_names[in->pool];
}

/* ---- records -------------------------------------------------------------------------------- */

static void set_paused(struct intake *in, struct slot *s, bool paused)
{
    s->paused = paused;
    consumer_pause(in->rk, s->p.topic, s->p.number, paused);
    log_info(paused ? "a partition's window is full; waiting for its first open task"
                    : "a partition's window has room again",
             LOG_S("topic", s->p.topic), LOG_N("partition", s->p.number));
}

static void complain(struct intake *in, rd_kafka_resp_err_t code, const char *text)
{
    bool topic = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (ev_now(in->loop) < in->next_complaint || in->stopping) /* once in a while is enough */
        return;
    in->next_complaint = ev_now(in->loop) + 10.0;
    log_warn(topic ? "a topic does not exist: run `quern topics create`" : "Kafka consumer",
             LOG_S("error", text));
}

static void read_journey(const rd_kafka_message_t *m, struct journey *out)
{
    rd_kafka_headers_t *h = NULL;
    if (rd_kafka_message_headers(m, &h) != RD_KAFKA_RESP_ERR_NO_ERROR)
        h = NULL;
    journey_read(h, out);
    const int64_t written = rd_kafka_message_timestamp(m, NULL);
    out->recorded_ms = written > 0 ? written : 0;
}

void intake_receive(struct intake *in, struct slot *s, const rd_kafka_message_t *m)
{
    struct journey journey;
    read_journey(m, &journey);
    in->events->receive(in->arg, &s->p, m->offset, m->payload ? m->payload : "", m->len, &journey);
}

/* A window over its limit pauses its partition; what was fetched already is still taken. An offset
 * that came before is not taken twice (librdkafka can rewind at a resume). */
static void take(struct intake *in, struct slot *s, const rd_kafka_message_t *m)
{
    if (s->p.revoked || m->offset <= s->last)
        return;
    s->last = m->offset;
    if (!window_reach(&s->p.window, m->offset)) /* the scout was here */
        return;
    intake_receive(in, s, m);
    if (!s->paused && window_full(&s->p.window))
        set_paused(in, s, true);
}

/* The next message of a queue, or NULL. */
static rd_kafka_message_t *next_message(struct intake *in, rd_kafka_queue_t *queue)
{
    rd_kafka_message_t *m = rd_kafka_consume_queue(queue, 0);
    in->taken += m ? m->len : 0;
    if (!m && in->taken >= in->prefetch / 2) {
        in->taken = 0;
        consumer_nudge(in->rk);
    }
    return m;
}

static void pull_lane(struct intake *in)
{
    rd_kafka_message_t *m;
    int n = 0;
    while (n < PULL_MAX && in->events->has_room(in->arg, in->pool) &&
           (m = next_message(in, in->lane)) != NULL) {
        struct slot *s = m->err ? NULL : intake_find(in, rd_kafka_topic_name(m->rkt), m->partition);
        if (m->err)
            complain(in, m->err, rd_kafka_message_errstr(m));
        if (s)
            take(in, s, m);
        rd_kafka_message_destroy(m);
        n++;
    }
    if (n == PULL_MAX) /* there may be more, and its wake-up is spent */
        intake_soon(in);
}

/* Never early: by the clock of this machine, with what the record says. */
static bool is_due(const rd_kafka_message_t *m)
{
    struct journey journey;
    read_journey(m, &journey);
    return journey.due_ms <= units_now_us() / 1000;
}

/* From a retry topic: in order, as long as the head is due. */
static void pull_retries(struct intake *in, struct slot *s)
{
    for (int n = 0; n < PULL_MAX && in->events->has_room(in->arg, s->p.pool); n++) {
        rd_kafka_message_t *m = s->held ? s->held : next_message(in, s->queue);
        s->held = NULL;
        if (!m)
            return;
        if (m->err) {
            complain(in, m->err, rd_kafka_message_errstr(m));
        } else if (!is_due(m)) {
            s->held = m;
            return;
        } else {
            take(in, s, m);
        }
        rd_kafka_message_destroy(m);
    }
}

/* Takes the first record of each partition, room or not: it tells where the scout can begin, while
 * another partition fills the lane's queue. */
static void pull_first(struct intake *in, struct slot *s)
{
    rd_kafka_message_t *m = rd_kafka_consume_queue(s->queue, 0);
    if (!m)
        return;
    if (m->err)
        complain(in, m->err, rd_kafka_message_errstr(m));
    else
        take(in, s, m);
    rd_kafka_message_destroy(m);
    rd_kafka_queue_destroy(s->queue);
    s->queue = NULL;
    consumer_forward(in->rk, s->p.topic, s->p.number, in->lane);
    intake_soon(in);
}

static void pull(struct intake *in)
{
    struct slot *s;
    if (in->stopping)
        return;
    pull_lane(in);
    DL_FOREACH (in->slots, s)
        if (s->queue && !s->p.revoked)
            (in->pool == KAFKA_RETRIES ? pull_retries : pull_first)(in, s);
    if (in->scout)
        scout_serve(in);
}

static void resume_paused(struct intake *in)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->paused && !s->p.revoked && window_count(&s->p.window) <= (size_t)WINDOW_MAX / 8 * 7)
            set_paused(in, s, false);
}

/* ---- the group ------------------------------------------------------------------------------ */

static void add_slot(struct intake *in, const rd_kafka_topic_partition_t *p)
{
    const bool retries = in->pool == KAFKA_RETRIES;
    if (intake_find(in, p->topic, p->partition))
        return;
    struct slot *s = mem_zero(sizeof *s);
    s->p.topic = mem_string(p->topic);
    s->p.number = p->partition;
    s->p.lane = retries ? -1 : in->pool;
    s->p.pool = in->pool;
    s->committed = s->last = -1;
    window_init(&s->p.window, WINDOW_MAX);
    DL_APPEND(in->slots, s);
    if (retries || in->scout)
        s->queue = consumer_queue(in->rk, p->topic, p->partition, in->wake_fd);
    else
        consumer_forward(in->rk, p->topic, p->partition, in->lane);
}

static void on_assigned(struct intake *in, const rd_kafka_topic_partition_list_t *list)
{
    log_info("partitions assigned", LOG_S("of", intake_name(in)), LOG_N("count", list->cnt));
    in->assigned = true;
    in->rebalances++;
    for (int i = 0; i < list->cnt; i++)
        add_slot(in, &list->elems[i]);
    commits_contact(in, in->served);
    intake_check(rd_kafka_incremental_assign(in->rk, list), "cannot take partitions");
    handback_abort_lost(in);
}

static void end(struct intake *in, const char *why)
{
    if (in->fatal)
        return;
    in->fatal = true;
    log_error("the Kafka consumer cannot go on; is its kafka.instance_id used by another worker?",
              LOG_S("of", intake_name(in)), LOG_S("error", why));
    in->events->fatal(in->arg);
}

static void serve_group(struct intake *in)
{
    rd_kafka_event_t *e;
    while ((e = rd_kafka_queue_poll(in->group, 0)) != NULL) {
        rd_kafka_resp_err_t r = rd_kafka_event_error(e);
        switch (rd_kafka_event_type(e)) {
        case RD_KAFKA_EVENT_REBALANCE:
            (r == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? on_assigned : handback_revoked)(
                in, rd_kafka_event_topic_partition_list(e));
            break;
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            commits_answered(in, e);
            break;
        case RD_KAFKA_EVENT_ERROR:
            if (rd_kafka_fatal_error(in->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
                end(in, rd_kafka_event_error_string(e));
            else
                complain(in, r, rd_kafka_event_error_string(e));
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(e);
    }
}

static void look(struct intake *in)
{
    struct slot *s;
    if (ev_now(in->loop) < in->next_look)
        return;
    in->next_look = ev_now(in->loop) + LOOK_EVERY;
    DL_FOREACH (in->slots, s)
        in->events->look(in->arg, &s->p);
}

static void serve(struct intake *in)
{
    serve_group(in);
    if (in->phase != RUNNING)
        handback_advance(in);
    if (in->phase == CLOSED)
        return;
    if (!in->stopping) {
        resume_paused(in);
        look(in);
    }
    pull(in);
    commits_go_on(in);
    commits_watch(in);
    in->served = ev_now(in->loop);
}

static void on_wake(struct ev_loop *loop, ev_io *w, int events)
{
    struct intake *in = w->data;
    uint64_t n;
    (void)loop;
    (void)events;
    if (read(in->wake_fd, &n, sizeof n) < 0)
        n = 0; /* drained by an earlier turn */
    serve(in);
}

static void on_tick(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)events;
    struct intake *in = t->data;
    stall_tick(&in->stall, ev_now(loop));
    serve(in);
}

static void on_again(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)events;
    serve(t->data);
}

static void on_room(void *source, int pool)
{
    (void)pool;
    intake_soon(source);
}

static void on_left(void *source, struct partition *p)
{
    struct intake *in = source;
    struct slot *s = (struct slot *)((char *)p - offsetof(struct slot, p));
    if (p->released && !p->tasks)
        intake_free_slot(in, s);
    else if (p->revoked ? !p->tasks : s->paused)
        intake_soon(in);
}

const struct source_ops intake_source = {on_room, on_left};

/* What Kafka has beyond the last record that was taken, by its latest answers. */
static int64_t records_waiting(const struct intake *in, const struct slot *s)
{
    int64_t low = 0, high = 0;
    if (rd_kafka_get_watermark_offsets(in->rk, s->p.topic, s->p.number, &low, &high) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    const int64_t next = s->last >= 0 ? s->last + 1 : s->committed >= low ? s->committed : low;
    return high > next ? high - next : 0;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void intake_stats(const struct intake *in, struct intake_stats *out)
{
    const int64_t now = units_now_us();
    const struct slot *s;
    *out = (struct intake_stats){.ready = in->assigned && !in->dark && !in->stopping,
                                 .rebalances = in->rebalances};
    DL_FOREACH (in->slots, s) {
        const struct window *w = &s->p.window;
        const double fill = (double)window_count(w) / (double)w->max;
        out->partitions += !s->p.revoked && !s->p.released;
        out->waiting += s->p.revoked || s->p.released ? 0 : records_waiting(in, s);
        out->open += window_open(w);
        out->fill = fill > out->fill ? fill : out->fill;
        if (s->p.tasks) {
            out->head_age_us = larger(out->head_age_us, now - s->p.tasks->received_us);
            out->task_age_us = larger(out->task_age_us, now - task_begun_us(s->p.tasks));
        }
    }
}

/* ---- making --------------------------------------------------------------------------------- */

void intake_check(rd_kafka_error_t *e, const char *doing)
{
    if (!e)
        return;
    log_warn(doing, LOG_S("error", rd_kafka_error_string(e)));
    rd_kafka_error_destroy(e);
}

static void watch_queues(struct intake *in)
{
    in->group = rd_kafka_queue_get_consumer(in->rk);
    consumer_wake(in->group, in->wake_fd);
    in->lane = rd_kafka_queue_new(in->rk);
    consumer_wake(in->lane, in->wake_fd);
}

struct intake *intake_new(struct ev_loop *loop, const struct config *c, int pool,
                          const struct intake_events *events, void *arg, struct error *err)
{
    struct intake *in = mem_zero(sizeof *in);
    rd_kafka_t *rk = consumer_new(c, pool, &in->join, err);
    if (!rk) {
        free(in);
        return NULL;
    }
    in->loop = loop;
    in->config = c;
    in->events = events;
    in->arg = arg;
    in->pool = pool;
    in->rk = rk;
    in->prefetch = consumer_prefetch(c, pool);
    in->contact = in->served = ev_now(loop);
    in->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    watch_queues(in);
    ev_io_init(&in->wake, on_wake, in->wake_fd, EV_READ);
    ev_timer_init(&in->tick, on_tick, TICK, TICK);
    ev_timer_init(&in->again, on_again, 0., 0.);
    stall_init(&in->stall, ev_now(loop));
    in->wake.data = in->tick.data = in->again.data = in;
    ev_io_start(loop, &in->wake);
    ev_timer_start(loop, &in->tick);
    const bool looks_ahead = pool != KAFKA_RETRIES && c->fairness.lookahead > 0;
    if (looks_ahead)
        in->scout = scout_new(c, pool, in->wake_fd, err);
    if ((in->scout || !looks_ahead) && consumer_subscribe(rk, c, pool, err) == QUERN_OK)
        return in;
    intake_free(in);
    return NULL;
}

void intake_stop(struct intake *in)
{
    if (!in->stopping)
        handback_all(in);
}

/* Before 2.3, librdkafka aborts when a member is destroyed between its joining the group and its
 * first assignment (its issue 4312). It has left the group, and the process ends: then let it be,
 * with all that its threads refer to. */
static bool can_be_destroyed(const struct intake *in)
{
    const int mended = 0x020300ff;
    return in->assigned || rd_kafka_version() >= mended;
}

void intake_free(struct intake *in)
{
    struct slot *s, *next;
    ev_io_stop(in->loop, &in->wake);
    ev_timer_stop(in->loop, &in->tick);
    ev_timer_stop(in->loop, &in->again);
    if (!can_be_destroyed(in))
        return;
    DL_FOREACH_SAFE (in->slots, s, next)
        intake_free_slot(in, s);
    if (in->leaving)
        rd_kafka_topic_partition_list_destroy(in->leaving);
    rd_kafka_queue_destroy(in->group);
    rd_kafka_queue_destroy(in->lane);
    scout_free(in->scout);
    rd_kafka_destroy(in->rk);
    close(in->wake_fd);
    free(in);
}
