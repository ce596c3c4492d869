#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/embed.h"
#include "common/units.h"
#include "verbs.h"

/* Any number will do, as long as every quern uses the same: "quern" in ASCII. */
#define MIGRATION_LOCK "0x717565726e"
enum { LOCK_NUMBER_TEXT = 32 };

enum { OPT_CONFIG, OPT_TIMEOUT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {0, "timeout", "DURATION", "wait: give up after this long (default 10m)"},
    {0}};

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

static int step_of(const struct config *c, const char *name, struct error *err)
{
    static const struct {
        const char *name;
        quern_status (*run)(PGconn *, struct error *);
    } steps[] = {{"up", migrate_up}, {"down", migrate_down}, {"status", migrate_status}};
    size_t i = 0;
    while (strcmp(steps[i].name, name) != 0)
        i++;
    PGconn *db = pg_connect(c, "quern migrate", err);
    quern_status status = db ? prepare(db, err) : QUERN_FAIL;
    if (status == QUERN_OK)
        status = steps[i].run(db, err);
    PQfinish(db);
    return status == QUERN_OK ? EXIT_DONE : cli_fail(err);
}

/* For what may start before the migrations are done: until the schema is the one that this program
 * knows. One that is newer will not come down. */
static int await(const struct config *c, int64_t timeout_ms, struct error *err)
{
    const int64_t end = units_now_us() + timeout_ms * 1000;
    const char *said = "";
    char code[ERROR_CODE_MAX];
    for (;;) {
        PGconn *db = pg_connect(c, "quern migrate", err);
        quern_status status = db ? pg_schema_check(db, err) : QUERN_FAIL;
        PQfinish(db);
        if (status == QUERN_OK)
            return EXIT_DONE;
        if (strcmp(said, err->code) != 0) /* once each */
            (void)fprintf(stderr, "waiting: %s\n", err->message);
        (void)snprintf(code, sizeof code, "%s", err->code);
        said = code;
        if (units_now_us() >= end || strcmp(err->code, "newer_schema") == 0)
            return cli_fail(err);
        (void)sleep(1);
    }
}

static int run(int argc, char **argv)
{
    static const char *const names[] = {"up", "down", "status", "wait", NULL};
    struct options o = {.verb = &migrate_verb, .program = "quern", .argc = argc, .argv = argv};
    struct error err;
    const char *config = NULL, *timeout = "10m";
    int64_t timeout_ms = 0;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        *(i == OPT_CONFIG ? &config : &timeout) = o.value;
    }
    size_t n = 0;
    while (names[n] && (argc - optind != 1 || strcmp(argv[optind], names[n]) != 0))
        n++;
    if (!names[n])
        return options_usage_error(&o, "up, down, status or wait is needed");
    if (!units_parse_duration(timeout, &timeout_ms))
        return options_usage_error(&o, "--timeout \"%s\" is no duration, e.g. 5m", timeout);
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    int code =
        strcmp(names[n], "wait") == 0 ? await(c, timeout_ms, &err) : step_of(c, names[n], &err);
    config_free(c);
    return code;
}

const struct verb migrate_verb = {
    "migrate",
    "Bring the database schema up to date, or back",
    "up|down|status|wait [OPTION…]",
    "up applies every pending migration, down reverts the newest one (and drops its data), status\n"
    "lists them; wait waits until somebody else has applied them. Several at once are safe: one\n"
    "works, the others wait.",
    defs,
    "  quern migrate up\n  quern migrate status\n  quern migrate wait --timeout 5m",
    run};
