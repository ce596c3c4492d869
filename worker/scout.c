#include "scout.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/kafka.h"
#include "common/log.h"
#include "common/mem.h"
#include "intake_private.h"

#define PASS_EVERY 0.1 /* seconds at least from one pass to the next */
#define PASS_REST 2.0  /* times as long as a pass took */

enum {
    READ_MAX = 512,   /* records in one turn of the loop */
    PASSED_MAX = 1024 /* tenants; those beyond wait for the reader in order */
};

struct passed {
    UT_hash_handle hh;
    int64_t offset;
    char tenant[]; /* its name */
};

struct scout {
    rd_kafka_t *rk;
    size_t taken;            /* bytes, see consumer_nudge() */
    rd_kafka_topic_t *topic; /* held, so that its leaders are known when a pass begins */
};

struct scout *scout_new(const struct config *c, int lane, int fd, struct error *err)
{
    char name[KAFKA_TOPIC_MAX];
    rd_kafka_t *rk = consumer_scout(c, lane, err);
    if (!rk)
        return NULL;
    struct scout *s = mem_zero(sizeof *s);
    s->rk = rk;
    s->topic = rd_kafka_topic_new(rk, kafka_lane_topic(c, lane, name), NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    consumer_wake(queue, fd);
    rd_kafka_queue_destroy(queue);
    return s;
}

void scout_free(struct scout *s)
{
    if (!s)
        return;
    rd_kafka_topic_destroy(s->topic);
    rd_kafka_destroy(s->rk);
    free(s);
}

/* ---- who was passed ------------------------------------------------------------------------- */

static void note_passed(struct scan *scan, const char *tenant, int64_t offset)
{
    struct passed *p;
    HASH_FIND_STR(scan->passed, tenant, p);
    if (p || HASH_COUNT(scan->passed) >= PASSED_MAX)
        return;
    const size_t len = strlen(tenant);
    p = mem_zero(sizeof *p + len + 1);
    p->offset = offset;
    memcpy(p->tenant, tenant, len);
    HASH_ADD_KEYPTR(hh, scan->passed, p->tenant, len, p);
}

/* Forgets those from this offset on: they are about to be looked at again. */
static void forget_passed(struct scan *scan, int64_t from)
{
    struct passed *p, *next;
    HASH_ITER (hh, scan->passed, p, next) {
        if (p->offset < from)
            continue;
        HASH_DEL(scan->passed, p); // NOLINT(clang-analyzer-unix.Malloc): p is not freed yet
        free(p);
    }
}

/* The first record of a tenant that was passed, and whose turn it is now; else the last one that
 * anybody has seen. What the reader in order has come to is its own. */
static int64_t where_to_begin(const struct intake *in, const struct slot *s)
{
    int64_t from = window_end(&s->p.window) - 1;
    struct passed *p, *next;
    HASH_ITER (hh, s->scan.passed, p, next)
        if (p->offset < from && p->offset > s->last &&
            in->events->wants(in->arg, in->pool, p->tenant, true))
            from = p->offset;
    return from;
}

/* ---- passes --------------------------------------------------------------------------------- */

static bool sees_far_enough(const struct intake *in, const struct slot *s)
{
    return window_count(&s->p.window) >= (size_t)in->config->fairness.lookahead;
}

/* Begins, or ends, the reading of a partition. */
static void set_reading(struct intake *in, const struct slot *s, int64_t from, bool on)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, s->p.topic, s->p.number)->offset = from;
    intake_check(on ? rd_kafka_incremental_assign(in->scout->rk, one)
                    : rd_kafka_incremental_unassign(in->scout->rk, one),
                 "cannot look ahead in a partition");
    rd_kafka_topic_partition_list_destroy(one);
}

static void tell(const struct slot *s, const char *what, int64_t offset)
{
    log_debug(what, LOG_S("topic", s->p.topic), LOG_N("partition", s->p.number),
              LOG_N("in_order", s->last), LOG_N("offset", offset),
              LOG_N("tenants_left", HASH_COUNT(s->scan.passed)));
}

/* Only while the reader in order has to wait. */
static void begin_if_due(struct intake *in, struct slot *s)
{
    const double now = ev_now(in->loop);
    if (s->scan.on || s->p.revoked || s->p.released || now < s->scan.again ||
        window_end(&s->p.window) < 0 || in->events->has_room(in->arg, in->pool))
        return;
    int64_t from = where_to_begin(in, s);
    s->scan.again = now + PASS_EVERY;
    if (from == window_end(&s->p.window) - 1 && sees_far_enough(in, s))
        return;
    forget_passed(&s->scan, from);
    s->scan.on = true;
    s->scan.joined = false;
    s->scan.from = from;
    s->scan.began = 0;
    tell(s, "looking ahead", from);
    set_reading(in, s, from, true);
}

static void end_pass(struct intake *in, struct slot *s)
{
    const double now = ev_now(in->loop);
    s->scan.on = false;
    tell(s, "looked ahead", window_end(&s->p.window));
    s->scan.again = now + PASS_EVERY + (s->scan.began ? PASS_REST * (now - s->scan.began) : 0);
    set_reading(in, s, 0, false);
}

/* Its tenant; "": none, or it is no task: then it can wait for its turn. */
static void read_tenant(const rd_kafka_message_t *m, char out[TASK_NAME_MAX + 1])
{
    struct error ignored;
    struct buf b = {.data = out, .cap = TASK_NAME_MAX + 1, .max = TASK_NAME_MAX};
    out[0] = '\0';
    if (!m->payload || !json_check(m->payload, m->len, &ignored))
        return;
    struct json name = json_get(json_root(m->payload, m->len), "tenant");
    if (name.len <= TASK_NAME_MAX + 2 && json_string(name, &b))
        out[b.len] = '\0';
}

/* From the pass's first record on, which the window knows, each comes after the one before it:
 * between them there is none, only what is no record (a transaction's marker). What is left in the
 * queue of an earlier pass comes before that. */
static void look(struct intake *in, struct slot *s, const rd_kafka_message_t *m)
{
    char tenant[TASK_NAME_MAX + 1];
    if (s->scan.began == 0)
        s->scan.began = ev_now(in->loop);
    s->scan.joined = s->scan.joined || m->offset == s->scan.from;
    if (!s->scan.joined)
        return;
    if (m->offset >= window_end(&s->p.window) && sees_far_enough(in, s)) {
        end_pass(in, s);
    } else if (window_foresee(&s->p.window, m->offset)) {
        read_tenant(m, tenant);
        if (in->events->wants(in->arg, in->pool, tenant, false))
            intake_receive(in, s, m);
        else
            note_passed(&s->scan, tenant, m->offset);
    }
}

/* False: there is none. */
static bool read_one(struct intake *in)
{
    struct scout *scout = in->scout;
    rd_kafka_message_t *m = rd_kafka_consumer_poll(scout->rk, 0);
    if (!m && scout->taken >= in->prefetch / 2) {
        scout->taken = 0;
        consumer_nudge(scout->rk);
    }
    if (!m)
        return false;
    scout->taken += m->len;
    struct slot *s = m->rkt ? intake_find(in, rd_kafka_topic_name(m->rkt), m->partition) : NULL;
    bool wanted = s && s->scan.on && !s->p.revoked;
    if (wanted && m->err)
        end_pass(in, s);
    else if (wanted)
        look(in, s, m);
    if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        log_debug("the look ahead", LOG_S("error", rd_kafka_message_errstr(m)));
    rd_kafka_message_destroy(m);
    return true;
}

void scout_serve(struct intake *in)
{
    struct slot *s;
    int n = 0;
    DL_FOREACH (in->slots, s)
        begin_if_due(in, s);
    while (n < READ_MAX && read_one(in))
        n++;
    if (n == READ_MAX) /* there may be more, and its wake-up is spent */
        intake_soon(in);
}

void scout_forget(struct intake *in, struct slot *s)
{
    if (s->scan.on)
        end_pass(in, s);
    forget_passed(&s->scan, 0);
}
