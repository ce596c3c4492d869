/* `quern queue`: how it goes right now. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, OPT_WORKERS, OPT_WATCH, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {0, "workers", NULL, "the workers only"},
    {'w', "watch", NULL, "again and again, until it is interrupted"},
    {0}};

enum { WATCH_SECONDS = 2 };

/* Workers that have not been heard of for so long are gone. */
#define LIVE "live AS (SELECT * FROM workers WHERE seen_at > now() - interval '15 s') "

/* Rates and times are of the last minute or two, of all workers together. */
static const char lanes_sql[] =
    "WITH " LIVE ", per AS (SELECT l.key AS lane, l.value AS v, "
    "  (w.stats->'recent'->>'seconds')::numeric AS seconds "
    "  FROM live w, jsonb_each(w.stats->'recent'->'lanes') l), "
    "rates AS (SELECT lane, sum((v->>'done')::numeric / greatest(seconds, 1)) AS done, "
    "  sum((v->>'failed')::numeric / greatest(seconds, 1)) AS failed FROM per GROUP BY lane), "
    "cells AS (SELECT lane, kind, i, sum(n::bigint)::bigint AS n FROM per, "
    "  (VALUES ('queue'), ('call')) k(kind), "
    "  jsonb_array_elements_text(v->kind) WITH ORDINALITY e(n, i) GROUP BY 1, 2, 3), "
    "times AS (SELECT lane, kind, array_agg(n ORDER BY i) AS counts FROM cells GROUP BY 1, 2), "
    "kafka AS (SELECT q.key AS lane, sum((q.value->>'waiting')::bigint)::bigint AS waiting, "
    "  sum((q.value->>'open')::bigint)::bigint AS open, max((q.value->>'oldest_s')::numeric) AS "
    "oldest "
    "  FROM live w, jsonb_each(w.stats->'queues') q GROUP BY 1) "
    "SELECT b.lane, b.tasks AS backlog, b.parked, coalesce(kafka.waiting, 0) AS in_kafka, "
    " coalesce(kafka.open, 0) AS in_workers, round(coalesce(kafka.oldest, 0), 1) AS oldest_s, "
    " round(coalesce(rates.done, 0), 1) AS done_per_s, round(coalesce(rates.failed, 0), 1) AS "
    "failed_per_s, "
    " recent_quantile(q.counts, 0.5) AS queue_p50_s, recent_quantile(q.counts, 0.95) AS "
    "queue_p95_s, recent_quantile(q.counts, 0.99) AS queue_p99_s, "
    " recent_quantile(c.counts, 0.5) AS call_p50_s, recent_quantile(c.counts, 0.95) AS "
    "call_p95_s, recent_quantile(c.counts, 0.99) AS call_p99_s "
    "FROM backlog() b LEFT JOIN kafka USING (lane) LEFT JOIN rates USING (lane) "
    "LEFT JOIN times q ON q.lane = b.lane AND q.kind = 'queue' "
    "LEFT JOIN times c ON c.lane = b.lane AND c.kind = 'call' "
    "ORDER BY array_position(ARRAY['high', 'normal', 'low'], b.lane)";

static const char workers_sql[] =
    "WITH " LIVE "SELECT host, pid, version, date_trunc('second', now() - started_at)::text AS up, "
    " (stats->>'calling')::int AS calling, (stats->>'concurrency')::int AS concurrency, "
    " (SELECT coalesce(sum((q.value->>'open')::bigint), 0)::bigint FROM "
    "jsonb_each(stats->'queues') q) AS tasks, "
    " (SELECT round(coalesce(sum((l.value->>'done')::numeric), 0) / "
    "  greatest((stats->'recent'->>'seconds')::numeric, 1), 1) "
    "  FROM jsonb_each(stats->'recent'->'lanes') l) AS done_per_s, "
    " (stats->>'finished')::bigint AS finished, "
    " round((stats->>'resident')::numeric / 1048576, 1) AS memory_mib, "
    " CASE WHEN (stats->>'stopping')::boolean THEN 'stopping' ELSE 'running' END AS state "
    "FROM live ORDER BY host, pid";

static quern_status print(PGconn *db, const char *sql, enum cli_format format, struct error *err)
{
    PGresult *r = pg_query(db, sql, 0, NULL, err);
    if (!r)
        return QUERN_FAIL;
    if (format == FORMAT_TABLE && sql == workers_sql && PQntuples(r) == 0)
        (void)puts("no worker is running");
    else
        table_print(r, format);
    PQclear(r);
    return QUERN_OK;
}

static quern_status show(PGconn *db, bool workers, enum cli_format format, struct error *err)
{
    if (workers)
        return print(db, workers_sql, format, err);
    if (print(db, lanes_sql, format, err) != QUERN_OK)
        return QUERN_FAIL;
    if (format != FORMAT_TABLE)
        return QUERN_OK;
    (void)putchar('\n');
    return print(db, workers_sql, format, err);
}

static int run_with(const struct config *c, bool workers, bool watch, enum cli_format format)
{
    struct error err;
    PGconn *db = cli_database(c, &err);
    quern_status status = db ? QUERN_OK : QUERN_FAIL;
    while (status == QUERN_OK) {
        if (watch && cli_is_terminal(STDOUT_FILENO))
            (void)fputs("\033[H\033[2J", stdout); /* ECMA-48: home, clear */
        status = show(db, workers, format, &err);
        (void)fflush(stdout);
        if (!watch || cli_interrupted)
            break;
        (void)sleep(WATCH_SECONDS);
        if (cli_interrupted)
            break;
    }
    PQfinish(db);
    return status == QUERN_OK ? EXIT_DONE : cli_fail(&err);
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &queue_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value ? o.value : "";
    }
    if (argc != optind)
        return options_usage_error(&o, "no operand is expected");
    const enum cli_format format = cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table");
    if (format == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[OPT_OUTPUT]);
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    if (given[OPT_WATCH])
        cli_catch_interrupts();
    int code = run_with(c, given[OPT_WORKERS] != NULL, given[OPT_WATCH] != NULL, format);
    config_free(c);
    return code;
}

const struct verb queue_verb = {
    "queue",
    "How it goes right now: lanes and workers",
    "[OPTION…]",
    "By lane: backlog (tasks of all jobs that are queued, running or due for a retry) and parked "
    "ones;\n"
    "records in Kafka that no worker has taken, and tasks in workers; the age of the oldest; "
    "tasks\n"
    "done a second; and the times that tasks waited for their first call and that calls took "
    "(half,\n"
    "95 and 99 of a hundred are below), of the last minute or two. Below: the workers, by what "
    "they\n"
    "tell PostgreSQL every few seconds.",
    defs,
    "  quern queue\n  quern queue --watch\n  quern queue --workers -o json",
    run};
