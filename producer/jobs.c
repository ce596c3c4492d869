#include <getopt.h>
#include <stdio.h>

#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, OPT_LIMIT };
static const struct option_def defs[] = {CLI_CONFIG_OPTION,
                                         CLI_OUTPUT_OPTION,
                                         {'n', "limit", "N", "the newest N jobs (default 50)"},
                                         {0}};

static int list(const struct config *c, enum cli_format format, const char *limit)
{
    struct error err;
    PGconn *db = cli_database(c, &err);
    if (!db)
        return cli_fail(&err);
    PGresult *r = pg_query(db,
                           "SELECT name AS job, id, state, lane, total, succeeded, failed, "
                           "cancelled, expired, degraded, blocked, cost_usd, "
                           "to_char(created_at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF') AS created "
                           "FROM job_status WHERE NOT is_judge_job(id) "
                           "ORDER BY created_at DESC, id DESC LIMIT $1::bigint",
                           1, &limit, &err);
    if (r)
        table_print(r, format);
    PQclear(r);
    PQfinish(db);
    return r ? EXIT_DONE : cli_fail(&err);
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &jobs_verb, .program = "quern", .argc = argc, .argv = argv};
    enum cli_format format = FORMAT_TABLE;
    const char *config = NULL, *limit = "50";
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_CONFIG)
            config = o.value;
        else if (i == OPT_LIMIT)
            limit = o.value;
        else if ((format = cli_format(o.value)) == FORMAT_BAD)
            return options_usage_error(&o, "unknown output format \"%s\"", o.value);
    }
    if (argc != optind)
        return options_usage_error(&o, "no operand is expected");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    int code = list(c, format, limit);
    config_free(c);
    return code;
}

const struct verb jobs_verb = {"jobs",      "List jobs, newest first",
                               "[OPTION…]", NULL,
                               defs,        "  quern jobs\n  quern jobs -n 5 -o json",
                               run};
