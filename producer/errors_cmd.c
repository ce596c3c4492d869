/* `quern errors`: what goes wrong, whom it hurts, and the latest case of each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

static const struct option_def defs[] = {
    VIEW_OPTIONS_OF("type (default), model, backend, tenant, feature or job",
                    "only errors from then on (default: 24h)"),
    {0}};

static const struct view_axis axes[] = {{"type", "e.type"},
                                        {"model", "e.model"},
                                        {"backend", "e.backend"},
                                        {"tenant", "e.tenant"},
                                        {"feature", "e.feature"},
                                        {"job", "e.job"},
                                        {0}};

/* Failed calls, and tasks that failed without any. A task is lost if it ended without an answer. */
#define ERRORS                                                                                     \
    "WITH e AS (SELECT a.error_type AS type, coalesce(a.asked, a.model) AS model, a.backend, "     \
    "  a.tenant, a.\"user\", a.feature, j.name AS job, a.job_id, a.custom_id, a.http_status, "     \
    "  a.error, a.started_at AS at, true AS called FROM attempts a LEFT JOIN jobs j ON j.id = "    \
    "a.job_id "                                                                                    \
    "  WHERE a.error_type IS NOT NULL AND ($1::uuid IS NULL OR a.job_id = $1) "                    \
    "   AND ($2::timestamptz IS NULL OR a.started_at >= $2) "                                      \
    " UNION ALL SELECT r.error_type, r.model, r.backend, r.tenant, r.\"user\", r.feature, "        \
    "  j.name, r.job_id, r.custom_id, r.http_status, r.error, r.finished_at, false "               \
    "  FROM results r LEFT JOIN jobs j ON j.id = r.job_id "                                        \
    "  WHERE r.status IN ('failed', 'expired') AND r.attempts = 0 "                                \
    "   AND ($1::uuid IS NULL OR r.job_id = $1) "                                                  \
    "   AND ($2::timestamptz IS NULL OR r.finished_at >= $2)), "                                   \
    "k AS (SELECT @c AS kind, e.* FROM e), "                                                       \
    "s AS (SELECT kind, count(*) FILTER (WHERE called) AS failed_calls, "                          \
    "  count(DISTINCT (job_id, custom_id)) AS tasks, "                                             \
    "  count(DISTINCT (job_id, custom_id)) FILTER (WHERE EXISTS (SELECT FROM results r WHERE "     \
    "   r.job_id = k.job_id AND r.custom_id = k.custom_id AND r.status IN ('failed', 'expired') "  \
    "   AND r.reopened_at IS NULL)) AS lost_tasks, "                                               \
    "  count(DISTINCT (tenant, \"user\")) FILTER (WHERE tenant IS NOT NULL OR \"user\" IS NOT "    \
    "NULL) AS users, min(at) AS first_at, max(at) AS last_at FROM k GROUP BY kind), "              \
    "d AS (SELECT DISTINCT ON (kind) * FROM k ORDER BY kind, at DESC, job_id, custom_id) "

static const char summary_sql[] =
    ERRORS "SELECT s.kind AS \"@n\", failed_calls, tasks, lost_tasks, users, "
           " utc(first_at) AS first_at, "
           " utc(last_at) AS last_at "
           "FROM s ORDER BY lost_tasks DESC, failed_calls DESC, 1";

static const char detail_sql[] =
    ERRORS "SELECT s.kind AS \"@n\", failed_calls, tasks, lost_tasks, users, utc(first_at) AS "
           "first_at, utc(last_at) AS last_at, "
           " d.job AS last_job, d.custom_id AS last_custom_id, d.type AS last_type, "
           " d.model AS last_model, d.backend AS last_backend, d.http_status AS last_http_status, "
           " d.tenant AS last_tenant, d.\"user\" AS last_user, d.error AS last_error "
           "FROM s LEFT JOIN d ON d.kind IS NOT DISTINCT FROM s.kind "
           "ORDER BY lost_tasks DESC, failed_calls DESC, 1";

static const char *field(const PGresult *r, int row, const char *name)
{
    return PQgetvalue(r, row, PQfnumber(r, name));
}

/* The latest case of each kind, for people. */
static void print_latest(const PGresult *r)
{
    for (int row = 0; row < PQntuples(r); row++) {
        (void)printf("\nlatest of ");
        table_clean(PQgetvalue(r, row, 0));
        (void)printf(": %s, at %s, ", field(r, row, "last_type"), field(r, row, "last_at"));
        (void)printf("backend %s, model ", field(r, row, "last_backend"));
        table_clean(field(r, row, "last_model"));
        if (*field(r, row, "last_http_status"))
            (void)printf(", HTTP %s", field(r, row, "last_http_status"));
        (void)printf("\n  ");
        table_clean(field(r, row, "last_error"));
        (void)printf("\n  quern task ");
        table_clean(field(r, row, "last_job"));
        (void)printf(" ");
        table_clean(field(r, row, "last_custom_id"));
        (void)putchar('\n');
    }
}

static int show(const struct view_ask *ask)
{
    int code;
    if (ask->format != FORMAT_TABLE)
        return view_print(ask, detail_sql);
    if ((code = view_print(ask, summary_sql)) != EXIT_DONE)
        return code;
    PGresult *r = view_query(ask, detail_sql, &code);
    if (r)
        print_latest(r);
    PQclear(r);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct view view = {&errors_verb, axes, "24h", show};
    return view_run(&view, argc, argv);
}

const struct verb errors_verb = {
    "errors",
    "What goes wrong, and whom it hurts",
    "[OPTION…]",
    "Counts failed calls, and tasks that failed without one, of the last day: by type, model, "
    "backend,\n"
    "tenant, feature or job; how many tasks they were of, how many of these ended without an "
    "answer\n"
    "(lost_tasks: `quern retry` queues them again), and how many users asked for them. Below it, "
    "the\n"
    "latest case of each kind; `quern task` has its whole story.",
    defs,
    "  quern errors\n  quern errors --by backend --since 1h\n"
    "  quern errors --job nightly-2026-11-24 -o json",
    run};
