/* `quern maintain`: what is to be done once a day: partitions ahead, sums, and what is too old. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/units.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_DRY_RUN };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION, {'n', "dry-run", NULL, "only tell what would go"}, {0}};

/* Rows that go in one transaction: none holds locks for long. */
#define CHUNK "10000"
enum { ROLL_UP_PAUSE_US = 200000 };

/* What goes together, once a job has ended that long ago. Months whose jobs are all that old are
 * dropped whole, the rest job by job. */
static const char *const of_results[] = {
    "results", "quality", "guard_events", "savings", "feedback", "dead_letters", NULL};
static const char *const of_attempts[] = {"attempts", "limit_charges", NULL};
static const struct kind {
    const char *name, *months, *mark; /* months: partitioned tables; mark: column of jobs */
    const char *const *tables;        /* job by job */
} kinds[] = {
    {"results", "{results,quality,guard_events,savings}", "results_dropped_at", of_results},
    {"attempts", "{attempts,limit_charges}", "attempts_dropped_at", of_attempts}};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct maintenance {
    PGconn *db;
    const struct config *config;
    bool dry_run;
};

/* Runs a statement until it changes nothing more; adds up the rows. */
static quern_status repeat(PGconn *db, const char *sql, const char *value, int64_t *count,
                           struct error *err)
{
    for (int64_t rows = 1; rows > 0 && !cli_interrupted; *count += rows) {
        PGresult *r = pg_query(db, sql, value ? 1 : 0, &value, err);
        if (!r)
            return QUERN_FAIL;
        rows = strtoll(PQcmdTuples(r), NULL, 10);
        PQclear(r);
    }
    return QUERN_OK;
}

/* ---- by age --------------------------------------------------------------------------------- */

/* The time before which something is too old. */
static const char *cutoff(int64_t age_ms, char out[UNITS_TEXT_MAX])
{
    return units_format_time(units_now_us() - age_ms * 1000, out);
}

/* Whoever reads such a table for long keeps it; then another night's run drops it. */
static quern_status drop_month(const struct maintenance *m, const char *name, struct error *err)
{
    enum { TRIES = 5 };
    for (int i = 0; i < TRIES && !cli_interrupted; i++) {
        PGresult *r = pg_query(m->db, "SELECT drop_partition($1)", 1, &name, err);
        PQclear(r);
        if (r) {
            (void)printf("%-12s %s\n", "dropped", name);
            return QUERN_OK;
        }
        if (!strstr(err->message, "lock timeout"))
            return QUERN_FAIL;
        (void)sleep(1);
    }
    (void)printf("%-12s %s is in use; it is dropped another time\n", "kept", name);
    return QUERN_OK;
}

static quern_status drop_months(const struct maintenance *m, const struct kind *k,
                                const char *before, struct error *err)
{
    const char *const values[] = {k->months, before};
    quern_status status = QUERN_OK;
    PGresult *r =
        pg_query(m->db, "SELECT old_partitions($1::text[], $2::timestamptz)", 2, values, err);
    for (int row = 0; r && row < PQntuples(r) && status == QUERN_OK; row++) {
        if (m->dry_run)
            (void)printf("%-12s %s\n", "would drop", PQgetvalue(r, row, 0));
        else
            status = drop_month(m, PQgetvalue(r, row, 0), err);
    }
    PQclear(r);
    return r ? status : QUERN_FAIL;
}

static quern_status delete_job(const struct maintenance *m, const struct kind *k, const char *job,
                               int64_t *rows, struct error *err)
{
    char sql[256];
    for (int i = 0; k->tables[i]; i++) {
        const char *table = k->tables[i];
        (void)snprintf(sql, sizeof sql,
                       "DELETE FROM %s WHERE job_id = $1 AND custom_id IN (SELECT custom_id FROM "
                       "%s WHERE job_id = $1 LIMIT " CHUNK ")",
                       table, table);
        if (repeat(m->db, sql, job, rows, err) != QUERN_OK)
            return QUERN_FAIL;
    }
    if (cli_interrupted)
        return QUERN_OK;
    (void)snprintf(sql, sizeof sql, "UPDATE jobs SET %s = now() WHERE id = $1", k->mark);
    return pg_exec(m->db, sql, 1, &job, err);
}

static quern_status delete_old(const struct maintenance *m, const struct kind *k, int64_t age_ms,
                               struct error *err)
{
    char before[UNITS_TEXT_MAX], sql[512];
    const char *value = cutoff(age_ms, before);
    int64_t rows = 0;
    if (age_ms == 0)
        return QUERN_OK;
    if (drop_months(m, k, value, err) != QUERN_OK)
        return QUERN_FAIL;
    (void)snprintf(sql, sizeof sql,
                   "SELECT id FROM jobs j WHERE coalesce(%s < job_ended(j), true) AND job_ended(j) "
                   "< $1::timestamptz AND NOT EXISTS (SELECT FROM parked p WHERE p.job_id = j.id) "
                   "ORDER BY id",
                   k->mark);
    PGresult *r = pg_query(m->db, sql, 1, &value, err);
    quern_status status = r ? QUERN_OK : QUERN_FAIL;
    for (int row = 0; status == QUERN_OK && row < PQntuples(r) && !m->dry_run && !cli_interrupted;
         row++)
        status = delete_job(m, k, PQgetvalue(r, row, 0), &rows, err);
    if (status == QUERN_OK && m->dry_run)
        (void)printf("%-12s %s of %d jobs\n", "would delete", k->name, PQntuples(r));
    else if (status == QUERN_OK)
        (void)printf("%-12s %" PRId64 " rows of %s, of %d jobs\n", "deleted", rows, k->name,
                     PQntuples(r));
    PQclear(r);
    return status;
}

static quern_status delete_letters(const struct maintenance *m, struct error *err)
{
    char before[UNITS_TEXT_MAX];
    const int64_t age = m->config->retention.dead_letters;
    const char *value = cutoff(age, before);
    int64_t rows = 0;
    if (age == 0)
        return QUERN_OK;
    if (m->dry_run) {
        PGresult *r = pg_query(m->db,
                               "SELECT count(*) FROM dead_letters WHERE created_at < "
                               "$1::timestamptz AND published_at IS NOT NULL",
                               1, &value, err);
        if (r)
            (void)printf("%-12s %s dead letters\n", "would delete", PQgetvalue(r, 0, 0));
        PQclear(r);
        return r ? QUERN_OK : QUERN_FAIL;
    }
    if (repeat(m->db,
               "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE "
               "created_at < $1::timestamptz AND published_at IS NOT NULL ORDER BY id LIMIT " CHUNK
               ")",
               value, &rows, err) != QUERN_OK)
        return QUERN_FAIL;
    (void)printf("%-12s %" PRId64 " dead letters\n", "deleted", rows);
    return QUERN_OK;
}

/* A job of which nothing is left is forgotten, and its name is free. */
static quern_status forget_jobs(const struct maintenance *m, struct error *err)
{
    int64_t rows = 0;
    if (m->dry_run)
        return QUERN_OK;
    if (repeat(m->db,
               "WITH gone AS (SELECT id FROM jobs j WHERE results_dropped_at IS NOT NULL "
               " AND attempts_dropped_at IS NOT NULL AND results_dropped_at >= job_ended(j) "
               " AND attempts_dropped_at >= job_ended(j) "
               " AND NOT EXISTS (SELECT FROM dead_letters x WHERE x.job_id = j.id) "
               " AND NOT EXISTS (SELECT FROM parked x WHERE x.job_id = j.id) "
               " AND NOT EXISTS (SELECT FROM results x WHERE x.job_id = j.id) "
               " AND NOT EXISTS (SELECT FROM attempts x WHERE x.job_id = j.id) ORDER BY id "
               "LIMIT " CHUNK " FOR UPDATE), "
               "counters AS (DELETE FROM job_counters WHERE job_id IN (SELECT id FROM gone)) "
               "DELETE FROM jobs WHERE id IN (SELECT id FROM gone)",
               NULL, &rows, err) != QUERN_OK)
        return QUERN_FAIL;
    if (rows)
        (void)printf("%-12s %" PRId64 " jobs of which nothing was left\n", "deleted", rows);
    return QUERN_OK;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* All that can be rolled up is, and true in *all if that is everything before `before`: only then
 * may attempts of that age go. A transaction that stays open keeps it from being so. */
static quern_status roll_up(const struct maintenance *m, int64_t age_ms, bool *all,
                            struct error *err)
{
    char before[UNITS_TEXT_MAX];
    const char *value = cutoff(age_ms, before);
    for (bool more = true; more && !cli_interrupted;) {
        PGresult *r = pg_query(m->db, "SELECT cost_roll_up()", 0, NULL, err);
        if (!r)
            return QUERN_FAIL;
        const int done = atoi(PQgetvalue(r, 0, 0));
        PQclear(r);
        more = done != 1;
        if (done == 0) /* a worker is at it */
            (void)usleep(ROLL_UP_PAUSE_US);
    }
    PGresult *r = pg_query(m->db,
                           "SELECT NOT EXISTS (SELECT FROM attempts WHERE tx >= (SELECT tx FROM "
                           "cost_rolled) AND started_at < $1::timestamptz)",
                           1, &value, err);
    *all = r && PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

/* In dry runs too: nothing is lost by it. */
static quern_status prepare(const struct maintenance *m, struct error *err)
{
    static const char *const statements[] = {"SELECT cost_cluster()", "SELECT make_partitions(3)",
                                             "SELECT jobs_finish()"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        PGresult *r = pg_query(m->db, statements[i], 0, NULL, err);
        PQclear(r);
        if (!r)
            return QUERN_FAIL;
    }
    (void)puts("partitions are made ahead, jobs that are done are marked");
    return QUERN_OK;
}

static quern_status maintain(const struct maintenance *m, struct error *err)
{
    const int64_t ages[KINDS] = {m->config->retention.results, m->config->retention.attempts};
    bool rolled = false;
    if (prepare(m, err) != QUERN_OK || roll_up(m, ages[1], &rolled, err) != QUERN_OK)
        return QUERN_FAIL;
    (void)puts(rolled ? "costs are rolled up"
                      : "costs are not all rolled up, for a transaction is open: attempts stay");
    for (int i = 0; i < KINDS; i++)
        if ((i == 0 || rolled) && delete_old(m, &kinds[i], ages[i], err) != QUERN_OK)
            return QUERN_FAIL;
    return delete_letters(m, err) == QUERN_OK ? forget_jobs(m, err) : QUERN_FAIL;
}

/* Two at a time would only wait for each other. */
static quern_status lock(PGconn *db, bool *got, struct error *err)
{
    PGresult *r = pg_query(db, "SELECT pg_try_advisory_lock(hashtextextended('quern.maintain', 0))",
                           0, NULL, err);
    *got = r && PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

static int run_with(const struct config *c, bool dry_run)
{
    struct error err;
    bool got = false;
    struct maintenance m = {cli_database(c, &err), c, dry_run};
    quern_status status = m.db ? lock(m.db, &got, &err) : QUERN_FAIL;
    if (status == QUERN_OK && got)
        status = maintain(&m, &err);
    else if (status == QUERN_OK)
        (void)fprintf(stderr, "quern: somebody else maintains the database right now\n");
    PQfinish(m.db);
    if (status != QUERN_OK)
        return cli_fail(&err);
    return cli_interrupted ? EXIT_INTERRUPTED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &maintain_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL;
    bool dry_run = false;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_CONFIG)
            config = o.value;
        else
            dry_run = true;
    }
    if (argc != optind)
        return options_usage_error(&o, "no operand is expected");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    int code = run_with(c, dry_run);
    config_free(c);
    return code;
}

const struct verb maintain_verb = {
    "maintain",
    "What is to be done once a day: partitions, sums, retention",
    "[OPTION…]",
    "Makes the partitions of the next months, marks jobs that are done, rolls costs up, and "
    "deletes\n"
    "what is older than `retention` in the configuration says: results and attempts that long "
    "after\n"
    "the end of their job (whole months are dropped at once), dead letters that long after they "
    "were\n"
    "written. Costs by day stay. May be interrupted, and run as often as you like.",
    defs,
    "  quern maintain\n  quern maintain --dry-run",
    run};
