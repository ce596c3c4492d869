/*
 * How a partition is given back, at a rebalance or at shutdown:
 *
 *   revoked: what is not started is dropped, calls in flight go on
 *      | no task is left, or the grace is over (then calls are aborted and their books written)
 *   committing: the watermark, and its answer awaited
 *      |
 *   released: unassigned; a late result is still written, but commits nothing
 *
 * If the assignment was lost, nothing is committed. If we ourselves were frozen (the loop stood
 * still), others have had our tasks for a while: calls are aborted at once. If it was Kafka that
 * was away, they are on their way for nobody else: they end and are written, and when their records
 * come again, they wait for them as twins.
 */
#include "intake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "common/kafka.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer.h"
#include "stall.h"

#define TICK 0.2 /* seconds: polls the group, so that it never thinks us gone */
#define COMMIT_EVERY 1.0
#define AFTER_ABORT 10.0 /* for the writing of what was aborted */
#define COMMIT_TIMEOUT 5.0
#define CLOSE_TIMEOUT 10.0

enum {
    WINDOW_MAX = 262144, /* records of one partition past its first open one */
    PULL_MAX = 512,      /* records of a lane in one turn of the loop */
};

struct slot {
    struct slot *prev, *next;
    struct partition p;
    int64_t committed; /* what Kafka has; -1: not known */
    bool paused;       /* the window was full */
};

enum phase { RUNNING, DRAINING, ABORTED, COMMITTING, CLOSING, CLOSED };

struct intake {
    struct ev_loop *loop;
    const struct config *config;
    const struct intake_events *events;
    void *arg;
    rd_kafka_t *rk;
    rd_kafka_queue_t *group, *lanes[LANE_COUNT];
    int wake_fd;
    ev_io wake;
    ev_timer tick, again;                     /* again: soon, not from inside a callback */
    struct slot *slots;                       /* assigned, and released ones with tasks left */
    enum phase phase;                         /* of what is being given back */
    rd_kafka_topic_partition_list_t *leaving; /* that librdkafka waits for; NULL at shutdown */
    bool stopping, commit_running;
    double deadline, next_commit, next_complaint;
    struct stall stall; /* of the loop itself */
};

static void soon(struct intake *in)
{
    if (ev_is_active(&in->again))
        return;
    ev_timer_set(&in->again, 0., 0.);
    ev_timer_start(in->loop, &in->again);
}

static struct slot *find(struct intake *in, const char *topic, int32_t number)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (!s->p.released && s->p.number == number && strcmp(s->p.topic, topic) == 0)
            return s;
    return NULL;
}

static void free_slot(struct intake *in, struct slot *s)
{
    DL_DELETE(in->slots, s);
    window_free(&s->p.window);
    free(s->p.topic);
    free(s);
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

/* A window over its limit pauses its partition; what was fetched already is still taken. */
static void take(struct intake *in, const rd_kafka_message_t *m)
{
    struct slot *s = m->err ? NULL : find(in, rd_kafka_topic_name(m->rkt), m->partition);
    if (m->err)
        complain(in, m->err, rd_kafka_message_errstr(m));
    if (!s || s->p.revoked)
        return;
    in->events->receive(in->arg, &s->p, m->offset, m->payload ? m->payload : "", m->len);
    if (!s->paused && window_full(&s->p.window))
        set_paused(in, s, true);
}

static void pull(struct intake *in, int lane)
{
    rd_kafka_message_t *m;
    int n = 0;
    if (in->stopping)
        return;
    while (n < PULL_MAX && in->events->has_room(in->arg, lane) &&
           (m = rd_kafka_consume_queue(in->lanes[lane], 0)) != NULL) {
        take(in, m);
        rd_kafka_message_destroy(m);
        n++;
    }
    if (n == PULL_MAX) /* there may be more, and its wake-up is spent */
        soon(in);
}

static void resume_paused(struct intake *in)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->paused && !s->p.revoked && window_count(&s->p.window) <= (size_t)WINDOW_MAX / 8 * 7)
            set_paused(in, s, false);
}

/* ---- commits -------------------------------------------------------------------------------- */

/* The offsets that may be committed and are not; NULL: none. */
static rd_kafka_topic_partition_list_t *due_offsets(struct intake *in, bool revoked)
{
    rd_kafka_topic_partition_list_t *due = rd_kafka_topic_partition_list_new(8);
    struct slot *s;
    DL_FOREACH (in->slots, s) {
        int64_t mark = window_watermark(&s->p.window);
        if (s->p.released || s->p.revoked != revoked || mark < 0 || mark == s->committed)
            continue;
        rd_kafka_topic_partition_list_add(due, s->p.topic, s->p.number)->offset = mark;
    }
    if (due->cnt)
        return due;
    rd_kafka_topic_partition_list_destroy(due);
    return NULL;
}

static bool commit(struct intake *in, bool revoked)
{
    rd_kafka_topic_partition_list_t *due = due_offsets(in, revoked);
    if (!due)
        return false;
    rd_kafka_resp_err_t r = rd_kafka_commit_queue(in->rk, due, in->group, NULL, NULL);
    rd_kafka_topic_partition_list_destroy(due);
    in->commit_running = r == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_warn("cannot commit offsets", LOG_S("error", rd_kafka_err2str(r)));
    return in->commit_running;
}

static void on_committed(struct intake *in, rd_kafka_event_t *e)
{
    rd_kafka_resp_err_t r = rd_kafka_event_error(e);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(e);
    in->commit_running = false;
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_warn("offsets were not committed", LOG_S("error", rd_kafka_err2str(r)));
    for (int i = 0; list && i < list->cnt; i++) {
        struct slot *s = find(in, list->elems[i].topic, list->elems[i].partition);
        if (s && r == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[i].err == r)
            s->committed = list->elems[i].offset;
    }
    soon(in);
}

/* ---- giving back ---------------------------------------------------------------------------- */

/* At shutdown, the tasks of partitions that were lost before are waited for too. */
static bool drained(const struct intake *in)
{
    const struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->p.revoked && s->p.tasks && (in->stopping || !s->p.released))
            return false;
    return true;
}

static void release_revoked(struct intake *in)
{
    struct slot *s, *next;
    DL_FOREACH_SAFE (in->slots, s, next) {
        if (s->p.revoked)
            s->p.released = true;
        if (s->p.released && !s->p.tasks)
            free_slot(in, s);
    }
}

static void check(rd_kafka_error_t *e, const char *doing)
{
    if (!e)
        return;
    log_warn(doing, LOG_S("error", rd_kafka_error_string(e)));
    rd_kafka_error_destroy(e);
}

/* The partitions are free: tells librdkafka, or, at shutdown, leaves the group. */
static void give_back(struct intake *in)
{
    release_revoked(in);
    if (in->leaving) {
        check(rd_kafka_incremental_unassign(in->rk, in->leaving), "cannot give partitions back");
        rd_kafka_topic_partition_list_destroy(in->leaving);
        in->leaving = NULL;
    }
    if (in->phase == CLOSING) /* we are leaving already */
        return;
    in->phase = RUNNING;
    if (!in->stopping)
        return;
    in->phase = CLOSING;
    in->deadline = ev_now(in->loop) + CLOSE_TIMEOUT;
    check(rd_kafka_consumer_close_queue(in->rk, in->group), "cannot leave the group");
}

static void begin_commit(struct intake *in)
{
    in->phase = COMMITTING;
    in->deadline = ev_now(in->loop) + COMMIT_TIMEOUT;
    if (in->commit_running) /* its answer first; advance() comes back here */
        return;
    if (!commit(in, true))
        give_back(in);
}

static void abort_revoked(struct intake *in)
{
    struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->p.revoked && (in->stopping || !s->p.released))
            in->events->abort(in->arg, &s->p);
}

/* Takes the giving back one step on, if something has changed or the time is up. */
static void advance(struct intake *in)
{
    bool late = ev_now(in->loop) >= in->deadline;
    if (in->phase == DRAINING && !drained(in) && late) {
        log_warn("calls in flight were ended: the grace is over");
        abort_revoked(in);
        in->phase = ABORTED;
        in->deadline = ev_now(in->loop) + AFTER_ABORT;
    } else if ((in->phase == DRAINING && drained(in)) ||
               (in->phase == ABORTED && (drained(in) || late))) {
        begin_commit(in);
    } else if (in->phase == COMMITTING && (!in->commit_running || late)) {
        if (late || !commit(in, true))
            give_back(in);
    } else if (in->phase == CLOSING && (rd_kafka_consumer_closed(in->rk) || late)) {
        in->phase = CLOSED;
        in->events->stopped(in->arg);
    }
}

static void drain(struct intake *in, double grace)
{
    in->phase = DRAINING;
    in->deadline = ev_now(in->loop) + grace;
    soon(in);
}

static void revoke_slot(struct intake *in, struct slot *s)
{
    if (s->p.revoked)
        return;
    in->events->revoke(in->arg, &s->p);
}

static void on_revoked(struct intake *in, rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(in->rk);
    log_info(lost ? "partitions lost" : "partitions revoked", LOG_N("count", list->cnt));
    for (int i = 0; i < list->cnt; i++) {
        struct slot *s = find(in, list->elems[i].topic, list->elems[i].partition);
        if (s)
            revoke_slot(in, s);
    }
    if (in->leaving)
        rd_kafka_topic_partition_list_destroy(in->leaving);
    in->leaving = rd_kafka_topic_partition_list_copy(list);
    if (lost) {
        if (stall_longest(&in->stall) * 1000.0 >= (double)in->config->kafka.session_timeout / 2)
            abort_revoked(in);
        give_back(in);
    } else if (in->phase == CLOSING) {
        give_back(in);
    } else if (!in->stopping) {
        drain(in, (double)in->config->worker.revoke_grace / 1000.0);
    }
}

/* ---- the group ------------------------------------------------------------------------------ */

static void add_slot(struct intake *in, const rd_kafka_topic_partition_t *p)
{
    int lane = kafka_topic_lane(in->config, p->topic);
    if (lane < 0 || find(in, p->topic, p->partition))
        return;
    struct slot *s = mem_zero(sizeof *s);
    s->p.topic = mem_string(p->topic);
    s->p.number = p->partition;
    s->p.lane = lane;
    s->committed = -1;
    window_init(&s->p.window, WINDOW_MAX);
    DL_APPEND(in->slots, s);
    consumer_forward(in->rk, p->topic, p->partition, in->lanes[lane]);
}

static void on_rebalance(struct intake *in, rd_kafka_event_t *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(e);
    if (rd_kafka_event_error(e) != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        on_revoked(in, list);
        return;
    }
    log_info("partitions assigned", LOG_N("count", list->cnt));
    for (int i = 0; i < list->cnt; i++)
        add_slot(in, &list->elems[i]);
    check(rd_kafka_incremental_assign(in->rk, list), "cannot take partitions");
}

static void serve_group(struct intake *in)
{
    rd_kafka_event_t *e;
    while ((e = rd_kafka_queue_poll(in->group, 0)) != NULL) {
        switch (rd_kafka_event_type(e)) {
        case RD_KAFKA_EVENT_REBALANCE:
            on_rebalance(in, e);
            break;
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            on_committed(in, e);
            break;
        case RD_KAFKA_EVENT_ERROR:
            complain(in, rd_kafka_event_error(e), rd_kafka_event_error_string(e));
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(e);
    }
}

static void serve(struct intake *in)
{
    serve_group(in);
    if (in->phase != RUNNING)
        advance(in);
    if (in->phase == CLOSED)
        return;
    if (!in->stopping)
        resume_paused(in);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        pull(in, lane);
    if (in->phase == RUNNING && !in->commit_running && ev_now(in->loop) >= in->next_commit) {
        in->next_commit = ev_now(in->loop) + COMMIT_EVERY;
        (void)commit(in, false);
    }
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

static void on_room(void *source, int lane)
{
    (void)lane;
    soon(source);
}

static void on_left(void *source, struct partition *p)
{
    struct intake *in = source;
    struct slot *s = (struct slot *)((char *)p - offsetof(struct slot, p));
    if (p->released && !p->tasks)
        free_slot(in, s);
    else if (p->revoked ? !p->tasks : s->paused)
        soon(in);
}

const struct source_ops intake_source = {on_room, on_left};

/* ---- making --------------------------------------------------------------------------------- */

static void watch_queues(struct intake *in)
{
    static const uint64_t one = 1;
    in->group = rd_kafka_queue_get_consumer(in->rk);
    rd_kafka_queue_io_event_enable(in->group, in->wake_fd, &one, sizeof one);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        in->lanes[lane] = rd_kafka_queue_new(in->rk);
        rd_kafka_queue_io_event_enable(in->lanes[lane], in->wake_fd, &one, sizeof one);
    }
}

struct intake *intake_new(struct ev_loop *loop, const struct config *c,
                          const struct intake_events *events, void *arg, struct error *err)
{
    rd_kafka_t *rk = consumer_new(c, err);
    if (!rk)
        return NULL;
    struct intake *in = mem_zero(sizeof *in);
    in->loop = loop;
    in->config = c;
    in->events = events;
    in->arg = arg;
    in->rk = rk;
    in->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    watch_queues(in);
    ev_io_init(&in->wake, on_wake, in->wake_fd, EV_READ);
    ev_timer_init(&in->tick, on_tick, TICK, TICK);
    ev_timer_init(&in->again, on_again, 0., 0.);
    stall_init(&in->stall, ev_now(loop));
    in->wake.data = in->tick.data = in->again.data = in;
    ev_io_start(loop, &in->wake);
    ev_timer_start(loop, &in->tick);
    if (consumer_subscribe(rk, c, err) == QUERN_OK)
        return in;
    intake_free(in);
    return NULL;
}

void intake_stop(struct intake *in)
{
    struct slot *s;
    if (in->stopping)
        return;
    in->stopping = true;
    DL_FOREACH (in->slots, s)
        revoke_slot(in, s);
    drain(in, (double)in->config->worker.shutdown_grace / 1000.0);
}

void intake_free(struct intake *in)
{
    struct slot *s, *next;
    ev_io_stop(in->loop, &in->wake);
    ev_timer_stop(in->loop, &in->tick);
    ev_timer_stop(in->loop, &in->again);
    DL_FOREACH_SAFE (in->slots, s, next)
        free_slot(in, s);
    if (in->leaving)
        rd_kafka_topic_partition_list_destroy(in->leaving);
    rd_kafka_queue_destroy(in->group);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        rd_kafka_queue_destroy(in->lanes[lane]);
    rd_kafka_destroy(in->rk);
    close(in->wake_fd);
    free(in);
}
