/* `quern cost`: what was spent, and what was saved against the declared baseline. */
#include "view.h"

static const struct option_def defs[] = {
    VIEW_OPTIONS_OF("day (UTC; default), month, tenant, user, model, feature, lane, backend, job "
                    "or all",
                    "only calls from then on"),
    {0, "savings", NULL, "what each way of saving has saved"},
    {0}};

static const struct view_axis axes[] = {{"day", "day"},
                                        {"month", "to_char(day, 'YYYY-MM')"},
                                        {"tenant", "nullif(tenant, '')"},
                                        {"user", "nullif(\"user\", '')"},
                                        {"model", "model"},
                                        {"feature", "nullif(feature, '')"},
                                        {"lane", "nullif(lane, '')"},
                                        {"backend", "backend"},
                                        {"all", "'all'"},
                                        {"job", "job"},
                                        {0}};
enum { BY_JOB = sizeof axes / sizeof *axes - 2 };

#define COLUMNS                                                                                    \
    " sum(calls)::bigint AS calls, sum(tasks)::bigint AS tasks, "                                  \
    " sum(failed_calls)::bigint AS failed_calls, sum(input_tokens)::bigint AS input_tokens, "      \
    " sum(cached_tokens)::bigint AS cached_tokens, sum(output_tokens)::bigint AS output_tokens, "  \
    " usd(sum(cost_usd)) AS cost_usd, "                                                            \
    " usd(round(sum(cost_usd) / nullif(sum(calls), 0), 9)) AS usd_per_call, "                      \
    " usd(round(sum(cost_usd) / nullif(sum(tasks), 0), 9)) AS usd_per_task, "                      \
    " sum(unpriced)::bigint AS unknown FROM c GROUP BY 1 ORDER BY sum(cost_usd) DESC, 1"

/* Attempts as rows of `costs`. */
#define ATTEMPTS                                                                                   \
    "SELECT (a.started_at AT TIME ZONE 'UTC')::date AS day, coalesce(a.tenant, '') AS tenant, "    \
    " coalesce(a.\"user\", '') AS \"user\", coalesce(a.feature, '') AS feature, "                  \
    " coalesce(a.lane, '') AS lane, coalesce(a.asked, a.model) AS model, a.backend, 1 AS calls, "  \
    " (a.error_type IS NOT NULL)::int AS failed_calls, (a.attempt = 1)::int AS tasks, "            \
    " (a.cost_usd IS NULL)::int AS unpriced, a.input_tokens, a.cached_tokens, a.output_tokens, "   \
    " a.reasoning_tokens, coalesce(a.cost_usd, 0) AS cost_usd"

/* Whole days come from the sums by day; the rest of the first one, call by call. */
static const char all_sql[] =
    "WITH edge AS (SELECT CASE WHEN $2::timestamptz IS NOT NULL THEN "
    "  date_trunc('day', $2::timestamptz - interval '1 us', 'UTC') + interval '1 day' END AS "
    "first), "
    "c AS (SELECT costs.* FROM costs, edge "
    "  WHERE first IS NULL OR day >= (first AT TIME ZONE 'UTC')::date "
    " UNION ALL " ATTEMPTS " FROM attempts a, edge WHERE $1::uuid IS NULL "
    "  AND a.started_at >= $2::timestamptz AND a.started_at < first) "
    "SELECT @c AS \"@n\"," COLUMNS;

/* Of one job, or by job: call by call. */
static const char job_sql[] =
    "WITH c AS (" ATTEMPTS ", j.name AS job FROM attempts a LEFT JOIN jobs j ON j.id = a.job_id "
    "  WHERE ($1::uuid IS NULL OR a.job_id = $1) "
    "  AND ($2::timestamptz IS NULL OR a.started_at >= $2)) "
    "SELECT @c AS \"@n\"," COLUMNS;

/* The baseline, less what each way saved, is what the answers' own calls cost; calls that failed,
 * or were made again, are what the bill has beyond. */
static const char savings_sql[] =
    "WITH s AS (SELECT s.kind, count(*) AS tasks, sum(s.tokens)::bigint AS tokens, "
    "  coalesce(sum(s.usd), 0) AS usd, count(*) FILTER (WHERE s.usd IS NULL) AS unknown "
    " FROM savings s JOIN results r USING (job_id, custom_id) JOIN jobs j ON j.id = s.job_id "
    " WHERE j.attempts_dropped_at IS NULL AND ($1::uuid IS NULL OR s.job_id = $1) "
    "  AND ($2::timestamptz IS NULL OR r.finished_at >= $2) GROUP BY s.kind), "
    "a AS (SELECT count(*) AS calls, coalesce(sum(cost_usd), 0) AS usd, "
    "  coalesce(sum(input_tokens + output_tokens), 0)::bigint AS tokens, "
    "  count(*) FILTER (WHERE cost_usd IS NULL) AS unknown FROM attempts JOIN jobs j "
    "  ON j.id = job_id "
    " WHERE j.results_dropped_at IS NULL AND ($1::uuid IS NULL OR job_id = $1) AND "
    "($2::timestamptz IS NULL OR started_at >= $2)), "
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

static int show(const struct view_ask *ask)
{
    if (ask->flag)
        return view_print(ask, savings_sql);
    return view_print(ask, ask->job || ask->axis == &axes[BY_JOB] ? job_sql : all_sql);
}

static int run(int argc, char **argv)
{
    static const struct view view = {&cost_verb, axes, NULL, show};
    return view_run(&view, argc, argv);
}

const struct verb cost_verb = {
    "cost",
    "What calls have cost, and what was saved",
    "[OPTION…]",
    "Sums over every attempt, to the last digit; `tasks` counts first calls. Days are UTC, of the\n"
    "call's start, and stay when the attempts themselves are dropped. --savings starts from what "
    "the answers would "
    "have\n"
    "cost with the model of savings.baseline, and takes off what routing, compression, packing,\n"
    "the cache and shared answers have saved; what is left is spent. `unknown` counts calls whose\n"
    "cost nobody knows.",
    defs,
    "  quern cost --by tenant --since 30d\n"
    "  quern cost --by model --job nightly-2026-11-24\n"
    "  quern cost --savings --since 24h",
    run};
