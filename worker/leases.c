#include "leases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "pgarray.h"
#include "pglink.h"

#define EVERY 0.2 /* seconds; well below PACE_HORIZON, so that no stretch of time is lost */
#define US 1e6

static const struct pglink_statement statements[] = {
    {"lease", "SELECT n, delay, granted FROM lease_limits($1::text[], $2::bigint[], $3::bigint)"},
    {0}};

struct leases {
    struct ev_loop *loop;
    struct gates *gates;
    const struct lease_events *events;
    void *arg;
    struct pglink *link;
    ev_timer timer;
    struct pace *asked[2 * CONFIG_LIMITS_MAX]; /* in the order of the request */
    int count;
};

static void ask(struct leases *l, struct pgarray a[2], const struct gate *g, const char *unit,
                struct pace *pace, double want)
{
    char key[GATE_KEY_MAX];
    const struct config_backend *b = l->gates->config->backends.items;
    if (want <= 0)
        return;
    (void)snprintf(key, sizeof key, "%s/%s/%s", b[g->backend].name,
                   g->limit->model ? g->limit->model : "*", unit);
    pgarray_text(&a[0], key);
    pgarray_number(&a[1], (int64_t)(want * US));
    l->asked[l->count++] = pace;
}

static void collect(struct leases *l, struct pgarray a[2])
{
    double requests, tokens;
    l->count = 0;
    for (size_t i = 0; i < l->gates->count; i++) {
        struct gate *g = &l->gates->gate[i];
        size_t waiting = g->limit ? l->events->waiting(l->arg, i) : 0;
        if (waiting == 0)
            continue;
        gate_want(g, waiting, ev_now(l->loop), &requests, &tokens);
        ask(l, a, g, "requests", &g->requests, requests);
        ask(l, a, g, "tokens", &g->tokens, tokens);
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct leases *l = timer->data;
    struct pgarray a[2];
    struct buf horizon;
    (void)loop;
    (void)events;
    if (!pglink_ready(l->link))
        return;
    pgarray_init(&a[0], PG_TEXT);
    pgarray_init(&a[1], PG_INT8);
    collect(l, a);
    buf_init(&horizon, sizeof(int64_t));
    buf_be64(&horizon, (uint64_t)(PACE_HORIZON * US));
    pgarray_finish(&a[0]);
    pgarray_finish(&a[1]);
    const struct pglink_query query = {
        .name = "lease",
        .count = 3,
        .values = {a[0].bytes.data, a[1].bytes.data, horizon.data},
        .lengths = {(int)a[0].bytes.len, (int)a[1].bytes.len, (int)horizon.len}};
    if (l->count)
        pglink_run(l->link, &query, 1);
    pgarray_free(&a[0]);
    pgarray_free(&a[1]);
    buf_free(&horizon);
}

/* The stretches are counted from when the answer comes: a little late, never early. */
static void on_reply(void *arg, const struct pglink_reply *reply)
{
    struct leases *l = arg;
    if (!reply->ok) /* said by the link; asked again at the next tick */
        return;
    const PGresult *r = reply->results[0];
    for (int row = 0; row < PQntuples(r); row++) {
        int64_t n = pglink_int8(r, row, 0);
        if (n >= 1 && n <= l->count)
            pace_lease(l->asked[n - 1], ev_now(l->loop) + (double)pglink_int8(r, row, 1) / US,
                       (double)pglink_int8(r, row, 2) / US);
    }
    l->events->leased(l->arg);
}

static void on_ready(void *arg)
{
    (void)arg;
}

struct leases *leases_new(struct ev_loop *loop, const struct config *c, struct gates *gates,
                          const struct lease_events *events, void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    if (gates->named == c->backends.count)
        return NULL;
    struct leases *l = mem_zero(sizeof *l);
    l->loop = loop;
    l->gates = gates;
    l->events = events;
    l->arg = arg;
    l->link = pglink_new(loop, c, "limits", statements, &link_events, l);
    ev_timer_init(&l->timer, on_timer, 0., EVERY);
    l->timer.data = l;
    ev_timer_start(loop, &l->timer);
    return l;
}

void leases_free(struct leases *l)
{
    if (!l)
        return;
    ev_timer_stop(l->loop, &l->timer);
    pglink_free(l->link);
    free(l);
}
