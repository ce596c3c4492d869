/* `quern cache`: what the response cache holds and has saved. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, OPT_TENANT, OPT_MODEL, OPT_EXPIRED, OPT_ALL, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {0, "tenant", "T", "purge: answers of this tenant"},
    {0, "model", "M", "purge: answers to requests for this model, or by it"},
    {0, "expired", NULL, "purge: what is too old to be used"},
    {0, "all", NULL, "purge: everything"},
    {0}};

static int stats(PGconn *db, enum cli_format format)
{
    struct error err;
    PGresult *r = pg_query(
        db,
        "WITH kept AS (SELECT model, count(*) AS answers, sum(bytes)::bigint AS bytes, "
        "  count(*) FILTER (WHERE expires_at < now()) AS expired, min(created_at) AS oldest "
        " FROM cache GROUP BY model), "
        "used AS (SELECT r.model, count(*) FILTER (WHERE kind = 'cached') AS hits, "
        "  count(*) FILTER (WHERE kind = 'shared') AS shared, sum(s.tokens)::bigint AS tokens, "
        "  sum(s.usd) AS usd FROM savings s JOIN results r USING (job_id, custom_id) "
        " WHERE kind IN ('cached', 'shared') GROUP BY r.model) "
        "SELECT model, coalesce(answers, 0) AS answers, coalesce(bytes, 0) AS bytes, "
        " coalesce(expired, 0) AS expired, to_char(oldest, 'YYYY-MM-DD\"T\"HH24:MI:SSOF') AS "
        "oldest, "
        " coalesce(hits, 0) AS hits, coalesce(shared, 0) AS shared, "
        " coalesce(tokens, 0) AS tokens_saved, usd(coalesce(usd, 0)) AS usd_saved "
        "FROM kept FULL JOIN used USING (model) ORDER BY model",
        0, NULL, &err);
    if (!r)
        return cli_fail(&err);
    table_print(r, format);
    PQclear(r);
    return EXIT_DONE;
}

static int purge(PGconn *db, const char *const given[OPT_COUNT])
{
    struct error err;
    const char *const values[] = {given[OPT_TENANT], given[OPT_MODEL],
                                  given[OPT_EXPIRED] ? "t" : "f"};
    PGresult *r =
        pg_query(db,
                 "WITH gone AS (DELETE FROM cache WHERE ($1::text IS NULL OR tenant = $1) "
                 "AND ($2::text IS NULL OR model = $2 OR upstream_model = $2) "
                 "AND (NOT $3::boolean OR expires_at < now()) RETURNING 1) "
                 "SELECT count(*) FROM gone",
                 3, values, &err);
    if (!r)
        return cli_fail(&err);
    (void)printf("%s answers are purged\n", PQgetvalue(r, 0, 0));
    PQclear(r);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &cache_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    enum cli_format format;
    struct error err;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value ? o.value : "";
    }
    const char *word = optind < argc ? argv[optind] : "";
    const bool purges = strcmp(word, "purge") == 0;
    if (argc - optind != 1 || (!purges && strcmp(word, "stats") != 0))
        return options_usage_error(&o, "stats or purge is needed");
    if ((format = cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table")) == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[OPT_OUTPUT]);
    if (purges && !given[OPT_TENANT] && !given[OPT_MODEL] && !given[OPT_EXPIRED] && !given[OPT_ALL])
        return options_usage_error(&o, "purge what? --tenant, --model, --expired or --all");
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    PGconn *db = cli_database(c, &err);
    int code = !db ? cli_fail(&err) : purges ? purge(db, given) : stats(db, format);
    PQfinish(db);
    config_free(c);
    return code;
}

const struct verb cache_verb = {
    "cache",
    "What the response cache holds and saves, and emptying it",
    "stats | purge [OPTION…]",
    "Answers are kept by the rules of `cache` in the configuration. stats counts them, and tasks\n"
    "that had one (hits) or shared one in flight, by model. purge deletes; what is in flight may\n"
    "come after it.",
    defs,
    "  quern cache stats\n  quern cache purge --tenant acme\n  quern cache purge --model gpt-4o",
    run};
