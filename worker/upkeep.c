#include "upkeep.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cached.h"
#include "common/mem.h"
#include "common/units.h"
#include "pglink.h"

#define TICK 0.5 /* seconds */
enum { STATS_MAX = 256 << 10, HOST_MAX = 256 };

enum chore { SELF, BACKLOG, FINISH, BUDGETS, ROLL_UP, CHORES };

/* Each is a transaction of its own. */
static const struct {
    const char *name;
    double every; /* seconds */
} chores[CHORES] = {[SELF] = {"self", 3.0},
                    [BACKLOG] = {"backlog", 3.0},
                    [FINISH] = {"finish", 5.0},
                    [BUDGETS] = {"budgets", 15.0},
                    [ROLL_UP] = {"roll_up", 30.0}};

static const struct pglink_statement statements[] = {
    {"self", "WITH gone AS (DELETE FROM workers WHERE seen_at < now() - interval '1 hour') "
             "INSERT INTO workers (id, host, pid, version, started_at, stats) VALUES ($1::text, "
             " $2::text, $3::int, $4::text, to_timestamp($5::bigint / 1000000.0), $6::text::jsonb) "
             "ON CONFLICT (id) DO UPDATE SET seen_at = now(), stats = EXCLUDED.stats"},
    {"backlog", "SELECT tasks, parked FROM backlog()"},
    {"finish", "SELECT jobs_finish()"},
    {"budgets",
     "SELECT l.name, (max(coalesce(x.pico, 0)) * 0.000000000001 / nullif(l.amount, 0))::float8 "
     "FROM limits l CROSS JOIN LATERAL limit_period(coalesce(l.period, 'total'), $1::text, now()) "
     "p "
     "LEFT JOIN LATERAL (SELECT sum(s.pico) AS pico FROM limit_spent s WHERE s.name = l.name "
     " AND s.period = p.begins GROUP BY s.subject) x ON true "
     "WHERE l.kind = 'cost' GROUP BY l.name, l.amount ORDER BY 2 DESC NULLS LAST, 1 LIMIT 500"},
    {"roll_up", "SELECT cost_roll_up()"},
    {0}};

struct upkeep {
    struct ev_loop *loop;
    const struct config *config;
    const struct upkeep_events *events;
    void *arg;
    struct pglink *link;
    ev_timer timer;
    double due[CHORES];
    enum chore running;
    struct upkeep_news news;
    char host[HOST_MAX];
    int64_t started_us;
};

static void add(struct pglink_query *q, const void *value, size_t len)
{
    q->values[q->count] = value;
    q->lengths[q->count++] = (int)len;
}

static void tell_self(struct upkeep *u)
{
    const uint32_t pid = htobe32((uint32_t)getpid());
    const uint64_t started = htobe64((uint64_t)u->started_us);
    struct pglink_query q = {.name = chores[SELF].name};
    struct buf stats;
    buf_init(&stats, STATS_MAX);
    u->events->describe(u->arg, &stats);
    add(&q, cached_owner(), strlen(cached_owner()));
    add(&q, u->host, strlen(u->host));
    add(&q, &pid, sizeof pid);
    add(&q, QUERN_VERSION, strlen(QUERN_VERSION));
    add(&q, &started, sizeof started);
    add(&q, stats.data, stats.len);
    pglink_run(u->link, &q, 1);
    buf_free(&stats);
}

/* The chore that is most overdue, if any is. */
static void work(struct upkeep *u)
{
    const double now = ev_now(u->loop);
    enum chore next = SELF;
    for (int c = 0; c < CHORES; c++)
        if (u->due[c] < u->due[next])
            next = (enum chore)c;
    if (u->due[next] > now || !pglink_ready(u->link))
        return;
    u->running = next;
    u->due[next] = now + chores[next].every;
    if (next == SELF) {
        tell_self(u);
        return;
    }
    struct pglink_query q = {.name = chores[next].name};
    if (next == BUDGETS)
        add(&q, u->config->limits.time_zone, strlen(u->config->limits.time_zone));
    pglink_run(u->link, &q, 1);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)events;
    work(t->data);
}

static void read_backlog(struct upkeep *u, const PGresult *r)
{
    u->news.known = true;
    for (int lane = 0; lane < LANE_COUNT && lane < PQntuples(r); lane++) {
        u->news.backlog[lane] = pglink_int8(r, lane, 0);
        u->news.parked[lane] = pglink_int8(r, lane, 1);
    }
}

/* A float8 of a binary result; 0 for a null. */
static double float8(const PGresult *r, int row, int column)
{
    const int64_t bits = pglink_int8(r, row, column);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void read_budgets(struct upkeep *u, const PGresult *r)
{
    free(u->news.budgets);
    u->news.budget_count = (size_t)PQntuples(r);
    u->news.budgets = mem_array(NULL, u->news.budget_count + 1, sizeof *u->news.budgets);
    for (int row = 0; row < PQntuples(r); row++) {
        struct upkeep_budget *b = &u->news.budgets[row];
        (void)snprintf(b->name, sizeof b->name, "%s", PQgetvalue(r, row, 0));
        b->used = float8(r, row, 1);
    }
}

static void on_reply(void *arg, const struct pglink_reply *r)
{
    struct upkeep *u = arg;
    if (!r->ok) /* said by the link; done again in its turn */
        return;
    u->news.answered = ev_now(u->loop);
    if (u->running == BACKLOG)
        read_backlog(u, r->results[0]);
    if (u->running == ROLL_UP && pglink_int4(r->results[0], 0, 0) == 2)
        u->due[ROLL_UP] = ev_now(u->loop); /* there is more */
    if (u->running == BUDGETS)
        read_budgets(u, r->results[0]);
}

static void on_ready(void *arg)
{
    work(arg);
}

struct upkeep *upkeep_new(struct ev_loop *loop, const struct config *c,
                          const struct upkeep_events *events, void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    struct upkeep *u = mem_zero(sizeof *u);
    u->loop = loop;
    u->config = c;
    u->events = events;
    u->arg = arg;
    u->started_us = units_now_us();
    if (gethostname(u->host, sizeof u->host - 1) != 0)
        (void)strcpy(u->host, "?");
    u->link = pglink_new(loop, c, "upkeep", statements, &link_events, u);
    ev_timer_init(&u->timer, on_timer, TICK, TICK);
    u->timer.data = u;
    ev_timer_start(loop, &u->timer);
    return u;
}

void upkeep_free(struct upkeep *u)
{
    ev_timer_stop(u->loop, &u->timer);
    pglink_free(u->link);
    free(u->news.budgets);
    free(u);
}

const struct upkeep_news *upkeep_news(const struct upkeep *u)
{
    return &u->news;
}
