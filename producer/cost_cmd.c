/* `quern cost`: what was spent, and what was saved against the declared baseline. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, OPT_SAVINGS, OPT_BY, OPT_JOB, OPT_SINCE, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {0, "savings", NULL, "what each way of saving has saved"},
    {0, "by", "AXIS", "tenant, user, model, feature, lane, backend, job or day (UTC; default)"},
    {'j', "job", "JOB", "only this job"},
    {0, "since", "TIME", "only calls from then on: a time, or a duration ago (e.g. 7d)"},
    {0}};

/* Every attempt is in the bill; its task's axes are in the result, if it has one by now. */
static const char spent_sql[] =
    "SELECT %s AS %s, count(*) AS calls, count(DISTINCT (a.job_id, a.custom_id)) AS tasks, "
    " count(*) FILTER (WHERE a.error_type IS NOT NULL) AS failed_calls, "
    " sum(a.input_tokens)::bigint AS input_tokens, sum(a.output_tokens)::bigint AS output_tokens, "
    " usd(coalesce(sum(a.cost_usd), 0)) AS cost_usd, "
    " usd(round(coalesce(sum(a.cost_usd), 0) / count(*), 9)) AS usd_per_call, "
    " count(*) FILTER (WHERE a.cost_usd IS NULL) AS unknown "
    "FROM attempts a LEFT JOIN results r USING (job_id, custom_id) LEFT JOIN jobs j ON j.id = "
    "a.job_id "
    "WHERE ($1::uuid IS NULL OR a.job_id = $1) AND ($2::timestamptz IS NULL OR a.started_at >= $2) "
    "GROUP BY 1 ORDER BY 7 DESC, 1";

static const struct {
    const char *name, *column;
} axes[] = {{"day", "(a.started_at AT TIME ZONE 'UTC')::date"},
            {"tenant", "coalesce(r.tenant, j.tenant)"},
            {"user", "coalesce(r.\"user\", j.\"user\")"},
            {"feature", "coalesce(r.feature, j.feature)"},
            {"model", "coalesce(a.asked, a.model)"},
            {"lane", "coalesce(r.lane, j.lane)"},
            {"backend", "a.backend"},
            {"job", "j.name"}};
enum { AXES = sizeof axes / sizeof *axes };

/* The baseline, less what each way saved, is what the answers' own calls cost; calls that failed,
 * or were made again, are what the bill has beyond. */
static const char savings_sql[] =
    "WITH s AS (SELECT s.kind, count(*) AS tasks, sum(s.tokens)::bigint AS tokens, "
    "  coalesce(sum(s.usd), 0) AS usd, count(*) FILTER (WHERE s.usd IS NULL) AS unknown "
    " FROM savings s JOIN results r USING (job_id, custom_id) "
    " WHERE ($1::uuid IS NULL OR s.job_id = $1) "
    "  AND ($2::timestamptz IS NULL OR r.finished_at >= $2) GROUP BY s.kind), "
    "a AS (SELECT count(*) AS calls, coalesce(sum(cost_usd), 0) AS usd, "
    "  coalesce(sum(input_tokens + output_tokens), 0)::bigint AS tokens, "
    "  count(*) FILTER (WHERE cost_usd IS NULL) AS unknown FROM attempts "
    " WHERE ($1::uuid IS NULL OR job_id = $1) AND ($2::timestamptz IS NULL OR started_at >= $2)), "
    "saved AS (SELECT coalesce(sum(usd), 0) AS usd FROM s WHERE kind <> 'baseline'), "
    "lines AS ("
    " SELECT 0 AS n, 'baseline' AS what, tasks, tokens, usd, unknown FROM s WHERE kind = "
    "'baseline' "
    " UNION ALL SELECT CASE kind WHEN 'routed' THEN 1 WHEN 'compressed' THEN 2 WHEN 'packed' THEN "
    "3 "
    "  WHEN 'cached' THEN 4 ELSE 5 END, 'saved: ' || kind, tasks, tokens, -usd, unknown "
    " FROM s WHERE kind <> 'baseline' "
    " UNION ALL SELECT 6, 'failed and repeated calls', NULL, NULL, "
    "  a.usd + saved.usd - b.usd, NULL FROM a, saved, s b WHERE b.kind = 'baseline' "
    " UNION ALL SELECT 7, 'spent', calls, tokens, usd, unknown FROM a) "
    "SELECT what, tasks AS count, tokens, usd(usd) AS usd, "
    " CASE WHEN b.base > 0 THEN round(100 * usd / b.base, 2) END AS percent, unknown "
    "FROM lines, (SELECT max(usd) FILTER (WHERE n = 0) AS base FROM lines) b ORDER BY n";

static int print(const struct config *c, const char *sql, const char *job, const char *since,
                 enum cli_format format)
{
    struct error err;
    struct job found = {0};
    PGresult *r = NULL;
    PGconn *db = cli_database(c, &err);
    if (db && (!job || job_find(db, job, &found, &err) == QUERN_OK)) {
        const char *const values[] = {job ? found.id_text : NULL, since};
        r = pg_query(db, sql, 2, values, &err);
    }
    if (r)
        table_print(r, format);
    PQclear(r);
    PQfinish(db);
    return r ? EXIT_DONE : cli_fail(&err);
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &cost_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    char since[UNITS_TEXT_MAX], sql[4096];
    enum cli_format format;
    int i, axis = 0;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value ? o.value : "";
    }
    if (argc != optind)
        return options_usage_error(&o, "no operand is expected");
    if ((format = cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table")) == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[OPT_OUTPUT]);
    while (given[OPT_BY] && axis < AXES && strcmp(axes[axis].name, given[OPT_BY]) != 0)
        axis++;
    if (axis == AXES)
        return options_usage_error(
            &o, "--by \"%s\": tenant, user, model, feature, lane, backend, job or day",
            given[OPT_BY]);
    if (given[OPT_SINCE] && !cli_since(given[OPT_SINCE], since))
        return options_usage_error(&o, "--since \"%s\" is neither a time nor a duration",
                                   given[OPT_SINCE]);
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    (void)snprintf(sql, sizeof sql, spent_sql, axes[axis].column, axes[axis].name);
    if (strcmp(axes[axis].name, "user") == 0) /* a word of SQL */
        (void)snprintf(sql, sizeof sql, spent_sql, axes[axis].column, "\"user\"");
    int code = print(c, given[OPT_SAVINGS] ? savings_sql : sql, given[OPT_JOB],
                     given[OPT_SINCE] ? since : NULL, format);
    config_free(c);
    return code;
}

const struct verb cost_verb = {
    "cost",
    "What calls have cost, and what was saved",
    "[OPTION…]",
    "Sums over every attempt, to the last digit. --savings starts from what the answers would "
    "have\n"
    "cost with the model of savings.baseline, and takes off what routing, compression, packing,\n"
    "the cache and shared answers have saved; what is left is spent. `unknown` counts calls whose\n"
    "cost nobody knows.",
    defs,
    "  quern cost --by tenant --since 30d\n"
    "  quern cost --by model --job nightly-2026-11-24\n"
    "  quern cost --savings --since 24h",
    run};
