#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "pglink.h"

#define EVERY 1.0 /* seconds */

/* Newest first: if there are more than the pipeline keeps, the others end at their look-up. */
static const struct pglink_statement statements[] = {
    {"cancelled", "SELECT id, cancelled_generation, cancel_lets_finish::int FROM jobs "
                  "WHERE cancelled_at > now() - interval '1 day' "
                  "ORDER BY cancelled_at DESC LIMIT 1024"},
    {0}};

struct watch {
    struct ev_loop *loop;
    const struct watch_events *events;
    void *arg;
    struct pglink *link;
    ev_timer timer;
};

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    static const struct pglink_query query = {.name = "cancelled"};
    struct watch *w = timer->data;
    (void)loop;
    (void)events;
    if (pglink_ready(w->link))
        pglink_run(w->link, &query, 1);
}

static void on_reply(void *arg, const struct pglink_reply *reply)
{
    struct watch *w = arg;
    struct uuid job;
    if (!reply->ok) /* said by the link; asked again at the next tick */
        return;
    const PGresult *r = reply->results[0];
    for (int row = 0; row < PQntuples(r); row++) {
        memcpy(&job, PQgetvalue(r, row, 0), sizeof job);
        w->events->cancelled(w->arg, &job, pglink_int4(r, row, 1), pglink_int4(r, row, 2) != 0);
    }
}

static void on_ready(void *arg)
{
    (void)arg;
}

struct watch *watch_new(struct ev_loop *loop, const struct config *c,
                        const struct watch_events *events, void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    struct watch *w = mem_zero(sizeof *w);
    w->loop = loop;
    w->events = events;
    w->arg = arg;
    w->link = pglink_new(loop, c, "watch", statements, &link_events, w);
    ev_timer_init(&w->timer, on_timer, EVERY, EVERY);
    w->timer.data = w;
    ev_timer_start(loop, &w->timer);
    return w;
}

void watch_free(struct watch *w)
{
    ev_timer_stop(w->loop, &w->timer);
    pglink_free(w->link);
    free(w);
}
