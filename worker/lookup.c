#include "lookup.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "cached.h"
#include "common/mem.h"
#include "pgarray.h"
#include "pglink.h"

enum { BATCH_MAX = 1000 };

/* Locks what "lookup" is about to delete by its place: see "hold" in settle_sql.c. */
static const char hold_sql[] =
    "SELECT count(*) FROM (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) "
    "  AS k(job_id, custom_id, generation, seq) ORDER BY job_id, custom_id COLLATE \"C\") k, "
    "LATERAL (SELECT FROM parked q "
    " WHERE k.seq > 0 AND q.job_id = k.job_id AND q.custom_id = k.custom_id AND q.seq <= k.seq "
    " AND EXISTS (SELECT FROM results r WHERE r.job_id = k.job_id AND r.custom_id = k.custom_id "
    "  AND r.generation >= q.generation) OFFSET 0 FOR UPDATE) row";

/* One row for each task of which something is known. A parked row that a result overlooked (both
 * were written at once) goes when its copy comes. A parked copy replaces records with a smaller
 * seq, but what is published again is made from the record at hand: of the same generation only. */
static const char sql[] =
    "WITH k AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) WITH ORDINALITY "
    "           AS k(job_id, custom_id, generation, seq, n)), "
    "opened AS (INSERT INTO jobs (id, name) SELECT DISTINCT job_id, job_id::text FROM k "
    "           ON CONFLICT DO NOTHING), "
    "left_over AS (DELETE FROM parked p USING k, LATERAL (SELECT q.ctid AS at FROM parked q "
    "           WHERE k.seq > 0 AND q.job_id = k.job_id AND q.custom_id = k.custom_id "
    "           AND q.seq <= k.seq AND EXISTS (SELECT FROM results r WHERE r.job_id = k.job_id "
    "             AND r.custom_id = k.custom_id AND r.generation >= q.generation) OFFSET 0) row "
    "           WHERE p.ctid = row.at) "
    "SELECT k.n, CASE WHEN r.job_id IS NOT NULL AND d.id IS NULL THEN 1 "
    "  WHEN r.job_id IS NOT NULL THEN 2 "
    "  WHEN p.published_at IS NULL AND p.generation = k.generation AND p.seq > k.seq THEN 3 "
    "  WHEN (p.generation, p.seq) > (k.generation, k.seq) THEN 1 "
    "  WHEN j.cancelled_generation >= k.generation THEN 4 ELSE 0 END::bigint, "
    " coalesce(d.id, p.id, 0), p.seq::bigint, p.rounds::bigint, p.attempts::bigint, "
    " (extract(epoch FROM p.due_at) * 1000)::bigint, "
    " (extract(epoch FROM p.first_seen) * 1000)::bigint, a.* "
    "FROM k LEFT JOIN results r ON r.job_id = k.job_id AND r.custom_id = k.custom_id "
    "     AND r.generation >= k.generation "
    "LEFT JOIN dead_letters d ON d.job_id = r.job_id AND d.custom_id = r.custom_id "
    "     AND d.generation = r.generation AND d.published_at IS NULL "
    "LEFT JOIN parked p ON p.job_id = k.job_id AND p.custom_id = k.custom_id "
    "LEFT JOIN jobs j ON j.id = k.job_id "
    "LEFT JOIN LATERAL (SELECT sum(input_tokens)::bigint, sum(cached_tokens)::bigint, "
    "       sum(output_tokens)::bigint, sum(reasoning_tokens)::bigint, "
    "       (sum(cost_usd) * 1000000000000)::bigint, count(*) - count(cost_usd), "
    "       (extract(epoch FROM min(started_at)) * 1000000)::bigint "
    "     FROM attempts WHERE job_id = k.job_id AND custom_id = k.custom_id "
    "     AND generation = k.generation AND k.seq > 0) a ON true "
    "WHERE r.job_id IS NOT NULL OR p.job_id IS NOT NULL OR k.seq > 0 "
    "   OR j.cancelled_generation >= k.generation";

enum column {
    C_POSITION,
    C_KIND,
    C_PUBLICATION,
    C_SEQ,
    C_ROUNDS,
    C_ATTEMPTS,
    C_DUE,
    C_FIRST_SEEN,
    C_INPUT,
    C_CACHED,
    C_OUTPUT,
    C_REASONING,
    C_COST,
    C_UNPRICED,
    C_STARTED
};

static const struct pglink_statement statements[] = {
    {"hold", hold_sql}, {"lookup", sql}, {"cached", cached_sql}, {0}};

struct lookup {
    const struct sink_events *events;
    void *arg;
    const struct config *config;
    struct pglink *link;
    struct task *waiting;
    struct task *asked[BATCH_MAX]; /* NULL: cancelled meanwhile */
    size_t count;
    bool copies; /* some are: "hold" goes before */
};

enum { PARAMETERS = 4 };

static void run(struct lookup *l, struct pgarray parameters[PARAMETERS], struct cached_ask *more)
{
    struct pglink_query q[3] = {{.name = "hold", .count = PARAMETERS}};
    const size_t n = l->copies;
    for (int i = 0; i < PARAMETERS; i++) {
        pgarray_finish(&parameters[i]);
        q[0].values[i] = parameters[i].bytes.data;
        q[0].lengths[i] = (int)parameters[i].bytes.len;
    }
    q[n] = q[0];
    q[n].name = "lookup";
    pglink_run(l->link, q, cached_query(more, &q[n + 1]) ? n + 2 : n + 1);
}

static void ask(struct lookup *l)
{
    static const enum pg_type types[PARAMETERS] = {PG_UUID, PG_TEXT, PG_INT4, PG_INT4};
    struct pgarray p[PARAMETERS];
    struct cached_ask more;
    struct task *t, *next;
    if (!l->waiting || !pglink_ready(l->link))
        return;
    for (int i = 0; i < PARAMETERS; i++)
        pgarray_init(&p[i], types[i]);
    cached_begin(&more, l->config);
    l->count = 0;
    l->copies = false;
    DL_FOREACH_SAFE (l->waiting, t, next) {
        if (l->count == BATCH_MAX)
            break;
        DL_DELETE(l->waiting, t);
        l->asked[l->count++] = t;
        pgarray_uuid(&p[0], &t->doc.job_id);
        pgarray_text(&p[1], t->doc.custom_id);
        pgarray_number(&p[2], t->doc.generation);
        pgarray_number(&p[3], t->journey.seq);
        l->copies |= t->journey.seq > 0;
        cached_add(&more, t, (int64_t)l->count);
    }
    run(l, p, &more);
    cached_end(&more);
    for (int i = 0; i < PARAMETERS; i++)
        pgarray_free(&p[i]);
}

/* What the row says of the task: the copy that is to be published again, and what earlier copies
 * have spent. */
static enum known read_row(const PGresult *r, int row, struct task *t)
{
    static const enum known kinds[] = {KNOWN_NOT, KNOWN_DONE, KNOWN_BURIED, KNOWN_PARKED,
                                       KNOWN_CANCELLED};
    enum known known = kinds[pglink_int8(r, row, C_KIND)];
    if (known == KNOWN_BURIED || known == KNOWN_PARKED)
        t->publication_id = pglink_int8(r, row, C_PUBLICATION);
    if (known == KNOWN_PARKED) {
        t->copy = t->journey;
        t->copy.lane = t->lane;
        t->copy.seq = pglink_int8(r, row, C_SEQ);
        t->copy.rounds = pglink_int8(r, row, C_ROUNDS);
        t->copy.attempts = pglink_int8(r, row, C_ATTEMPTS);
        t->copy.due_ms = pglink_int8(r, row, C_DUE);
        t->copy.first_seen_ms = pglink_int8(r, row, C_FIRST_SEEN);
    }
    if (t->attempt_count) /* looked up once more: what it spent meanwhile is its own */
        return known;
    t->before = (struct spent){.usage = {.input = pglink_int8(r, row, C_INPUT),
                                         .cached = pglink_int8(r, row, C_CACHED),
                                         .output = pglink_int8(r, row, C_OUTPUT),
                                         .reasoning = pglink_int8(r, row, C_REASONING)},
                               .cost = pglink_int8(r, row, C_COST),
                               .unpriced = pglink_int8(r, row, C_UNPRICED) > 0,
                               .started_us = pglink_int8(r, row, C_STARTED)};
    return known;
}

static void on_reply(void *arg, const struct pglink_reply *reply)
{
    struct lookup *l = arg;
    size_t count = l->count;
    l->count = 0;
    if (!reply->ok) { /* again, in the same order, when the link is ready */
        log_warn("look-up failed", LOG_S("error", reply->error.message));
        while (count-- > 0)
            if (l->asked[count])
                DL_PREPEND(l->waiting, l->asked[count]);
        return;
    }
    const size_t n = l->copies;
    const PGresult *r = reply->results[n];
    enum known known[BATCH_MAX] = {KNOWN_NOT};
    for (int row = 0; row < PQntuples(r); row++) {
        const size_t i = (size_t)pglink_int8(r, row, C_POSITION) - 1;
        if (i < count && l->asked[i])
            known[i] = read_row(r, row, l->asked[i]);
    }
    if (reply->count > n + 1)
        cached_read(reply->results[n + 1], l->asked, count, known);
    for (size_t i = 0; i < count; i++)
        if (l->asked[i])
            l->events->looked_up(l->arg, l->asked[i], known[i]);
}

static void on_ready(void *arg)
{
    ask(arg);
}

struct lookup *lookup_new(struct ev_loop *loop, const struct config *c,
                          const struct sink_events *events, void *arg)
{
    static const struct pglink_events link_events = {on_ready, on_reply};
    struct lookup *l = mem_zero(sizeof *l);
    l->events = events;
    l->arg = arg;
    l->config = c;
    l->link = pglink_new(loop, c, "lookup", statements, &link_events, l);
    return l;
}

void lookup_free(struct lookup *l)
{
    pglink_free(l->link);
    free(l);
}

void lookup_add(struct lookup *l, struct task *t)
{
    DL_APPEND(l->waiting, t);
    ask(l);
}

void lookup_cancel(struct lookup *l, struct task *t)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->asked[i] == t) {
            l->asked[i] = NULL;
            return;
        }
    }
    DL_DELETE(l->waiting, t);
}
