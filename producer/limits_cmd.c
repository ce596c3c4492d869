/* `quern limits`: rates, concurrency, pending tasks and budgets, as rows of the database. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "verbs.h"

enum {
    OPT_CONFIG,
    OPT_OUTPUT,
    OPT_REQUESTS,
    OPT_TOKENS,
    OPT_WINDOW,
    OPT_BUDGET,
    OPT_PERIOD,
    OPT_CONCURRENCY,
    OPT_PENDING,
    OPT_PER,
    OPT_ON_LIMIT,
    OPT_WARN,
    OPT_TENANT,
    OPT_USER,
    OPT_FEATURE,
    OPT_JOB,
    OPT_MODEL,
    OPT_LANE,
    OPT_RANK,
    OPT_COUNT
};

static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {0, "requests", "N", "calls in a window (with --on-limit reject: tasks submitted)"},
    {0, "tokens", "N", "tokens of input and output in a window"},
    {0, "window", "TIME",
     "of --requests and --tokens: any stretch of this length, e.g. 1m (1s to 31d)"},
    {0, "budget", "USD", "money in a period"},
    {0, "period", "P", "of --budget: day, month (of limits.time_zone) or total"},
    {0, "concurrency", "N", "calls at a time, over all workers"},
    {0, "pending", "N", "tasks submitted and not done"},
    {0, "per", "AXIS",
     "each tenant, user, feature, job, model or lane has a count of its own (default: one for "
     "all)"},
    {0, "on-limit", "WHAT",
     "rates: pace (wait; default) or reject (refuse the job); budgets: fail (default) or park"},
    {0, "warn", "N,N", "percentages of a budget that are told (default 80,95)"},
    {0, "tenant", "T", "only its tasks; * stands for any characters"},
    {0, "user", "U", "likewise"},
    {0, "feature", "F", "likewise"},
    {0, "job", "J", "likewise, by name or id"},
    {0, "model", "M", "likewise, by the name that tasks ask for"},
    {0, "lane", "LANE", "only this lane"},
    {0, "rank", "N",
     "of limits of one kind, axis and span that fit, the lowest holds (default 100)"},
    {0}};

static int query(PGconn *db, const char *sql, int count, const char *const *values,
                 enum cli_format format)
{
    struct error err;
    PGresult *r = pg_query(db, sql, count, values, &err);
    if (!r)
        return cli_fail(&err);
    table_print(r, format);
    PQclear(r);
    return EXIT_DONE;
}

static int list(PGconn *db, const struct config *c, const char *name, enum cli_format format)
{
    (void)c;
    return query(
        db,
        "SELECT name, kind, CASE kind WHEN 'cost' THEN usd(amount) ELSE trunc(amount) END "
        "AS amount, coalesce(period, (window_ms * interval '1 ms')::text) AS span, "
        "nullif(per, '') AS per, on_limit, "
        "CASE WHEN kind = 'cost' THEN array_to_string(warn, ',') END AS warn, rank, tenant, "
        "\"user\", feature, job, model, lane FROM limits "
        "WHERE $1::text IS NULL OR name = $1 ORDER BY kind, per, span, rank, name",
        1, &name, format);
}

static int usage(PGconn *db, const struct config *c, const char *name, enum cli_format format)
{
    const char *const values[] = {c->limits.time_zone, name};
    return query(db,
                 "SELECT name, kind, subject, used, reserved, amount AS \"limit\", percent, span, "
                 "to_char(resets_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI') AS resets, "
                 "(SELECT string_agg(percent || '% at ' || to_char(w.at AT TIME ZONE $1, "
                 "'YYYY-MM-DD HH24:MI'), ', ' ORDER BY percent) FROM limit_warnings w "
                 "WHERE w.name = u.name AND w.subject = coalesce(u.subject, '') "
                 "AND w.period = (SELECT begins FROM limits l, limit_period(l.period, $1, now()) "
                 "WHERE l.name = u.name AND l.kind = 'cost')) AS warned "
                 "FROM limits_usage($1) u WHERE $2::text IS NULL OR name = $2",
                 2, values, format);
}

static int history(PGconn *db, const struct config *c, const char *name, enum cli_format format)
{
    (void)c;
    return query(
        db,
        "SELECT to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF') AS at, by_user AS by, program, "
        "action, name, CASE action WHEN 'changed' THEN (SELECT string_agg(n.key || ': ' || "
        "(before ->> n.key) || ' -> ' || n.value, ', ') FROM jsonb_each_text(after) n "
        "WHERE (before ->> n.key) IS DISTINCT FROM n.value) "
        "ELSE (SELECT string_agg(n.key || ': ' || n.value, ', ') FROM jsonb_each_text("
        "jsonb_strip_nulls(coalesce(after, before))) n "
        "WHERE n.key <> 'name') END AS what "
        "FROM limit_history WHERE $1::text IS NULL OR name = $1 ORDER BY id DESC LIMIT 200",
        1, &name, format);
}

static int remove_limit(PGconn *db, const struct config *c, const char *name,
                        enum cli_format format)
{
    struct error err;
    (void)c;
    (void)format;
    PGresult *r = pg_query(db, "DELETE FROM limits WHERE name = $1 RETURNING 1", 1, &name, &err);
    bool found = r && PQntuples(r) == 1;
    PQclear(r);
    if (!r)
        return cli_fail(&err);
    if (found)
        return EXIT_DONE;
    (void)error_set(&err, ERROR_PERMANENT, "usage",
                    "there is no limit \"%s\"; `quern limits list` lists them", name);
    return cli_fail(&err);
}

/* ---- set ------------------------------------------------------------------------------------ */

/* What the kind is told by, and what it needs. */
static const struct kind {
    int option;
    const char *name, *on_limit, *span_name;
    int span;
} kinds[] = {{OPT_REQUESTS, "requests", "pace", "--window", OPT_WINDOW},
             {OPT_TOKENS, "tokens", "pace", "--window", OPT_WINDOW},
             {OPT_BUDGET, "cost", "fail", "--period", OPT_PERIOD},
             {OPT_CONCURRENCY, "concurrency", "pace", NULL, 0},
             {OPT_PENDING, "pending", "reject", NULL, 0}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *kind_of(const char *const given[OPT_COUNT])
{
    const struct kind *found = NULL;
    for (int i = 0; i < KINDS; i++) {
        if (!given[kinds[i].option])
            continue;
        if (found)
            return NULL;
        found = &kinds[i];
    }
    return found;
}

/* Checks what PostgreSQL would refuse with less helpful words. */
static int check(struct options *o, const struct kind *k, const char *const given[OPT_COUNT],
                 int64_t *window)
{
    const bool period = given[OPT_PERIOD] != NULL, rate = given[OPT_WINDOW] != NULL;
    if (!k)
        return options_usage_error(o, "one of --requests, --tokens, --budget, --concurrency and "
                                      "--pending is needed");
    if (k->span_name && !given[k->span])
        return options_usage_error(o, "--%s needs %s", defs[k->option].name, k->span_name);
    if ((period && k->span != OPT_PERIOD) || (rate && k->span != OPT_WINDOW))
        return options_usage_error(o, "--%s goes with %s only", period ? "period" : "window",
                                   period ? "--budget" : "--requests and --tokens");
    if (rate && (!units_parse_duration(given[OPT_WINDOW], window) || *window < 1000 ||
                 *window > 31LL * 86400000))
        return options_usage_error(o, "--window \"%s\" is no time from 1s to 31d",
                                   given[OPT_WINDOW]);
    return EXIT_DONE;
}

static int set(PGconn *db, const struct kind *k, const char *const given[OPT_COUNT],
               const char *name, int64_t window)
{
    struct error err;
    char ms[32], warn[128];
    (void)snprintf(ms, sizeof ms, "%lld", (long long)window);
    (void)snprintf(warn, sizeof warn, "{%s}", given[OPT_WARN] ? given[OPT_WARN] : "80,95");
    const char *const values[] = {name,
                                  k->name,
                                  given[k->option],
                                  given[OPT_PER] ? given[OPT_PER] : "",
                                  given[OPT_TENANT],
                                  given[OPT_USER],
                                  given[OPT_FEATURE],
                                  given[OPT_JOB],
                                  given[OPT_MODEL],
                                  given[OPT_LANE],
                                  k->span == OPT_WINDOW ? ms : NULL,
                                  given[OPT_PERIOD],
                                  given[OPT_ON_LIMIT] ? given[OPT_ON_LIMIT] : k->on_limit,
                                  warn,
                                  given[OPT_RANK] ? given[OPT_RANK] : "100"};
    quern_status status = pg_exec(
        db,
        "INSERT INTO limits (name, kind, amount, per, tenant, \"user\", feature, job, model, lane, "
        "window_ms, period, on_limit, warn, rank) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$11, $12, $13, $14, $15) ON CONFLICT (name) DO UPDATE SET kind = EXCLUDED.kind, "
        "amount = EXCLUDED.amount, per = EXCLUDED.per, tenant = EXCLUDED.tenant, "
        "\"user\" = EXCLUDED.\"user\", feature = EXCLUDED.feature, job = EXCLUDED.job, "
        "model = EXCLUDED.model, lane = EXCLUDED.lane, window_ms = EXCLUDED.window_ms, "
        "period = EXCLUDED.period, on_limit = EXCLUDED.on_limit, warn = EXCLUDED.warn, "
        "rank = EXCLUDED.rank",
        15, values, &err);
    if (status == QUERN_OK)
        return EXIT_DONE;
    if (strcmp(err.code, "unreachable") != 0) {
        (void)error_prefix(&err,
                           "limit \"%s\" is not set: a value does not fit (amounts are whole "
                           "numbers, of a budget USD; see `quern limits --help`)",
                           name);
        memcpy(err.code, "usage", sizeof "usage");
    }
    return cli_fail(&err);
}

/* ---- */

typedef int action(PGconn *db, const struct config *c, const char *name, enum cli_format format);
static const struct {
    const char *name;
    action *run;
    bool needs_name;
} actions[] = {{"list", list, false},
               {"usage", usage, false},
               {"history", history, false},
               {"remove", remove_limit, true},
               {"set", NULL, true}};
enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(int argc, char **argv)
{
    struct options o = {.verb = &limits_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    enum cli_format format;
    struct error err;
    int64_t window = 0;
    int i, which = 0;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value;
    }
    const char *word = optind < argc ? argv[optind] : "list";
    const char *name = optind + 1 < argc ? argv[optind + 1] : NULL;
    while (which < ACTIONS && strcmp(actions[which].name, word) != 0)
        which++;
    if (which == ACTIONS || argc - optind > 2)
        return options_usage_error(&o, "list, set NAME, remove NAME, usage or history is needed");
    if (actions[which].needs_name && !name)
        return options_usage_error(&o, "%s needs a NAME", word);
    if ((format = cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table")) == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[OPT_OUTPUT]);
    const struct kind *k = kind_of(given);
    if (!actions[which].run && check(&o, k, given, &window) != EXIT_DONE)
        return EXIT_USAGE;
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    PGconn *db = cli_database(c, &err);
    int code = !db                  ? cli_fail(&err)
               : actions[which].run ? actions[which].run(db, c, name, format)
                                    : set(db, k, given, name, window);
    PQfinish(db);
    config_free(c);
    return code;
}

const struct verb limits_verb = {
    "limits",
    "Rates, concurrency, pending tasks and budgets",
    "[list | set NAME | remove NAME | usage [NAME] | history [NAME]] [OPTION…]",
    "A limit holds over all workers, and for every task that it is for; those of different kinds,\n"
    "axes and spans hold side by side. set makes one, or replaces the one of that name; workers\n"
    "keep to it within seconds. usage tells what is in use; history who changed what (SQL too).\n"
    "Tasks that do not name an axis share one count of it.",
    defs,
    "  quern limits set per-user --requests 10 --window 1m --per user --on-limit reject\n"
    "  quern limits set tenants --tokens 100000 --window 1m --per tenant\n"
    "  quern limits set acme --budget 25.00 --period day --tenant acme --warn 50,80,95\n"
    "  quern limits set fair --concurrency 50 --per tenant\n"
    "  quern limits usage",
    run};
