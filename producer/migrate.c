#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/embed.h"
#include "verbs.h"

/* Any number will do, as long as every quern uses the same: "quern" in ASCII. */
#define MIGRATION_LOCK "0x717565726e"
enum { LOCK_NUMBER_TEXT = 32 };

enum { OPT_CONFIG };
static const struct option_def defs[] = {CLI_CONFIG_OPTION, {0}};

static bool is_kind(const struct embedded *m, const char *suffix)
{
    size_t n = strlen(m->name), k = strlen(suffix);
    return n > k && strcmp(m->name + n - k, suffix) == 0;
}

static quern_status script(PGconn *db, const char *sql, const char *name, struct error *err)
{
    PGresult *r = PQexec(db, sql);
    ExecStatusType s = PQresultStatus(r);
    char text[400];
    pg_message(PQresultErrorMessage(r), text, sizeof text);
    PQclear(r);
    if (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_EMPTY_QUERY)
        return QUERN_OK;
    return error_set(err, ERROR_FATAL, "database", "migration %s: %s", name, text);
}

static quern_status version(PGconn *db, int *out, struct error *err)
{
    PGresult *r =
        pg_query(db, "SELECT coalesce(max(version), 0) FROM schema_migrations", 0, NULL, err);
    if (r)
        *out = atoi(PQgetvalue(r, 0, 0));
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

/* One migration and its note in schema_migrations, in one transaction. */
static quern_status apply(PGconn *db, const struct embedded *m, bool up, struct error *err)
{
    char number[LOCK_NUMBER_TEXT];
    const char *const values[] = {number, m->name};
    (void)snprintf(number, sizeof number, "%d", atoi(m->name));
    if (script(db, "BEGIN", m->name, err) != QUERN_OK)
        return QUERN_FAIL;
    quern_status status = script(db, m->data, m->name, err);
    if (status == QUERN_OK)
        status =
            up ? pg_exec(db, "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", 2,
                         values, err)
               : pg_exec(db, "DELETE FROM schema_migrations WHERE version = $1", 1, values, err);
    struct error ignored;
    if (status == QUERN_OK)
        status = script(db, "COMMIT", m->name, err);
    else if (script(db, "ROLLBACK", m->name, &ignored) != QUERN_OK)
        return QUERN_FAIL; /* the connection is gone, and the transaction with it */
    if (status == QUERN_OK)
        (void)fprintf(stderr, "%s %s\n", up ? "applied" : "reverted", m->name);
    return status;
}

static quern_status migrate_up(PGconn *db, struct error *err)
{
    int have;
    if (version(db, &have, err) != QUERN_OK)
        return QUERN_FAIL;
    for (const struct embedded *m = embedded_migrations; m->name; m++) /* sorted by name */
        if (is_kind(m, ".up.sql") && atoi(m->name) > have && apply(db, m, true, err) != QUERN_OK)
            return QUERN_FAIL;
    return script(db, "SELECT make_partitions(2)", "make_partitions", err);
}

/* The newest one only: going back is a decision for each step. */
static quern_status migrate_down(PGconn *db, struct error *err)
{
    int have;
    if (version(db, &have, err) != QUERN_OK)
        return QUERN_FAIL;
    for (const struct embedded *m = embedded_migrations; m->name; m++)
        if (is_kind(m, ".down.sql") && atoi(m->name) == have)
            return apply(db, m, false, err);
    (void)fprintf(stderr, "nothing to revert\n");
    return QUERN_OK;
}

static quern_status migrate_status(PGconn *db, struct error *err)
{
    int have;
    if (version(db, &have, err) != QUERN_OK)
        return QUERN_FAIL;
    for (const struct embedded *m = embedded_migrations; m->name; m++)
        if (is_kind(m, ".up.sql"))
            (void)printf("%-8s %.*s\n", atoi(m->name) <= have ? "applied" : "pending",
                         (int)(strlen(m->name) - strlen(".up.sql")), m->name);
    return QUERN_OK;
}

/* The lock goes with the connection, so that a killed quern leaves none. */
static quern_status prepare(PGconn *db, struct error *err)
{
    char lock[64];
    (void)snprintf(lock, sizeof lock, "SELECT pg_advisory_lock(%lld)",
                   strtoll(MIGRATION_LOCK, NULL, 16));
    if (script(db, lock, "lock", err) != QUERN_OK)
        return QUERN_FAIL;
    return script(db,
                  "SET client_min_messages = warning;"
                  "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, "
                  "name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
                  "schema_migrations", err);
}

static int run(int argc, char **argv)
{
    static const struct {
        const char *name;
        quern_status (*run)(PGconn *, struct error *);
    } steps[] = {{"up", migrate_up}, {"down", migrate_down}, {"status", migrate_status}};
    struct options o = {.verb = &migrate_verb, .program = "quern", .argc = argc, .argv = argv};
    struct error err;
    const char *config = NULL;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        config = o.value;
    }
    size_t step = 0;
    while (step < 3 && (argc - optind != 1 || strcmp(argv[optind], steps[step].name) != 0))
        step++;
    if (step == 3)
        return options_usage_error(&o, "up, down or status is needed");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    PGconn *db = pg_connect(c, "quern migrate", &err);
    config_free(c);
    if (!db)
        return cli_fail(&err);
    quern_status status = prepare(db, &err);
    if (status == QUERN_OK)
        status = steps[step].run(db, &err);
    PQfinish(db);
    return status == QUERN_OK ? EXIT_DONE : cli_fail(&err);
}

const struct verb migrate_verb = {
    "migrate",
    "Bring the database schema up to date, or back",
    "up|down|status [OPTION…]",
    "up applies every pending migration, down reverts the newest one (and drops its data), status\n"
    "lists them. Several at once are safe: one works, the others wait.",
    defs,
    "  quern migrate up\n  quern migrate status",
    run};
