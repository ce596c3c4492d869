#include "quota.h"

#include <stdlib.h>
#include <string.h>

#include "cached.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/pg.h"
#include "pgarray.h"
#include "pglink.h"

#define EVERY 0.02      /* seconds between looks at what is due */
#define RULES_EVERY 1.0 /* between readings of the rules; changes hold within five seconds */

enum { ASK_MAX = 512, DELIVERED_MAX = 64 };

static const char rules_sql[] = LIMIT_RULES_SQL("kind <> 'pending' AND on_limit <> 'reject'");

static const char lease_sql[] =
    "SELECT n, granted, life, mark, ends, used, others, amount, wait "
    "FROM limits_lease($1::text, $2::text, $3::text[], $4::text[], $5::bigint[], $6::bigint[], "
    " $7::bigint[], $8::bigint[])";

/* One worker tells each; if it does not say that it did, another one will. */
static const char warned_sql[] =
    "UPDATE limit_warnings w SET claimed_at = now() WHERE id IN (SELECT id FROM limit_warnings "
    " WHERE delivered_at IS NULL AND claimed_at < now() - interval '30 s' ORDER BY id LIMIT 16 "
    " FOR UPDATE SKIP LOCKED) "
    "RETURNING id, name, subject, CASE WHEN period = '-infinity' THEN '' "
    " ELSE to_char(period AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') END, "
    " percent::bigint, (spent_usd * 1000000000000)::bigint, (limit_usd * 1000000000000)::bigint";

static const char delivered_sql[] =
    "UPDATE limit_warnings SET delivered_at = now() WHERE id = ANY ($1::bigint[])";

static const struct pglink_statement statements[] = {{"rules", rules_sql},
                                                     {"lease", lease_sql},
                                                     {"warned", warned_sql},
                                                     {"delivered", delivered_sql},
                                                     {0}};

struct quota_link {
    struct ev_loop *loop;
    const struct config *config;
    struct meters *meters;
    const struct quota_events *events;
    void *arg;
    struct pglink *link;
    ev_timer timer;
    bool known; /* the rules were read */
    double rules_at, asked_at;
    struct buf rules;     /* as read last, to see a change */
    char *asked[ASK_MAX]; /* keys of meters, in the order of the question */
    size_t count;
    int64_t delivered[DELIVERED_MAX];
    size_t delivered_count;
    int at_rules, at_warned, at_lease; /* positions of the results; -1: not asked */
};

enum { PARAMETERS = 6 };

static void collect(struct quota_link *l, struct pgarray a[PARAMETERS])
{
    struct meter *m, *next;
    const double now = ev_now(l->loop);
    HASH_ITER (hh, l->meters->by_key, m, next) {
        if (l->count == ASK_MAX)
            return;
        if (!meter_due(m, now))
            continue;
        const struct meter_question q = meter_ask(m);
        l->asked[l->count++] = mem_string(m->key);
        m->ask_at = now + 1e3; /* until the answer comes */
        pgarray_bytes(&a[0], m->name, strcspn(m->name, "\x1f"));
        pgarray_text(&a[1], m->subject);
        pgarray_number(&a[2], q.want);
        pgarray_number(&a[3], q.enough);
        pgarray_number(&a[4], q.hold);
        pgarray_number(&a[5], q.bucket);
    }
}

static void add_parameter(struct pglink_query *q, const char *bytes, size_t len)
{
    q->values[q->count] = bytes;
    q->lengths[q->count++] = (int)len;
}

static void ask_lease(struct quota_link *l, struct pglink_query *q, struct pgarray a[PARAMETERS])
{
    static const enum pg_type types[PARAMETERS] = {PG_TEXT, PG_TEXT, PG_INT8,
                                                   PG_INT8, PG_INT8, PG_INT8};
    *q = (struct pglink_query){.name = "lease"};
    for (int i = 0; i < PARAMETERS; i++)
        pgarray_init(&a[i], types[i]);
    l->count = 0;
    collect(l, a);
    add_parameter(q, cached_owner(), strlen(cached_owner()));
    add_parameter(q, l->config->limits.time_zone, strlen(l->config->limits.time_zone));
    for (int i = 0; i < PARAMETERS; i++) {
        pgarray_finish(&a[i]);
        add_parameter(q, a[i].bytes.data, a[i].bytes.len);
    }
}

static void ask_delivered(struct quota_link *l, struct pglink_query *q, struct pgarray *ids)
{
    *q = (struct pglink_query){.name = "delivered"};
    pgarray_init(ids, PG_INT8);
    for (size_t i = 0; i < l->delivered_count; i++)
        pgarray_number(ids, l->delivered[i]);
    pgarray_finish(ids);
    add_parameter(q, ids->bytes.data, ids->bytes.len);
    l->delivered_count = 0;
}

static void ask(struct quota_link *l)
{
    struct pglink_query q[4];
    struct pgarray a[PARAMETERS], ids = {0};
    const double now = ev_now(l->loop);
    size_t n = 0;
    if (!pglink_ready(l->link))
        return;
    l->at_rules = l->at_warned = l->at_lease = -1;
    ask_lease(l, &q[n], a);
    if (l->count)
        l->at_lease = (int)n++;
    if (now >= l->rules_at) {
        l->rules_at = now + RULES_EVERY;
        l->at_rules = (int)n;
        q[n++] = (struct pglink_query){.name = "rules"};
        if (l->meters->rule_count) {
            l->at_warned = (int)n;
            q[n++] = (struct pglink_query){.name = "warned"};
        }
        if (l->delivered_count)
            ask_delivered(l, &q[n++], &ids);
    }
    l->asked_at = now;
    if (n)
        pglink_run(l->link, q, n);
    for (int i = 0; i < PARAMETERS; i++)
        pgarray_free(&a[i]);
    pgarray_free(&ids);
}

/* ---- answers -------------------------------------------------------------------------------- */

static char *text_of(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column)
               ? NULL
               : mem_copy(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

/* The rows as they came, to be compared. */
static void write_rows(const PGresult *r, struct buf *out)
{
    for (int row = 0; row < PQntuples(r); row++)
        for (int column = 0; column < PQnfields(r); column++) {
            buf_printf(out, "%d:", PQgetlength(r, row, column));
            buf_add(out, PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
        }
}

static void read_rules(struct quota_link *l, const PGresult *r)
{
    enum { TEXT_MAX = 8 << 20 };
    struct buf text;
    buf_init(&text, TEXT_MAX);
    write_rows(r, &text);
    bool same = l->known && text.len == l->rules.len &&
                (text.len == 0 || memcmp(text.data, l->rules.data, text.len) == 0);
    buf_free(same ? &text : &l->rules);
    if (same)
        return;
    l->known = true;
    l->rules = text;
    size_t count;
    struct limit_rule *rules = limit_rules_read(r, &count);
    meters_set_rules(l->meters, rules, count);
    log_info("limits", LOG_N("count", count));
    l->events->changed(l->arg);
}

static void read_lease(struct quota_link *l, const PGresult *r)
{
    struct meter *m;
    const double now = ev_now(l->loop);
    for (int row = 0; row < PQntuples(r); row++) {
        const size_t n = (size_t)pglink_int8(r, row, 0);
        if (n < 1 || n > l->count)
            continue;
        HASH_FIND_STR(l->meters->by_key, l->asked[n - 1], m);
        if (!m)
            continue;
        const struct meter_answer a = {.granted = pglink_int8(r, row, 1),
                                       .life_us = pglink_int8(r, row, 2),
                                       .mark = pglink_int8(r, row, 3),
                                       .ends_us = pglink_int8(r, row, 4),
                                       .used = pglink_int8(r, row, 5),
                                       .others = pglink_int8(r, row, 6),
                                       .amount = pglink_int8(r, row, 7),
                                       .wait_us = pglink_int8(r, row, 8)};
        meter_answer(m, &a, l->asked_at, now);
        l->events->answered(l->arg, m);
    }
}

static void read_warned(struct quota_link *l, const PGresult *r)
{
    for (int row = 0; row < PQntuples(r); row++) {
        char *name = text_of(r, row, 1), *subject = text_of(r, row, 2),
             *period = text_of(r, row, 3);
        const struct quota_warning w = {.id = pglink_int8(r, row, 0),
                                        .name = name,
                                        .subject = subject,
                                        .period = period,
                                        .percent = pglink_int8(r, row, 4),
                                        .spent = pglink_int8(r, row, 5),
                                        .amount = pglink_int8(r, row, 6)};
        l->events->warned(l->arg, &w);
        free(name);
        free(subject);
        free(period);
    }
}

/* What was not answered is asked again. */
static void forget_question(struct quota_link *l, double wait)
{
    struct meter *m;
    for (size_t i = 0; i < l->count; i++) {
        HASH_FIND_STR(l->meters->by_key, l->asked[i], m);
        if (m && m->ask_at > ev_now(l->loop) + 100)
            m->ask_at = ev_now(l->loop) + wait;
        free(l->asked[i]);
    }
    l->count = 0;
}

static void on_reply(void *arg, const struct pglink_reply *reply)
{
    struct quota_link *l = arg;
    if (reply->ok && l->at_lease >= 0)
        read_lease(l, reply->results[l->at_lease]);
    forget_question(l, reply->ok ? 0 : 1);
    if (!reply->ok) {
        log_warn("limits could not be asked for; what waits for them waits on",
                 LOG_S("error", reply->error.message));
        l->rules_at = 0;
        return;
    }
    if (l->at_warned >= 0)
        read_warned(l, reply->results[l->at_warned]);
    if (l->at_rules >= 0)
        read_rules(l, reply->results[l->at_rules]);
    meters_sweep(l->meters);
    l->timer.repeat = l->meters->rule_count ? EVERY : RULES_EVERY;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    ask(timer->data);
}

static void on_ready(void *arg)
{
    (void)arg;
}

void quota_delivered(struct quota_link *l, int64_t id)
{
    if (l->delivered_count < DELIVERED_MAX)
        l->delivered[l->delivered_count++] = id;
}

struct quota_link *quota_link_new(struct ev_loop *loop, const struct config *c,
                                  struct meters *meters, const struct quota_events *events,
                                  void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    struct quota_link *l = mem_zero(sizeof *l);
    l->loop = loop;
    l->config = c;
    l->meters = meters;
    l->events = events;
    l->arg = arg;
    l->link = pglink_new(loop, c, "quota", statements, &link_events, l);
    ev_timer_init(&l->timer, on_timer, 0., EVERY);
    l->timer.data = l;
    ev_timer_start(loop, &l->timer);
    return l;
}

void quota_link_free(struct quota_link *l)
{
    ev_timer_stop(l->loop, &l->timer);
    pglink_free(l->link);
    for (size_t i = 0; i < l->count; i++)
        free(l->asked[i]);
    buf_free(&l->rules);
    free(l);
}

/* ---- before and after the loop ----------------------------------------------------------------
 */

quern_status quota_check(PGconn *db, const struct config *c, struct error *err)
{
    const char *const values[] = {c->limits.time_zone};
    PGresult *r =
        pg_query(db,
                 "SELECT CASE WHEN EXISTS (SELECT FROM pg_timezone_names WHERE name = $1) THEN 1 "
                 "WHEN $1 ~ '^<[^>]+>[+-]?[0-9:]+$' THEN (now() AT TIME ZONE $1 IS NOT NULL)::int "
                 "ELSE 0 END",
                 1, values, err);
    const bool known = r && PQgetvalue(r, 0, 0)[0] == '1';
    PQclear(r);
    if (known || !r)
        return known ? QUERN_OK : QUERN_FAIL;
    return error_set(err, ERROR_FATAL, "config",
                     "%s: limits.time_zone \"%s\" is no time zone that PostgreSQL knows, e.g. "
                     "Europe/Berlin",
                     c->path, c->limits.time_zone);
}

void quota_return_shares(const struct config *c)
{
    struct error err;
    const char *const values[] = {cached_owner()};
    PGconn *db = pg_connect(c, "quern-worker", &err);
    PGresult *r =
        db ? pg_query(db, "DELETE FROM limit_leases WHERE worker = $1", 1, values, &err) : NULL;
    PQclear(r);
    PQfinish(db);
}
