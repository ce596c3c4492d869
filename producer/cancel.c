#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sender.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_LET_FINISH, OPT_WAIT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {0, "let-running-finish", NULL, "calls in flight end by themselves, and their results count"},
    {'w', "wait", NULL, "wait until every task has ended"},
    {0}};

/* True in *cancelled if it was done now; a job that is done already stays as it is. */
static quern_status mark(PGconn *db, const struct job *job, bool lets_finish, bool *cancelled,
                         struct error *err)
{
    const char *const values[] = {job->id_text, lets_finish ? "t" : "f"};
    PGresult *r = pg_query(db,
                           "UPDATE jobs j SET cancelled_at = now(), "
                           "cancelled_generation = j.generation, cancel_lets_finish = $2 "
                           "FROM job_status s WHERE j.id = $1 AND s.id = j.id "
                           "AND s.state <> 'completed' RETURNING 1",
                           2, values, err);
    *cancelled = r && PQntuples(r) == 1;
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

enum { ID_TEXT = 24 }; /* a bigint and a comma */
enum { C_CUSTOM_ID, C_LANE, C_SEQ, C_ROUNDS, C_ATTEMPTS, C_FIRST_SEEN, C_RECORD, C_ID };

/* Parked tasks would end only when they are due: a newer copy of each goes to its lane at once, and
 * the worker ends it there. As always, the row comes first. */
static const char unpark_sql[] =
    "UPDATE parked p SET seq = seq + 1, id = nextval('dead_letters_id_seq'), due_at = now(), "
    " published_at = NULL "
    "WHERE (job_id, custom_id) IN (SELECT job_id, custom_id FROM parked WHERE job_id = $1 "
    " AND due_at > now() AND generation <= (SELECT cancelled_generation FROM jobs WHERE id = $1) "
    " ORDER BY job_id, custom_id COLLATE \"C\" LIMIT 500 FOR UPDATE) " /* as workers do */
    "RETURNING custom_id, lane, seq, rounds, attempts, "
    " (extract(epoch FROM first_seen) * 1000)::bigint, record, id";

static int64_t number(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static quern_status send_parked(struct sender *s, const struct job *job, const PGresult *r, int row,
                                struct error *err)
{
    size_t len;
    struct journey j = {.seq = number(r, row, C_SEQ),
                        .rounds = number(r, row, C_ROUNDS),
                        .attempts = number(r, row, C_ATTEMPTS),
                        .first_seen_ms = number(r, row, C_FIRST_SEEN),
                        .lane = lane_parse(PQgetvalue(r, row, C_LANE))};
    unsigned char *record =
        PQunescapeBytea((const unsigned char *)PQgetvalue(r, row, C_RECORD), &len);
    if (!record)
        abort(); /* out of memory, as everywhere */
    quern_status status = sender_send(s, j.lane < 0 ? LANE_NORMAL : j.lane, job->id_text,
                                      PQgetvalue(r, row, C_CUSTOM_ID), record, len, &j, err);
    PQfreemem(record);
    return status;
}

/* Only what was sent is noted as published: by its ids. */
static quern_status send_chunk(PGconn *db, struct sender *s, const struct job *job,
                               const PGresult *r, struct error *err)
{
    struct buf ids;
    buf_init(&ids, (size_t)PQntuples(r) * ID_TEXT + 2);
    quern_status status = QUERN_OK;
    for (int row = 0; row < PQntuples(r) && status == QUERN_OK; row++) {
        status = send_parked(s, job, r, row, err);
        buf_printf(&ids, "%c%s", row ? ',' : '{', PQgetvalue(r, row, C_ID));
    }
    buf_char(&ids, '}');
    const char *const values[] = {ids.data};
    if (status == QUERN_OK)
        status = sender_wait(s, err);
    if (status == QUERN_OK)
        status = pg_exec(db, "UPDATE parked SET published_at = now() WHERE id = ANY($1::bigint[])",
                         1, values, err);
    buf_free(&ids);
    return status;
}

static quern_status unpark(PGconn *db, const struct config *c, const struct job *job,
                           struct error *err)
{
    const char *const values[] = {job->id_text};
    struct sender *s = NULL;
    quern_status status = QUERN_OK;
    for (bool more = true; more && status == QUERN_OK;) {
        PGresult *r = pg_query(db, unpark_sql, 1, values, err);
        more = r && PQntuples(r) > 0;
        if (!r || (more && !s && !(s = sender_new(c, err))))
            status = QUERN_FAIL;
        else if (more)
            status = send_chunk(db, s, job, r, err);
        PQclear(r);
    }
    if (s)
        sender_free(s);
    return status;
}

static int cancel(const struct config *c, PGconn *db, const char *name, bool lets_finish, bool wait)
{
    struct error err;
    struct job job;
    bool cancelled;
    if (job_find(db, name, &job, &err) != QUERN_OK ||
        mark(db, &job, lets_finish, &cancelled, &err) != QUERN_OK)
        return cli_fail(&err);
    if (!cancelled) {
        (void)fprintf(stderr, "job \"%s\" is completed: there is nothing to cancel\n", job.name);
        return EXIT_DONE;
    }
    if (unpark(db, c, &job, &err) != QUERN_OK)
        return cli_fail(&err);
    (void)fprintf(stderr,
                  "job \"%s\" is cancelled: its queued tasks end as the workers meet them\n",
                  job.name);
    if (!wait)
        return EXIT_DONE;
    int code = status_wait(db, &job);
    return code == EXIT_FAILED_TASKS ? EXIT_DONE : code;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &cancel_verb, .program = "quern", .argc = argc, .argv = argv};
    struct error err;
    const char *config = NULL;
    bool lets_finish = false, wait = false;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_CONFIG)
            config = o.value;
        else
            *(i == OPT_WAIT ? &wait : &lets_finish) = true;
    }
    if (argc - optind != 1)
        return options_usage_error(&o, "one JOB is needed");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    PGconn *db = cli_database(c, &err);
    int code = db ? cancel(c, db, argv[optind], lets_finish, wait) : cli_fail(&err);
    PQfinish(db);
    config_free(c);
    return code;
}

const struct verb cancel_verb = {
    "cancel",
    "Cancel a job: queued tasks end as cancelled, running calls are aborted",
    "JOB [OPTION…]",
    "Tasks that workers hold end within seconds; those that are still in Kafka, when a worker "
    "reads\n"
    "them. Results that are there stay. What a backend has billed is booked. `quern retry JOB\n"
    "--cancelled` queues the cancelled tasks again.",
    defs,
    "  quern cancel nightly\n  quern cancel nightly --let-running-finish --wait",
    run};
