#include "job_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"

static void read_job(PGresult *r, struct job *out)
{
    (void)snprintf(out->id_text, sizeof out->id_text, "%s", PQgetvalue(r, 0, 0));
    (void)uuid_parse(out->id_text, &out->id);
    (void)snprintf(out->name, sizeof out->name, "%s", PQgetvalue(r, 0, 1));
    out->total = PQgetisnull(r, 0, 2) ? -1 : strtoll(PQgetvalue(r, 0, 2), NULL, 10);
    out->published = strtoll(PQgetvalue(r, 0, 3), NULL, 10);
    out->closed = !PQgetisnull(r, 0, 4);
}

static quern_status lock_name(PGconn *db, const char *name, struct error *err)
{
    PGresult *r = pg_query(
        db, "SELECT pg_try_advisory_lock(hashtextextended('quern.job.' || $1, 0))", 1, &name, err);
    if (!r)
        return QUERN_FAIL;
    bool got = PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    if (got)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "usage",
                     "somebody else is submitting job \"%s\" right now", name);
}

static quern_status insert(PGconn *db, const char *name, const struct submission *s,
                           const struct plan *plan, struct error *err)
{
    char id[UUID_TEXT_LEN + 1], total[32];
    struct uuid u = uuid_v7(units_now_us() / 1000);
    (void)snprintf(total, sizeof total, "%" PRId64, plan->tasks);
    const char *const values[] = {uuid_format(&u, id), name,    plan->digest, lane_names[s->lane],
                                  s->tenant,           s->user, s->feature,   total};
    return pg_exec(db,
                   "INSERT INTO jobs (id, name, digest, lane, tenant, \"user\", feature, total) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING",
                   8, values, err);
}

static quern_status job_was_cancelled(const char *name, struct error *err)
{
    return error_set(
        err, ERROR_PERMANENT, "usage",
        "job \"%s\" was cancelled: choose another --job name, or queue its tasks again "
        "with `quern retry %s --cancelled`",
        name, name);
}

quern_status job_open(PGconn *db, const char *name, const struct submission *s,
                      const struct plan *plan, struct job *out, struct error *err)
{
    if (lock_name(db, name, err) != QUERN_OK || insert(db, name, s, plan, err) != QUERN_OK)
        return QUERN_FAIL;
    const char *const values[] = {name, plan->digest, lane_names[s->lane]};
    PGresult *r = pg_query(db,
                           "SELECT id, name, total, published, closed_at, digest = $2 AND "
                           "lane = $3, coalesce(cancelled_generation >= generation, false) "
                           "FROM jobs WHERE name = $1",
                           3, values, err);
    if (!r)
        return QUERN_FAIL;
    bool same = PQntuples(r) == 1 && PQgetvalue(r, 0, 5)[0] == 't';
    bool cancelled = same && PQgetvalue(r, 0, 6)[0] == 't';
    if (same)
        read_job(r, out);
    PQclear(r);
    if (cancelled)
        return job_was_cancelled(name, err);
    if (same)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "usage",
                     "job \"%s\" exists with another input or other options: choose another --job "
                     "name; nothing was sent",
                     name);
}

quern_status job_progress(PGconn *db, const struct job *job, int64_t published, bool closed,
                          struct error *err)
{
    char count[32];
    (void)snprintf(count, sizeof count, "%" PRId64, published);
    const char *const values[] = {job->id_text, count, closed ? "t" : "f"};
    PGresult *r =
        pg_query(db,
                 "UPDATE jobs SET published = greatest(published, $2), finished_at = NULL, "
                 "closed_at = CASE WHEN $3::boolean THEN coalesce(closed_at, now()) END "
                 "WHERE id = $1 RETURNING coalesce(cancelled_generation >= generation, false)",
                 3, values, err);
    bool cancelled = r && PQntuples(r) == 1 && PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    if (cancelled)
        return job_was_cancelled(job->name, err);
    return r ? QUERN_OK : QUERN_FAIL;
}

quern_status job_find(PGconn *db, const char *name_or_id, struct job *out, struct error *err)
{
    PGresult *r =
        pg_query(db,
                 "SELECT id, name, total, published, closed_at FROM jobs "
                 "WHERE name = $1 OR id::text = lower($1) ORDER BY name = $1 DESC LIMIT 1",
                 1, &name_or_id, err);
    if (!r)
        return QUERN_FAIL;
    bool found = PQntuples(r) == 1;
    if (found)
        read_job(r, out);
    PQclear(r);
    if (found)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "usage",
                     "there is no job \"%s\"; `quern jobs` lists them", name_or_id);
}

quern_status job_counts(PGconn *db, const struct job *job, struct job_counts *out,
                        struct error *err)
{
    const char *id = job->id_text;
    PGresult *r =
        pg_query(db,
                 "SELECT state, total, succeeded, failed, cancelled, expired, degraded, blocked, "
                 "done, attempts, unpriced, input_tokens, output_tokens, parked, "
                 "cost_usd "
                 "FROM job_status WHERE id = $1",
                 1, &id, err);
    if (!r)
        return QUERN_FAIL;
    int64_t *const numbers[] = {
        &out->total,        &out->succeeded,     &out->failed, &out->cancelled, &out->expired,
        &out->degraded,     &out->blocked,       &out->done,   &out->attempts,  &out->unpriced,
        &out->input_tokens, &out->output_tokens, &out->parked};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    (void)snprintf(out->state, sizeof out->state, "%s", PQgetvalue(r, 0, 0));
    for (int i = 0; i < NUMBERS; i++)
        *numbers[i] = PQgetisnull(r, 0, i + 1) ? -1 : strtoll(PQgetvalue(r, 0, i + 1), NULL, 10);
    (void)snprintf(out->cost_usd, sizeof out->cost_usd, "%s", PQgetvalue(r, 0, NUMBERS + 1));
    PQclear(r);
    return QUERN_OK;
}
