#include "watch.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "pglink.h"

#define EVERY 1.0 /* seconds */
enum { TRIM_EVERY = 60 };

/* Newest first: if there are more than the pipeline keeps, the others end at their look-up. */
static const struct pglink_statement statements[] = {
    {"cancelled", "SELECT id, cancelled_generation, cancel_lets_finish::int FROM jobs "
                  "WHERE cancelled_at > now() - interval '1 day' "
                  "ORDER BY cancelled_at DESC LIMIT 1024"},
    {"volumes", volumes_query},
    {"trim", "SELECT cache_trim($1::bigint)"},
    {0}};

struct watch {
    struct ev_loop *loop;
    const struct watch_events *events;
    void *arg;
    struct pglink *link;
    struct volumes *volumes; /* NULL: no rule looks at them */
    ev_timer timer;
    bool asked, cache;               /* are answers kept? */
    char cache_max[sizeof(int64_t)]; /* big-endian, as a parameter */
    unsigned ticks;
};

static void ask(struct watch *w)
{
    const struct pglink_query trim = {
        .name = "trim", .count = 1, .values = {w->cache_max}, .lengths = {sizeof w->cache_max}};
    struct pglink_query queries[3] = {{.name = "cancelled"}, {.name = "volumes"}};
    size_t count = w->volumes ? 2 : 1;
    if (!pglink_ready(w->link))
        return;
    if (w->cache && w->ticks++ % TRIM_EVERY == 0)
        queries[count++] = trim;
    w->asked = true;
    pglink_run(w->link, queries, count);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    ask(timer->data);
}

/* What nobody has asked for today, after midnight too, is not in the answer. */
static void read_volumes(struct watch *w, const PGresult *r)
{
    volumes_clear(w->volumes);
    for (int row = 0; row < PQntuples(r); row++)
        volumes_set(w->volumes, PQgetvalue(r, row, 0),
                    (struct volume){.requests = pglink_int8(r, row, 1),
                                    .tokens = pglink_int8(r, row, 2),
                                    .cost = pglink_int8(r, row, 3)});
}

static void on_reply(void *arg, const struct pglink_reply *reply)
{
    struct watch *w = arg;
    struct uuid job;
    if (!reply->ok) /* said by the link; asked again at the next tick */
        return;
    if (w->volumes)
        read_volumes(w, reply->results[1]);
    const PGresult *r = reply->results[0];
    for (int row = 0; row < PQntuples(r); row++) {
        memcpy(&job, PQgetvalue(r, row, 0), sizeof job);
        w->events->cancelled(w->arg, &job, pglink_int4(r, row, 1), pglink_int4(r, row, 2) != 0);
    }
}

/* Told after each answer too: only the first word is asked for at once. */
static void on_ready(void *arg)
{
    struct watch *w = arg;
    if (!w->asked)
        ask(w);
}

struct watch *watch_new(struct ev_loop *loop, const struct config *c, struct volumes *volumes,
                        const struct watch_events *events, void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    struct watch *w = mem_zero(sizeof *w);
    w->loop = loop;
    w->events = events;
    w->arg = arg;
    w->volumes = volumes_wanted(c) ? volumes : NULL;
    w->cache = c->cache.rules.count > 0;
    const uint64_t most = htobe64((uint64_t)c->cache.max_size);
    memcpy(w->cache_max, &most, sizeof most);
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
