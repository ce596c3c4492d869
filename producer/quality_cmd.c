/* `quern quality` and `quern compare`: how good answers are, and which of two jobs did better. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guards/judge.h"
#include "view.h"

static const struct option_def defs[] = {
    VIEW_OPTIONS_OF("model (default), feature, tenant, backend, job or day (UTC)",
                    "only results from then on"),
    {0}};

static const struct view_axis axes[] = {{"model", "coalesce(r.upstream_model, r.model)"},
                                        {"feature", "r.feature"},
                                        {"tenant", "r.tenant"},
                                        {"backend", "r.backend"},
                                        {"job", "j.name"},
                                        {"day", "(r.finished_at AT TIME ZONE 'UTC')::date"},
                                        {0}};

/* `rated`: the newest rating of each answer that fits the condition between these. */
#define RATED                                                                                      \
    "WITH rated AS (SELECT DISTINCT ON (job_id, custom_id, generation) job_id, custom_id, "        \
    "generation, score, cost_usd FROM judgements WHERE "
#define NEWEST_FIRST " ORDER BY job_id, custom_id, generation, finished_at DESC) "

/* Means have the half width of their 95 % interval beside them. */
static const char quality_sql[] = RATED
    "($1::uuid IS NULL OR job_id = $1) AND ($2::timestamptz IS NULL OR finished_at >= "
    "$2)" NEWEST_FIRST "SELECT @c AS \"@n\", count(*) AS tasks, count(q.completion) AS measured, "
    " round(avg((q.completion = 'complete')::int), 3) AS complete, "
    " wilson(count(*) FILTER (WHERE q.completion = 'complete'), count(q.completion)) AS "
    "complete_95, "
    " round(avg(q.groundedness), 3) AS groundedness, "
    " round(1.96 * stddev_samp(q.groundedness) / nullif(sqrt(count(q.groundedness)), 0)::numeric, "
    "3) AS plus_minus, round(avg(q.relevance), 3) AS relevance, round(avg(q.coverage), 3) AS "
    "coverage, count(f.up) AS feedback, round(avg(f.up::int), 3) AS up, "
    " wilson(count(*) FILTER (WHERE f.up), count(f.up)) AS up_95, count(s.score) AS judged, "
    " round(avg(s.score), 2) AS judge, round(1.96 * stddev_samp(s.score) / "
    "nullif(sqrt(count(s.score)), 0)::numeric, 2) AS judge_plus_minus, usd(sum(s.cost_usd)) AS "
    "judge_usd "
    "FROM results r JOIN jobs j ON j.id = r.job_id "
    "LEFT JOIN quality q ON (q.job_id, q.custom_id, q.generation) = (r.job_id, r.custom_id, "
    "r.generation) LEFT JOIN feedback f ON (f.job_id, f.custom_id) = (r.job_id, r.custom_id) "
    "LEFT JOIN rated s ON (s.job_id, s.custom_id, s.generation) = (r.job_id, r.custom_id, "
    "r.generation) WHERE r.feature IS DISTINCT FROM '" JUDGE_FEATURE
    "' AND ($1::uuid IS NULL OR r.job_id = $1) AND ($2::timestamptz IS NULL OR r.finished_at >= "
    "$2) "
    "GROUP BY 1 ORDER BY 2 DESC, 1";

/* The same custom_id is the same task. Of costs and times the lower wins. */
static const char compare_sql[] = RATED
    "job_id IN ($1::uuid, $2::uuid)" NEWEST_FIRST
    ", t AS (SELECT r.job_id = $1::uuid AS first, r.custom_id, q.groundedness, q.relevance, "
    " (q.completion = 'complete')::int::numeric AS complete, f.up::int::numeric AS feedback, "
    " s.score AS judge, -r.cost_usd AS cost, -(SELECT sum(duration_ms) FROM attempts a WHERE "
    "a.job_id = r.job_id AND "
    "  a.custom_id = r.custom_id)::numeric AS ms "
    " FROM results r LEFT JOIN quality q USING (job_id, custom_id, generation) "
    " LEFT JOIN feedback f USING (job_id, custom_id) "
    " LEFT JOIN rated s USING (job_id, custom_id, generation) WHERE r.job_id IN ($1::uuid, "
    "$2::uuid)), "
    "p AS (SELECT m.what, m.sign, m.a, m.b FROM t a JOIN t b ON a.first AND NOT b.first AND "
    " a.custom_id = b.custom_id CROSS JOIN LATERAL (VALUES (1, 'complete', 1, a.complete, "
    "b.complete), (2, 'groundedness', 1, a.groundedness, b.groundedness), (3, 'relevance', 1, "
    "a.relevance, b.relevance), (4, 'judge', 1, a.judge, b.judge), (5, 'feedback', 1, "
    "a.feedback, b.feedback), (6, 'cost_usd', -1, a.cost, b.cost), (7, 'call_ms', -1, a.ms, "
    "b.ms)) m(n, what, sign, a, b)) "
    "SELECT what, count(*) FILTER (WHERE a IS NOT NULL AND b IS NOT NULL) AS tasks, "
    " trim_scale(round(avg(a * sign), 9)) AS first, trim_scale(round(avg(b * sign), 9)) AS second, "
    " count(*) FILTER (WHERE a > b) AS wins, count(*) FILTER (WHERE a < b) AS losses, "
    " count(*) FILTER (WHERE a = b) AS ties, "
    " sign_test(count(*) FILTER (WHERE a > b), count(*) FILTER (WHERE a < b)) AS chance "
    "FROM p GROUP BY what ORDER BY min(array_position(ARRAY['complete', 'groundedness', "
    "'relevance', 'judge', 'feedback', 'cost_usd', 'call_ms'], what))";

static int show(const struct view_ask *ask)
{
    return view_print(ask, quality_sql);
}

static int run(int argc, char **argv)
{
    static const struct view view = {&quality_verb, axes, NULL, show};
    return view_run(&view, argc, argv);
}

const struct verb quality_verb = {
    "quality",
    "How good answers are",
    "[OPTION…]",
    "Counts what the rules of `quality` measured: how many answers are complete (not cut off,\n"
    "refused, empty or a loop), how much of what they say their source bears out, how close they\n"
    "are to it, what people said of them (`quern feedback`), and how a model rated a sample of\n"
    "them (`quality.judge`); with 95 % intervals.",
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
    PGresult *r = pg_query(db, compare_sql, 2, values, &err);
    int code = r ? EXIT_DONE : cli_fail(&err);
    if (r)
        table_print(r, format);
    PQclear(r);
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
