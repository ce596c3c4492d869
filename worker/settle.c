#include "settle.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "common/mem.h"
#include "settle_batch.h"

#define PAUSE_AFTER_FAILURE 0.2 /* seconds */

enum { PUBLISHED_MAX = 4096 };

struct settle {
    struct ev_loop *loop;
    const struct sink_events *events;
    void *arg;
    struct pglink *link;
    ev_timer timer;
    double delay;
    size_t rows_max, rows_now; /* rows_now: smaller while a bad row is being looked for */
    struct task *waiting;
    size_t waiting_count;
    struct batch batch;
    int64_t published[PUBLISHED_MAX];
    size_t published_count;
    bool running, paused, all_letters;
    double sent; /* the transaction that runs, by the loop's clock */
    struct settle_stats stats;
};

/* One that was refused goes alone: it may be refused again. */
static void fill(struct settle *s)
{
    struct task *t, *next;
    DL_FOREACH_SAFE (s->waiting, t, next) {
        if (s->batch.count == s->rows_now || batch_full(&s->batch) ||
            (s->batch.count > 0 && (t->simplified || s->batch.tasks[0]->simplified)))
            break;
        DL_DELETE(s->waiting, t);
        s->waiting_count--;
        batch_add(&s->batch, t);
    }
}

/* The next transaction begins when there is enough for one, or the oldest has waited. */
static void flush(struct settle *s)
{
    if (s->running || s->paused || !pglink_ready(s->link) || (!s->waiting && !s->published_count))
        return;
    ev_timer_stop(s->loop, &s->timer);
    s->running = true;
    batch_begin(&s->batch, s->all_letters);
    fill(s);
    batch_close(&s->batch);
    batch_published(&s->batch, s->published, s->published_count);
    s->published_count = 0;
    s->sent = ev_now(s->loop);
    batch_run(&s->batch, s->link);
}

static void arm(struct settle *s, double after)
{
    if (ev_is_active(&s->timer))
        return;
    ev_timer_set(&s->timer, after, 0.);
    ev_timer_start(s->loop, &s->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
    struct settle *s = t->data;
    (void)loop;
    (void)events;
    s->paused = false;
    flush(s);
}

/* Puts the batch back, before what came since. */
static void take_back(struct settle *s)
{
    for (size_t i = s->batch.count; i-- > 0;) {
        DL_PREPEND(s->waiting, s->batch.tasks[i]);
        s->waiting_count++;
    }
    for (size_t i = 0; i < s->batch.published_count; i++)
        settle_published(s, s->batch.published[i]);
}

/* One row that PostgreSQL will never take: write that it failed, without what it held. */
static void simplify(struct task *t, const struct error *why)
{
    log_error("a result cannot be stored as it is; it is stored as failed",
              LOG_S("custom_id", t->readable ? t->doc.custom_id : ""),
              LOG_S("error", why->message));
    t->simplified = true;
    for (size_t i = 0; i < t->attempt_count; i++) {
        t->attempts[i].usage = (struct usage){0};
        t->attempts[i].cost = -1;
    }
    task_drop_response(t);
    if (t->status == STATUS_NONE)
        return;
    (void)error_set(&t->error, ERROR_PERMANENT, "unstorable", "PostgreSQL refused the result: %s",
                    why->message);
    t->status = STATUS_FAILED;
}

/* The batch is one row, and the data are at fault. True if it was put behind the others: even its
 * simple form was refused, and whatever the reason is, nobody shall wait for it. */
static bool refuse(struct settle *s, const struct error *err)
{
    struct task *t = s->batch.tasks[0];
    if (!t->simplified) {
        simplify(t, err);
        return false;
    }
    s->rows_now = s->rows_max;
    DL_APPEND(s->waiting, t);
    s->waiting_count++;
    return true;
}

static void on_failure(struct settle *s, const struct error *err)
{
    bool refused = false;
    s->stats.failures++;
    log_warn("results were not written; they wait", LOG_S("error", err->message),
             LOG_N("rows", s->batch.count));
    if (err->class == ERROR_PERMANENT) {
        if (s->batch.count > 1)
            s->rows_now = s->batch.count / 2;
        else if (s->batch.count == 1)
            refused = refuse(s, err);
    }
    if (!refused)
        take_back(s);
    s->paused = true;
    ev_timer_stop(s->loop, &s->timer);
    arm(s, PAUSE_AFTER_FAILURE);
}

static void on_reply(void *arg, const struct pglink_reply *r)
{
    struct settle *s = arg;
    s->running = false;
    if (!r->ok) {
        on_failure(s, &r->error);
        return;
    }
    s->stats.duplicates += batch_lost(&s->batch, r);
    s->all_letters = batch_lost_some(&s->batch, r);
    if (s->all_letters) {
        take_back(s); /* the link is ready next, and all are the first again */
        return;
    }
    s->rows_now = s->rows_max;
    histogram_add(&s->stats.rows, buckets_rows, (double)s->batch.count);
    histogram_add(&s->stats.seconds, buckets_settle, ev_now(s->loop) - s->sent);
    batch_read(&s->batch, r);
    for (size_t i = 0; i < s->batch.count; i++)
        s->events->settled(s->arg, s->batch.tasks[i]);
    s->batch.count = 0;
}

static void on_ready(void *arg)
{
    struct settle *s = arg;
    if (s->waiting_count >= s->rows_now || s->rows_now < s->rows_max || s->all_letters)
        flush(s);
    else if (s->waiting || s->published_count)
        arm(s, s->delay);
}

struct settle *settle_new(struct ev_loop *loop, const struct config *c,
                          const struct sink_events *events, void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    struct settle *s = mem_zero(sizeof *s);
    s->loop = loop;
    s->events = events;
    s->arg = arg;
    s->delay = (double)c->worker.settle_delay / 1000.0;
    s->rows_max = s->rows_now = (size_t)c->worker.settle_rows;
    batch_init(&s->batch, s->rows_max, (size_t)c->cache.entry_max);
    ev_timer_init(&s->timer, on_timer, 0., 0.);
    s->timer.data = s;
    s->link = pglink_new(loop, c, "settle", settle_statements, &link_events, s);
    return s;
}

void settle_free(struct settle *s)
{
    ev_timer_stop(s->loop, &s->timer);
    pglink_free(s->link);
    batch_free(&s->batch);
    free(s);
}

void settle_add(struct settle *s, struct task *t)
{
    DL_APPEND(s->waiting, t);
    s->waiting_count++;
    if (s->waiting_count >= s->rows_now)
        flush(s);
    else if (!s->running && pglink_ready(s->link))
        arm(s, s->delay);
}

void settle_stats(const struct settle *s, struct settle_stats *out)
{
    *out = s->stats;
    out->waiting = s->waiting_count;
}

void settle_published(struct settle *s, int64_t publication_id)
{
    if (s->published_count == PUBLISHED_MAX) /* it will be published once more: harmless */
        return;
    s->published[s->published_count++] = publication_id;
    if (!s->running && pglink_ready(s->link))
        arm(s, s->delay);
}
