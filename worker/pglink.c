/* States: DOWN -(timer)-> CONNECTING -> SETUP -> IDLE <-> BUSY; any of them -> DOWN on a failure.
 */
#include "pglink.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/pg.h"

#define RECONNECT_FIRST 0.1 /* seconds; doubles up to the last */
#define RECONNECT_LAST 1.0
#define COMPLAIN_EVERY 10.0
#define REPLY_TIMEOUT 15.0 /* longer than any statement may take (statement_timeout) */

/* Indexed plans only: a plan made while the tables were empty must not stay a sequential scan. A
 * statement that waits too long for somebody's lock gives up and is tried again. */
static const char setup_sql[] =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan; SET jit = off; "
    "SET statement_timeout = '10s'; SET lock_timeout = '5s'; SELECT cost_cluster()";

/* SQLSTATE of a write on a standby: after a failover, the old primary may answer so. */
#define READ_ONLY "25006"

enum state { DOWN, CONNECTING, SETUP, IDLE, BUSY };

struct pglink {
    struct ev_loop *loop;
    const struct config *config;
    const char *name;
    const struct pglink_statement *statements;
    const struct pglink_events *events;
    void *arg;
    enum state state;
    PGconn *conn;
    ev_io io;
    ev_timer timer;
    double delay, next_complaint;
    PGresult *results[PGLINK_STATEMENTS_MAX];
    size_t count;
    bool failed, read_only;
    struct error error;
};

static void on_timer(struct ev_loop *loop, ev_timer *t, int events);

int64_t pglink_int8(const PGresult *r, int row, int column)
{
    uint64_t v = 0;
    if (!PQgetisnull(r, row, column))
        memcpy(&v, PQgetvalue(r, row, column), sizeof v);
    return (int64_t)be64toh(v);
}

int32_t pglink_int4(const PGresult *r, int row, int column)
{
    uint32_t v = 0;
    if (!PQgetisnull(r, row, column))
        memcpy(&v, PQgetvalue(r, row, column), sizeof v);
    return (int32_t)be32toh(v);
}

static void clear_results(struct pglink *l)
{
    for (size_t i = 0; i < l->count; i++)
        PQclear(l->results[i]);
    l->count = 0;
    l->failed = false;
}

static void set_timer(struct pglink *l, double after)
{
    ev_timer_stop(l->loop, &l->timer);
    if (after <= 0)
        return;
    ev_timer_set(&l->timer, after, 0.);
    ev_timer_start(l->loop, &l->timer);
}

/* Drops the connection and tries again later; a transaction under way has failed. */
static void go_down(struct pglink *l, const char *why)
{
    char text[400];
    enum state was = l->state;
    pg_message(why, text, sizeof text);
    if (was >= IDLE || ev_now(l->loop) >= l->next_complaint) {
        log_warn(was >= IDLE ? "PostgreSQL connection lost" : "cannot connect to PostgreSQL",
                 LOG_S("link", l->name), LOG_S("error", text));
        l->next_complaint = ev_now(l->loop) + COMPLAIN_EVERY;
    }
    ev_io_stop(l->loop, &l->io);
    PQfinish(l->conn);
    l->conn = NULL;
    clear_results(l);
    l->state = DOWN;
    set_timer(l, l->delay);
    l->delay = l->delay * 2 < RECONNECT_LAST ? l->delay * 2 : RECONNECT_LAST;
    if (was != BUSY)
        return;
    struct pglink_reply r = {0};
    (void)error_set(&r.error, ERROR_RETRY, "unreachable", "PostgreSQL: %s", text);
    l->events->reply(l->arg, &r);
}

static void watch(struct pglink *l, int events)
{
    ev_io_stop(l->loop, &l->io);
    ev_io_set(&l->io, PQsocket(l->conn), events);
    ev_io_start(l->loop, &l->io);
}

static bool flush(struct pglink *l)
{
    int left = PQflush(l->conn);
    if (left < 0) {
        go_down(l, PQerrorMessage(l->conn));
        return false;
    }
    watch(l, left ? EV_READ | EV_WRITE : EV_READ);
    return true;
}

static bool send_setup(struct pglink *l)
{
    if (!PQenterPipelineMode(l->conn))
        return false;
    for (const struct pglink_statement *s = l->statements; s->name; s++)
        if (!PQsendPrepare(l->conn, s->name, s->sql, 0, NULL))
            return false;
    return PQpipelineSync(l->conn) == 1;
}

static void connected(struct pglink *l)
{
    l->state = SETUP;
    if (PQsetnonblocking(l->conn, 1) != 0 || !PQsendQuery(l->conn, setup_sql) || !flush(l))
        if (l->conn)
            go_down(l, PQerrorMessage(l->conn));
}

static void connect_step(struct pglink *l)
{
    switch (PQconnectPoll(l->conn)) {
    case PGRES_POLLING_OK:
        connected(l);
        break;
    case PGRES_POLLING_READING:
        watch(l, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        watch(l, EV_WRITE);
        break;
    default:
        go_down(l, PQerrorMessage(l->conn));
    }
}

/* Data that PostgreSQL will never take: SQLSTATE classes 22 (data) and 23 (constraint). Everything
 * else (locks, time-outs, full disks, shutdowns, a missing table) may pass. */
static void note_failure(struct pglink *l, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    char text[400];
    if (l->failed)
        return;
    l->failed = true;
    pg_message(PQresultErrorMessage(r), text, sizeof text);
    l->read_only = state && strcmp(state, READ_ONLY) == 0;
    bool data = state && (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0);
    (void)error_set(&l->error, data ? ERROR_PERMANENT : ERROR_RETRY, "database", "%s: %s",
                    state ? state : "?", text);
}

static void finish(struct pglink *l)
{
    struct pglink_reply r = {
        .ok = !l->failed, .error = l->error, .results = l->results, .count = l->count};
    bool was_busy = l->state == BUSY;
    set_timer(l, 0);
    if (!was_busy && l->failed) {
        go_down(l, l->error.message);
        return;
    }
    if (!was_busy)
        log_info("connected to PostgreSQL", LOG_S("link", l->name));
    l->delay = RECONNECT_FIRST;
    if (was_busy) /* still busy: whoever wants to run something next waits for `ready` */
        l->events->reply(l->arg, &r);
    clear_results(l);
    if (l->read_only) {
        l->read_only = false;
        l->state = IDLE;
        go_down(l, "the server is read-only now; looking for the primary");
        return;
    }
    l->state = IDLE;
    l->events->ready(l->arg);
}

static void take_result(struct pglink *l, PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK)
        note_failure(l, r);
    if (l->count < PGLINK_STATEMENTS_MAX)
        l->results[l->count++] = r;
    else
        PQclear(r);
}

/* What sets the session up went ahead of the pipeline; then come the prepared statements. */
static void setup_result(struct pglink *l, PGresult *r)
{
    if (PQpipelineStatus(l->conn) != PQ_PIPELINE_OFF) {
        take_result(l, r);
        return;
    }
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        note_failure(l, r);
    PQclear(r);
}

static void read_results(struct pglink *l)
{
    int nulls = 0;
    while (l->conn && !PQisBusy(l->conn)) {
        PGresult *r = PQgetResult(l->conn);
        if (!r) { /* between two statements of a pipeline, and once at the end of a plain one */
            if (PQpipelineStatus(l->conn) == PQ_PIPELINE_OFF) {
                if (!send_setup(l) || !flush(l))
                    if (l->conn)
                        go_down(l, PQerrorMessage(l->conn));
                return;
            }
            if (l->state == IDLE || ++nulls > 1)
                return;
            continue;
        }
        nulls = 0;
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            finish(l);
        } else if (l->state == SETUP) {
            setup_result(l, r);
        } else {
            take_result(l, r);
        }
    }
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
    struct pglink *l = w->data;
    (void)loop;
    if (l->state == CONNECTING) {
        connect_step(l);
        return;
    }
    if (events & EV_READ && !PQconsumeInput(l->conn)) {
        go_down(l, PQerrorMessage(l->conn));
        return;
    }
    if (events & EV_WRITE && !flush(l))
        return;
    read_results(l);
}

static void begin_connect(struct pglink *l)
{
    struct pg_params p;
    struct error err;
    if (pg_params_init(&p, l->config, "quern-worker", &err) != QUERN_OK) {
        l->state = CONNECTING;
        l->conn = NULL;
        go_down(l, err.message);
        return;
    }
    l->conn = PQconnectStartParams(p.keywords, p.values, 1);
    pg_params_free(&p);
    l->state = CONNECTING;
    if (!l->conn || PQstatus(l->conn) == CONNECTION_BAD) {
        go_down(l, l->conn ? PQerrorMessage(l->conn) : "out of memory");
        return;
    }
    set_timer(l, (double)l->config->database.connect_timeout / 1000.0);
    watch(l, EV_WRITE);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
    struct pglink *l = t->data;
    (void)loop;
    (void)events;
    if (l->state == DOWN)
        begin_connect(l);
    else
        go_down(l, l->state == BUSY ? "no answer in time" : "no connection in time");
}

struct pglink *pglink_new(struct ev_loop *loop, const struct config *c, const char *name,
                          const struct pglink_statement *statements,
                          const struct pglink_events *events, void *arg)
{
    struct pglink *l = mem_zero(sizeof *l);
    l->loop = loop;
    l->config = c;
    l->name = name;
    l->statements = statements;
    l->events = events;
    l->arg = arg;
    l->delay = RECONNECT_FIRST;
    ev_init(&l->io, on_io);
    ev_init(&l->timer, on_timer);
    l->io.data = l->timer.data = l;
    set_timer(l, 0.001); /* from the loop, not from here */
    return l;
}

void pglink_free(struct pglink *l)
{
    set_timer(l, 0);
    ev_io_stop(l->loop, &l->io);
    clear_results(l);
    PQfinish(l->conn);
    free(l);
}

bool pglink_ready(const struct pglink *l)
{
    return l->state == IDLE;
}

void pglink_run(struct pglink *l, const struct pglink_query *queries, size_t count)
{
    int binary[PGLINK_PARAMS_MAX];
    for (size_t i = 0; i < PGLINK_PARAMS_MAX; i++)
        binary[i] = 1;
    bool sent = true;
    clear_results(l);
    l->state = BUSY;
    for (size_t i = 0; i < count && sent; i++)
        sent = PQsendQueryPrepared(l->conn, queries[i].name, queries[i].count, queries[i].values,
                                   queries[i].lengths, binary, 1) == 1;
    set_timer(l, REPLY_TIMEOUT);
    if (!sent || !PQpipelineSync(l->conn))
        go_down(l, PQerrorMessage(l->conn));
    else
        (void)flush(l);
}
