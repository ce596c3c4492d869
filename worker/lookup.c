#include "lookup.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "common/mem.h"
#include "pgarray.h"
#include "pglink.h"

enum { BATCH_MAX = 1000 };

/* One row for each task that has a result of its generation or a newer one. */
static const struct pglink_statement statements[] = {
    {"lookup", "WITH k AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY "
               "           AS k(job_id, custom_id, generation, n)), "
               "opened AS (INSERT INTO jobs (id, name) SELECT DISTINCT job_id, job_id::text FROM k "
               "           ON CONFLICT DO NOTHING) "
               "SELECT k.n, coalesce(d.id, 0) FROM k JOIN results r USING (job_id, custom_id) "
               "LEFT JOIN dead_letters d ON d.job_id = r.job_id AND d.custom_id = r.custom_id "
               "     AND d.generation = r.generation AND d.published_at IS NULL "
               "WHERE r.generation >= k.generation"},
    {0}};

struct lookup {
    const struct sink_events *events;
    void *arg;
    struct pglink *link;
    struct task *waiting;
    struct task *asked[BATCH_MAX]; /* NULL: cancelled meanwhile */
    size_t count;
};

static void ask(struct lookup *l)
{
    struct pgarray job, id, generation;
    struct task *t, *next;
    if (!l->waiting || !pglink_ready(l->link))
        return;
    pgarray_init(&job, PG_UUID);
    pgarray_init(&id, PG_TEXT);
    pgarray_init(&generation, PG_INT4);
    l->count = 0;
    DL_FOREACH_SAFE (l->waiting, t, next) {
        if (l->count == BATCH_MAX)
            break;
        DL_DELETE(l->waiting, t);
        l->asked[l->count++] = t;
        pgarray_uuid(&job, &t->doc.job_id);
        pgarray_text(&id, t->doc.custom_id);
        pgarray_number(&generation, t->doc.generation);
    }
    struct pgarray *all[] = {&job, &id, &generation};
    struct pglink_query q = {.name = "lookup", .count = 3};
    for (int i = 0; i < 3; i++) {
        pgarray_finish(all[i]);
        q.values[i] = all[i]->bytes.data;
        q.lengths[i] = (int)all[i]->bytes.len;
    }
    pglink_run(l->link, &q, 1);
    for (int i = 0; i < 3; i++)
        pgarray_free(all[i]);
}

static int64_t number_at(const PGresult *r, int row, int column)
{
    uint64_t v;
    memcpy(&v, PQgetvalue(r, row, column), sizeof v);
    return (int64_t)be64toh(v);
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
    const PGresult *r = reply->results[0];
    enum known known[BATCH_MAX] = {KNOWN_NOT};
    for (int row = 0; row < PQntuples(r); row++) {
        size_t n = (size_t)number_at(r, row, 0) - 1;
        int64_t letter = number_at(r, row, 1);
        if (n < count && l->asked[n]) {
            known[n] = letter ? KNOWN_BURIED : KNOWN_DONE;
            l->asked[n]->letter_id = letter;
        }
    }
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
