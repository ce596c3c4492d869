#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "letters.h"
#include "verbs.h"

enum {
    OPT_CONFIG,
    OPT_OUTPUT,
    OPT_JOB,
    OPT_REASON,
    OPT_STATUS,
    OPT_TENANT,
    OPT_ERROR,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_LIMIT,
    OPT_ALL,
    OPT_DRY_RUN,
    OPT_YES
};
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {'j', "job", "JOB", "only of this job (name or id)"},
    {0, "reason", "TYPE", "only with this error type, e.g. rate_limit, timeout, invalid_request"},
    {'s', "status", "STATUS", "only failed, cancelled or expired"},
    {0, "tenant", "NAME", "only of this tenant"},
    {0, "error", "PATTERN", "only whose message fits this regular expression (case ignored)"},
    {0, "since", "WHEN", "only from then on: a time, or how long ago (2h)"},
    {0, "until", "WHEN", "only before then"},
    {'n', "limit", "N", "list: the newest N (default 50)"},
    {'a', "all", NULL, "list: also those that were replayed"},
    {0, "dry-run", NULL, "replay, purge: only tell how many"},
    {'y', "yes", NULL, "replay, purge: do not ask"},
    {0}};

struct arguments {
    struct letter_filter filter;
    const char *config, *job, *status, *limit;
    char *statuses;
    struct job chosen; /* by --job */
    enum cli_format format;
    bool all, dry_run, yes;
};

/* ---- what it does --------------------------------------------------------------------------- */

static quern_status list(PGconn *db, const struct arguments *a, struct error *err)
{
    const char *values[LETTER_PARAMETERS + 1];
    letter_parameters(&a->filter, values);
    values[LETTER_PARAMETERS] = a->limit;
    char *sql = mem_format(
        "SELECT d.id, coalesce(j.name, '') AS job, coalesce(d.custom_id, '') AS custom_id, "
        "d.generation, d.status, d.reason, left(d.error, 100) AS error, d.attempts, "
        "coalesce(d.tenant, '') AS tenant, "
        "to_char(d.created_at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF') AS created, "
        "coalesce(to_char(d.replayed_at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF'), '') AS replayed "
        "FROM dead_letters d LEFT JOIN jobs j ON j.id = d.job_id WHERE %s %s "
        "ORDER BY d.id DESC LIMIT $9::bigint",
        letter_condition, a->all ? "" : "AND d.replayed_at IS NULL");
    PGresult *r = pg_query(db, sql, LETTER_PARAMETERS + 1, values, err);
    free(sql);
    if (r)
        table_print(r, a->format);
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

/* Everything that is known of one letter: where it came from, its calls, its record. */
static quern_status show(PGconn *db, const char *id, struct error *err)
{
    PGresult *r = pg_query(
        db,
        "SELECT jsonb_pretty(jsonb_build_object('id', d.id, 'job', j.name, 'job_id', d.job_id, "
        "'custom_id', d.custom_id, 'generation', d.generation, 'status', d.status, "
        "'reason', d.reason, 'error', d.error, 'tenant', d.tenant, 'lane', d.lane, "
        "'topic', d.topic, 'partition', d.partition, 'offset', d.kafka_offset, "
        "'created_at', d.created_at, 'published_at', d.published_at, "
        "'replay_generation', d.replay_generation, 'replayed_at', d.replayed_at, "
        "'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object('generation', a.generation, "
        "  'attempt', a.attempt, 'backend', a.backend, 'model', a.model, "
        "  'http_status', a.http_status, 'error_type', a.error_type, 'error', a.error, "
        "  'started_at', a.started_at, 'duration_ms', a.duration_ms, 'cost_usd', a.cost_usd) "
        "  ORDER BY a.started_at), '[]') FROM attempts a WHERE a.job_id = d.job_id "
        "  AND a.custom_id = d.custom_id))), "
        "CASE WHEN d.job_id IS NULL THEN encode(d.record, 'escape') "
        "ELSE convert_from(d.record, 'UTF8') END "
        "FROM dead_letters d LEFT JOIN jobs j ON j.id = d.job_id WHERE d.id = $1::bigint",
        1, &id, err);
    if (!r)
        return QUERN_FAIL;
    bool found = PQntuples(r) == 1;
    if (found) {
        table_clean(PQgetvalue(r, 0, 0));
        (void)fputs("\nrecord:\n", stdout);
        table_clean(PQgetvalue(r, 0, 1));
        (void)putchar('\n');
    }
    PQclear(r);
    if (found)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "usage",
                     "there is no dead letter %s; `quern dead list` lists them", id);
}

static quern_status replay(PGconn *db, const struct config *c, const struct arguments *a,
                           struct error *err)
{
    int64_t count;
    if (letters_count(db, &a->filter, &count, err) != QUERN_OK)
        return QUERN_FAIL;
    if (a->dry_run || count == 0) {
        (void)printf("%" PRId64 " tasks would be queued again\n", count);
        return QUERN_OK;
    }
    if (!cli_confirm(a->yes, err, "Queue %lld tasks again?", (long long)count))
        return QUERN_FAIL;
    quern_status status = letters_replay(db, c, &a->filter, &count, err);
    if (status == QUERN_OK)
        (void)printf("%" PRId64 " tasks are queued again\n", count);
    return status;
}

/* Not those that a worker is about to publish. */
#define PURGEABLE "(d.published_at IS NOT NULL OR d.replayed_at IS NOT NULL) "

/* The results stay; what goes is the record, and the way to replay it. */
static quern_status purge(PGconn *db, const struct arguments *a, struct error *err)
{
    const char *values[LETTER_PARAMETERS];
    letter_parameters(&a->filter, values);
    char *sql = mem_format("SELECT count(*) FROM dead_letters d WHERE " PURGEABLE "AND %s",
                           letter_condition);
    PGresult *r = pg_query(db, sql, LETTER_PARAMETERS, values, err);
    free(sql);
    if (!r)
        return QUERN_FAIL;
    long long count = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    if (a->dry_run || count == 0) {
        (void)printf("%lld dead letters would be deleted\n", count);
        return QUERN_OK;
    }
    if (!cli_confirm(a->yes, err, "Delete %lld dead letters for ever?", count))
        return QUERN_FAIL;
    sql = mem_format("DELETE FROM dead_letters d WHERE " PURGEABLE "AND %s", letter_condition);
    r = pg_query(db, sql, LETTER_PARAMETERS, values, err);
    free(sql);
    if (r)
        (void)printf("%s dead letters are deleted\n", PQcmdTuples(r));
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

/* ---- what it is asked ----------------------------------------------------------------------- */

static int set_time(const struct options *o, char **out)
{
    char text[UNITS_TEXT_MAX];
    int64_t us, ms;
    if (units_parse_duration(o->value, &ms))
        us = units_now_us() - ms * 1000;
    else if (!units_parse_time(o->value, &us))
        return options_usage_error(o,
                                   "\"%s\" is neither a time (2026-01-31T10:00:00Z) nor a "
                                   "duration (2h)",
                                   o->value);
    free(*out);
    *out = mem_string(units_format_time(us, text));
    return EXIT_DONE;
}

static int set_status(const struct options *o, struct arguments *a)
{
    static const char *const known[] = {"failed", "cancelled", "expired"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], o->value) != 0)
            continue;
        free(a->statuses);
        a->filter.statuses = a->statuses = mem_format("{%s}", o->value);
        return EXIT_DONE;
    }
    return options_usage_error(o, "unknown status \"%s\": failed, cancelled or expired", o->value);
}

static int set_option(const struct options *o, int i, struct arguments *a)
{
    const char **const texts[] = {[OPT_CONFIG] = &a->config,
                                  [OPT_JOB] = &a->job,
                                  [OPT_REASON] = &a->filter.reason,
                                  [OPT_TENANT] = &a->filter.tenant,
                                  [OPT_ERROR] = &a->filter.error};
    switch (i) {
    case OPT_OUTPUT:
        a->format = cli_format(o->value);
        return a->format == FORMAT_BAD
                   ? options_usage_error(o, "unknown output format \"%s\"", o->value)
                   : EXIT_DONE;
    case OPT_STATUS:
        return set_status(o, a);
    case OPT_SINCE:
    case OPT_UNTIL:
        return set_time(o, i == OPT_SINCE ? &a->filter.since : &a->filter.until);
    case OPT_ALL:
    case OPT_DRY_RUN:
    case OPT_YES:
        *(i == OPT_ALL ? &a->all : i == OPT_YES ? &a->yes : &a->dry_run) = true;
        return EXIT_DONE;
    case OPT_LIMIT:
        if (!*o->value || o->value[strspn(o->value, "0123456789")] || strlen(o->value) > 9)
            return options_usage_error(o, "--limit \"%s\" is no number", o->value);
        a->limit = o->value;
        return EXIT_DONE;
    default:
        *texts[i] = o->value;
        return EXIT_DONE;
    }
}

/* The ids behind the action as an array. */
static int read_ids(const struct options *o, char **ids, int count, struct arguments *a)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < count; i++) {
        if (!*ids[i] || ids[i][strspn(ids[i], "0123456789")] || strlen(ids[i]) > 18) {
            buf_free(&b);
            return options_usage_error(o, "\"%s\" is no id of a dead letter", ids[i]);
        }
        buf_printf(&b, "%c%s", i ? ',' : '{', ids[i]);
    }
    if (count)
        buf_char(&b, '}');
    a->filter.ids = b.data;
    return EXIT_DONE;
}

static quern_status check_pattern(PGconn *db, const char *pattern, struct error *err)
{
    struct error why;
    if (pg_exec(db, "SELECT '' ~* $1", 1, &pattern, &why) == QUERN_OK)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "usage", "--error \"%s\": %s", pattern, why.message);
}

static quern_status act(PGconn *db, const struct config *c, const char *what, struct arguments *a,
                        const char *id, struct error *err)
{
    if (a->job && job_find(db, a->job, &a->chosen, err) != QUERN_OK)
        return QUERN_FAIL;
    a->filter.job = a->job ? a->chosen.id_text : NULL;
    if (a->filter.error && check_pattern(db, a->filter.error, err) != QUERN_OK)
        return QUERN_FAIL;
    if (strcmp(what, "list") == 0)
        return list(db, a, err);
    if (strcmp(what, "show") == 0)
        return show(db, id, err);
    return strcmp(what, "replay") == 0 ? replay(db, c, a, err) : purge(db, a, err);
}

static int run_with(struct options *o, const char *what, struct arguments *a, char **ids, int count)
{
    struct error err;
    if (strcmp(what, "show") == 0 && count != 1)
        return options_usage_error(o, "show needs one ID");
    if (read_ids(o, ids, count, a) != EXIT_DONE)
        return EXIT_USAGE;
    struct config *c = cli_config(a->config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    PGconn *db = cli_database(c, &err);
    quern_status status = db ? act(db, c, what, a, count ? ids[0] : NULL, &err) : QUERN_FAIL;
    PQfinish(db);
    config_free(c);
    return status == QUERN_OK ? EXIT_DONE : cli_fail(&err);
}

static bool is_action(const char *what)
{
    static const char *const actions[] = {"list", "show", "replay", "purge"};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i], what) == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &dead_verb, .program = "quern", .argc = argc, .argv = argv};
    struct arguments a = {.limit = "50", .format = FORMAT_TABLE};
    int i, code = EXIT_DONE;
    while (code == EXIT_DONE && (i = options_next(&o)) != OPTION_END)
        code = i == OPTION_HELP ? -1 : i < 0 ? EXIT_USAGE : set_option(&o, i, &a);
    if (code == EXIT_DONE) {
        const char *what = optind < argc ? argv[optind] : "";
        code = is_action(what) ? run_with(&o, what, &a, argv + optind + 1, argc - optind - 1)
                               : options_usage_error(&o, "list, show, replay or purge is needed");
    }
    free(a.filter.since);
    free(a.filter.until);
    free(a.filter.ids);
    free(a.statuses);
    return code < 0 ? EXIT_DONE : code;
}

const struct verb dead_verb = {
    "dead",
    "List, show, replay or delete dead letters",
    "list|show|replay|purge [ID…] [OPTION…]",
    "A dead letter is a task that ended without success, or a record that is no task. replay "
    "queues\n"
    "the chosen tasks again as a new generation: their letters stay as history, the job's counts\n"
    "turn back, and doing it twice sends nothing twice. Records that could not be read cannot be\n"
    "replayed. purge deletes letters; results stay.",
    defs,
    "  quern dead list --job nightly --since 24h\n"
    "  quern dead show 1234\n"
    "  quern dead replay --job nightly --reason timeout --dry-run\n"
    "  quern dead replay 1234 1240 --yes\n"
    "  quern dead purge --until 30d --yes",
    run};
