/* `quern quality` and `quern compare`: how good answers are, and which of two jobs did better. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "job_store.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, OPT_BY, OPT_JOB, OPT_SINCE, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {0, "by", "AXIS", "model (default), feature, tenant, backend, job or day (UTC)"},
    {'j', "job", "JOB", "only this job"},
    {0, "since", "TIME", "only results from then on: a time, or a duration ago (e.g. 7d)"},
    {0}};

static const struct {
    const char *name, *column;
} axes[] = {{"model", "coalesce(r.upstream_model, r.model)"},
            {"feature", "r.feature"},
            {"tenant", "r.tenant"},
            {"backend", "r.backend"},
            {"job", "j.name"},
            {"day", "(r.finished_at AT TIME ZONE 'UTC')::date"}};
enum { AXES = sizeof axes / sizeof *axes };

/* Means have the half width of their 95 % interval beside them. */
static const char quality_sql[] =
    "SELECT %s AS %s, count(*) AS tasks, count(q.completion) AS measured, "
    " round(avg((q.completion = 'complete')::int), 3) AS complete, "
    " wilson(count(*) FILTER (WHERE q.completion = 'complete'), count(q.completion)) AS "
    "complete_95, "
    " round(avg(q.groundedness), 3) AS groundedness, "
    " round(1.96 * stddev_samp(q.groundedness) / nullif(sqrt(count(q.groundedness)), 0)::numeric, "
    "3) AS plus_minus, round(avg(q.relevance), 3) AS relevance, round(avg(q.coverage), 3) AS "
    "coverage, count(f.up) AS feedback, round(avg(f.up::int), 3) AS up, "
    " wilson(count(*) FILTER (WHERE f.up), count(f.up)) AS up_95 "
    "FROM results r JOIN jobs j ON j.id = r.job_id "
    "LEFT JOIN quality q ON (q.job_id, q.custom_id, q.generation) = (r.job_id, r.custom_id, "
    "r.generation) LEFT JOIN feedback f ON (f.job_id, f.custom_id) = (r.job_id, r.custom_id) "
    "WHERE ($1::uuid IS NULL OR r.job_id = $1) AND ($2::timestamptz IS NULL OR r.finished_at >= "
    "$2) "
    "GROUP BY 1 ORDER BY 2 DESC, 1";

/* The same custom_id is the same task. Of costs and times the lower wins. */
static const char compare_sql[] =
    "WITH t AS (SELECT r.job_id = $1::uuid AS first, r.custom_id, q.groundedness, q.relevance, "
    " (q.completion = 'complete')::int::numeric AS complete, f.up::int::numeric AS feedback, "
    " -r.cost_usd AS cost, -(SELECT sum(duration_ms) FROM attempts a WHERE a.job_id = r.job_id AND "
    "  a.custom_id = r.custom_id)::numeric AS ms "
    " FROM results r LEFT JOIN quality q USING (job_id, custom_id, generation) "
    " LEFT JOIN feedback f USING (job_id, custom_id) WHERE r.job_id IN ($1::uuid, $2::uuid)), "
    "p AS (SELECT m.what, m.sign, m.a, m.b FROM t a JOIN t b ON a.first AND NOT b.first AND "
    " a.custom_id = b.custom_id CROSS JOIN LATERAL (VALUES (1, 'complete', 1, a.complete, "
    "b.complete), (2, 'groundedness', 1, a.groundedness, b.groundedness), (3, 'relevance', 1, "
    "a.relevance, b.relevance), (4, 'feedback', 1, a.feedback, b.feedback), (5, 'cost_usd', -1, "
    "a.cost, b.cost), (6, 'call_ms', -1, a.ms, b.ms)) m(n, what, sign, a, b)) "
    "SELECT what, count(*) FILTER (WHERE a IS NOT NULL AND b IS NOT NULL) AS tasks, "
    " trim_scale(round(avg(a * sign), 9)) AS first, trim_scale(round(avg(b * sign), 9)) AS second, "
    " count(*) FILTER (WHERE a > b) AS wins, count(*) FILTER (WHERE a < b) AS losses, "
    " count(*) FILTER (WHERE a = b) AS ties, "
    " sign_test(count(*) FILTER (WHERE a > b), count(*) FILTER (WHERE a < b)) AS chance "
    "FROM p GROUP BY what ORDER BY min(array_position(ARRAY['complete', 'groundedness', "
    "'relevance', 'feedback', 'cost_usd', 'call_ms'], what))";

static int print(PGconn *db, const char *sql, const char *const values[2], enum cli_format format)
{
    struct error err;
    PGresult *r = pg_query(db, sql, 2, values, &err);
    if (!r)
        return cli_fail(&err);
    table_print(r, format);
    PQclear(r);
    return EXIT_DONE;
}

static const char *axis_of(const char *name)
{
    for (int i = 0; i < AXES; i++)
        if (strcmp(axes[i].name, name) == 0)
            return axes[i].column;
    return NULL;
}

static int show(const struct config *c, const char *by, const char *job, const char *since,
                enum cli_format format)
{
    char sql[4096];
    struct error err;
    struct job found;
    PGconn *db = cli_database(c, &err);
    if (!db || (job && job_find(db, job, &found, &err) != QUERN_OK)) {
        PQfinish(db);
        return cli_fail(&err);
    }
    (void)snprintf(sql, sizeof sql, quality_sql, axis_of(by), by);
    const char *const values[] = {job ? found.id_text : NULL, since};
    int code = print(db, sql, values, format);
    PQfinish(db);
    return code;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &quality_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    char since[UNITS_TEXT_MAX];
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value;
    }
    const enum cli_format format = cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table");
    const char *by = given[OPT_BY] ? given[OPT_BY] : "model";
    if (argc > optind)
        return options_usage_error(&o, "no argument is needed");
    if (format == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[OPT_OUTPUT]);
    if (!axis_of(by))
        return options_usage_error(
            &o, "--by \"%s\" is none of model, feature, tenant, backend, job, day", by);
    if (given[OPT_SINCE] && !cli_since(given[OPT_SINCE], since))
        return options_usage_error(&o, "--since \"%s\" is neither a time nor a duration",
                                   given[OPT_SINCE]);
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    int code = show(c, by, given[OPT_JOB], given[OPT_SINCE] ? since : NULL, format);
    config_free(c);
    return code;
}

const struct verb quality_verb = {
    "quality",
    "How good answers are",
    "[OPTION…]",
    "Counts what the rules of `quality` measured: how many answers are complete (not cut off,\n"
    "refused, empty or a loop), how much of what they say their source bears out, how close they\n"
    "are to it, and what people said of them (`quern feedback`); with 95 % intervals.",
    defs,
    "  quern quality --by feature --since 7d\n"
    "  quern quality --by model --job nightly -o csv",
    run};

/* ---- compare ----------------------------------------------------------------------------------
 */

enum { COMPARE_CONFIG, COMPARE_OUTPUT };
static const struct option_def compare_defs[] = {CLI_CONFIG_OPTION, CLI_OUTPUT_OPTION, {0}};

static int compare(const struct config *c, const char *const names[2], enum cli_format format)
{
    struct error err;
    struct job first, second;
    PGconn *db = cli_database(c, &err);
    if (!db || job_find(db, names[0], &first, &err) != QUERN_OK ||
        job_find(db, names[1], &second, &err) != QUERN_OK) {
        PQfinish(db);
        return cli_fail(&err);
    }
    const char *const values[] = {first.id_text, second.id_text};
    int code = print(db, compare_sql, values, format);
    PQfinish(db);
    return code;
}

static int run_compare(int argc, char **argv)
{
    struct options o = {.verb = &compare_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL, *output = "table";
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        *(i == COMPARE_CONFIG ? &config : &output) = o.value;
    }
    if (argc - optind != 2)
        return options_usage_error(&o, "two JOBs are needed");
    if (cli_format(output) == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", output);
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    const char *const names[] = {argv[optind], argv[optind + 1]};
    int code = compare(c, names, cli_format(output));
    config_free(c);
    return code;
}

const struct verb compare_verb = {
    "compare",
    "Which of two jobs did better on the same tasks",
    "JOB_A JOB_B [OPTION…]",
    "Tasks with the same custom_id are held against each other, measure by measure: how many the\n"
    "first job won and lost (of costs and times the lower wins), and how likely chance alone "
    "makes\n"
    "that so uneven (the sign test).",
    compare_defs,
    "  quern compare summaries-mini summaries-large",
    run_compare};
