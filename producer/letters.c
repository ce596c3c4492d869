#include "letters.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/task_doc.h"
#include "sender.h"

enum { CHUNK_TEXT = 16, RECORD_GROWTH = 64 };
#define CHUNK "500" /* letters in one step; each may be half a megabyte */

const char letter_condition[] =
    "($1::uuid IS NULL OR d.job_id = $1) AND ($2::text IS NULL OR d.reason = $2) "
    "AND ($3::text IS NULL OR d.tenant = $3) AND ($4::text IS NULL OR d.error ~* $4) "
    "AND ($5::timestamptz IS NULL OR d.created_at >= $5) "
    "AND ($6::timestamptz IS NULL OR d.created_at < $6) "
    "AND ($7::bigint[] IS NULL OR d.id = ANY($7)) "
    "AND ($8::text[] IS NULL OR d.status = ANY($8))";

void letter_parameters(const struct letter_filter *f, const char *values[LETTER_PARAMETERS])
{
    const char *const all[LETTER_PARAMETERS] = {f->job,   f->reason, f->tenant, f->error,
                                                f->since, f->until,  f->ids,    f->statuses};
    memcpy(values, all, sizeof all);
}

/* A letter whose task has come to another outcome since is history. */
#define REPLAYABLE                                                                                 \
    "FROM dead_letters d JOIN results r ON r.job_id = d.job_id AND r.custom_id = d.custom_id "     \
    "AND r.generation = d.generation WHERE d.replayed_at IS NULL AND "

/* With a ninth parameter, if it is not NULL. */
static PGresult *query(PGconn *db, const char *before, const char *after,
                       const struct letter_filter *f, const char *ninth, struct error *err)
{
    const char *values[LETTER_PARAMETERS + 1];
    letter_parameters(f, values);
    values[LETTER_PARAMETERS] = ninth;
    char *sql = mem_format("%s%s%s", before, letter_condition, after);
    PGresult *r = pg_query(db, sql, LETTER_PARAMETERS + (ninth != NULL), values, err);
    free(sql);
    return r;
}

quern_status letters_count(PGconn *db, const struct letter_filter *f, int64_t *count,
                           struct error *err)
{
    PGresult *r = query(db, "SELECT count(*) " REPLAYABLE, "", f, NULL, err);
    if (r)
        *count = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

enum { C_ID, C_JOB, C_CUSTOM_ID, C_LANE, C_GENERATION, C_RECORD };

/* The generation is chosen, and written down, before anything is sent: whoever repeats this sends
 * the same record. It lies above that of a cancellation. */
static PGresult *choose(PGconn *db, const struct letter_filter *f, const char *newest,
                        struct error *err)
{
    return query(
        db, "WITH picked AS (SELECT d.id " REPLAYABLE,
        " AND d.id <= $9::bigint ORDER BY d.id LIMIT " CHUNK " FOR UPDATE OF d), "
        "marked AS (UPDATE dead_letters d SET replay_generation = CASE "
        " WHEN d.replay_generation > coalesce(j.cancelled_generation, -1) THEN d.replay_generation "
        " ELSE greatest(d.generation, d.replay_generation, j.cancelled_generation) + 1 END "
        " FROM picked, jobs j WHERE d.id = picked.id AND j.id = d.job_id RETURNING d.*), "
        "raised AS (UPDATE jobs j SET generation = greatest(j.generation, m.newest) "
        " FROM (SELECT job_id, max(replay_generation) AS newest FROM marked GROUP BY 1) m "
        " WHERE j.id = m.job_id) "
        "SELECT id, job_id, custom_id, coalesce(lane, substring(topic FROM '[^.]*$')), "
        " replay_generation, record FROM marked",
        f, newest, err);
}

/* The records are sent: the letters are history, and their results no longer count. Rows are locked
 * in the order that the workers use. */
static const char done_sql[] =
    "WITH l AS (UPDATE dead_letters SET replayed_at = now() WHERE id = ANY($1::bigint[]) "
    "  RETURNING job_id, custom_id, replay_generation), "
    "old AS (SELECT r.job_id, r.custom_id FROM results r JOIN l USING (job_id, custom_id) "
    "  WHERE r.generation < l.replay_generation AND r.reopened_at IS NULL "
    "  ORDER BY r.job_id, r.custom_id FOR UPDATE OF r), "
    "o AS (UPDATE results r SET reopened_at = now() FROM old WHERE r.job_id = old.job_id "
    "  AND r.custom_id = old.custom_id RETURNING r.job_id, r.status), "
    "j AS (SELECT id FROM jobs WHERE id IN (SELECT job_id FROM o) ORDER BY id FOR UPDATE), "
    "open AS (UPDATE jobs SET finished_at = NULL FROM j WHERE jobs.id = j.id) "
    "INSERT INTO job_counters AS c (job_id, shard, failed, cancelled, expired) "
    "SELECT job_id, (pg_backend_pid() % 64)::smallint, -count(*) FILTER (WHERE status = 'failed'), "
    "  -count(*) FILTER (WHERE status = 'cancelled'), -count(*) FILTER (WHERE status = 'expired') "
    "FROM o GROUP BY job_id ORDER BY job_id "
    "ON CONFLICT (job_id, shard) DO UPDATE SET failed = c.failed + EXCLUDED.failed, "
    "  cancelled = c.cancelled + EXCLUDED.cancelled, expired = c.expired + EXCLUDED.expired";

static quern_status send_letter(struct sender *s, const PGresult *r, int row, struct error *err)
{
    size_t len;
    struct buf record;
    const char *escaped = PQgetvalue(r, row, C_RECORD);
    unsigned char *old = PQunescapeBytea((const unsigned char *)escaped, &len);
    int lane = lane_parse(PQgetvalue(r, row, C_LANE));
    quern_status status = QUERN_FAIL;
    buf_init(&record, len + RECORD_GROWTH);
    if (!old)
        abort(); /* out of memory, as everywhere */
    if (task_doc_regenerate((const char *)old, len,
                            strtoll(PQgetvalue(r, row, C_GENERATION), NULL, 10), &record,
                            err) == QUERN_OK)
        status = sender_send(s, lane < 0 ? LANE_NORMAL : lane, PQgetvalue(r, row, C_JOB),
                             PQgetvalue(r, row, C_CUSTOM_ID), record.data, record.len, NULL, err);
    PQfreemem(old);
    buf_free(&record);
    return status;
}

static quern_status send_chunk(PGconn *db, struct sender *s, const PGresult *r, struct error *err)
{
    struct buf ids;
    buf_init(&ids, (size_t)PQntuples(r) * CHUNK_TEXT * 2 + 2);
    for (int row = 0; row < PQntuples(r); row++) {
        if (send_letter(s, r, row, err) != QUERN_OK) {
            buf_free(&ids);
            return QUERN_FAIL;
        }
        buf_printf(&ids, "%c%s", row ? ',' : '{', PQgetvalue(r, row, C_ID));
    }
    buf_char(&ids, '}');
    const char *const values[] = {ids.data};
    quern_status status = sender_wait(s, err);
    if (status == QUERN_OK)
        status = pg_exec(db, done_sql, 1, values, err);
    buf_free(&ids);
    return status;
}

/* Sent before a crash, and the new outcome is there: only the note is missing. */
static quern_status note_arrived(PGconn *db, struct error *err)
{
    return pg_exec(db,
                   "UPDATE dead_letters d SET replayed_at = now() FROM results r "
                   "WHERE d.replayed_at IS NULL AND d.replay_generation IS NOT NULL "
                   "AND r.job_id = d.job_id AND r.custom_id = d.custom_id "
                   "AND r.generation >= d.replay_generation",
                   0, NULL, err);
}

quern_status letters_replay(PGconn *db, const struct config *c, const struct letter_filter *f,
                            int64_t *count, struct error *err)
{
    *count = 0;
    if (note_arrived(db, err) != QUERN_OK)
        return QUERN_FAIL;
    /* What fails again meanwhile is a letter of its own, for another time. */
    PGresult *newest = pg_query(db, "SELECT coalesce(max(id), 0) FROM dead_letters", 0, NULL, err);
    if (!newest)
        return QUERN_FAIL;
    struct sender *s = sender_new(c, err);
    quern_status status = s ? QUERN_OK : QUERN_FAIL;
    for (bool more = s != NULL; more && status == QUERN_OK && !cli_interrupted;) {
        PGresult *r = choose(db, f, PQgetvalue(newest, 0, 0), err);
        status = r ? QUERN_OK : QUERN_FAIL;
        more = r && PQntuples(r) > 0;
        if (more)
            status = send_chunk(db, s, r, err);
        if (more && status == QUERN_OK)
            *count += PQntuples(r);
        PQclear(r);
    }
    if (s)
        sender_free(s);
    PQclear(newest);
    if (status == QUERN_OK && cli_interrupted)
        return error_set(err, ERROR_RETRY, "interrupted",
                         "interrupted: %lld are queued again; run the same command to go on",
                         (long long)*count);
    return status;
}
