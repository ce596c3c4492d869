/* `quern task`: the whole story of one task. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_store.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, OPT_RESPONSE };
static const struct option_def defs[] = {CLI_CONFIG_OPTION,
                                         {'o', "output", "FORMAT", "table (default) or json"},
                                         {0, "response", NULL, "with the answer itself"},
                                         {0}};

#define OF_TASK "WHERE job_id = $1::uuid AND custom_id = $2::text"

/* One row, shown as a list; none, if the task has no result. */
static const char result_sql[] =
    "SELECT status || CASE WHEN reopened_at IS NOT NULL THEN ', queued again' ELSE '' END AS "
    "status, r.generation, r.lane, r.tenant, r.\"user\", r.feature, r.model AS asked_for, backend, "
    "upstream_model AS model, source, answer_of, http_status, error_type, error, attempts, "
    "input_tokens, cached_tokens, output_tokens, reasoning_tokens, usd(cost_usd) AS cost_usd, "
    "utc(j.created_at) AS job_created, utc(started_at) AS started, utc(r.finished_at) AS finished, "
    "round(extract(epoch FROM r.finished_at - started_at), 3) AS seconds, "
    "CASE WHEN $3::text = 'yes' THEN response END AS response "
    "FROM results r JOIN jobs j ON j.id = r.job_id " OF_TASK;

/* What follows, as tables; what has no rows is left out. */
static const struct {
    const char *title, *sql;
} sections[] = {
    {"attempts",
     "SELECT generation AS gen, attempt AS n, utc(started_at) AS started, "
     "round(extract(epoch FROM started_at - lag(started_at + duration_ms * interval '1 ms') "
     " OVER (ORDER BY started_at, token)), 3) AS waited_s, "
     "round(duration_ms / 1000.0, 3) AS call_s, round(first_token_ms / 1000.0, 3) AS "
     "first_token_s, backend, model, http_status AS http, coalesce(error_type, 'success') AS "
     "outcome, input_tokens AS input, cached_tokens AS cached, output_tokens AS output, "
     "usd(cost_usd) AS cost_usd, to_hex(token) AS request_id "
     "FROM attempts " OF_TASK " ORDER BY started_at, token"},
    {"errors", "SELECT attempt AS n, error FROM attempts " OF_TASK
               " AND error IS NOT NULL ORDER BY started_at, token"},
    {"parked", "SELECT generation AS gen, rounds AS round, attempts, utc(parked_at) AS since, "
               "utc(due_at) AS due, reason, error FROM parked " OF_TASK},
    {"dead_letters",
     "SELECT id, generation AS gen, reason, utc(created_at) AS written, utc(replayed_at) AS "
     "replayed, topic, partition, kafka_offset FROM dead_letters " OF_TASK " ORDER BY id"},
    {"saved", "SELECT generation AS gen, kind, tokens, usd(usd) AS usd FROM savings " OF_TASK
              " ORDER BY 1, 2"},
    {"guards", "SELECT generation AS gen, direction, guard, action, round(score, 3) AS score, "
               "reasons FROM guard_events " OF_TASK " ORDER BY 1, number"},
    {"quality", "SELECT generation AS gen, completion, groundedness, relevance, coverage, claims, "
                "unsupported::text FROM quality " OF_TASK " ORDER BY 1"},
    {"judge", "SELECT generation AS gen, version, model, status, score, usd(cost_usd) AS cost_usd, "
              "utc(finished_at) AS finished, CASE WHEN status = 'succeeded' THEN "
              "judge_said(response) END AS said FROM judgements " OF_TASK " ORDER BY 1, 7"},
    {"feedback", "SELECT CASE WHEN up THEN 'up' ELSE 'down' END AS said, note, utc(at) AS at "
                 "FROM feedback " OF_TASK},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static PGresult *ask(PGconn *db, const char *sql, const char *const values[3], struct error *err)
{
    const int count = strstr(sql, "$3") ? 3 : 2;
    return pg_query(db, sql, count, values, err);
}

static void print_list(const PGresult *r)
{
    for (int c = 0; c < PQnfields(r); c++) {
        if (PQgetisnull(r, 0, c))
            continue;
        (void)printf("%-16s ", PQfname(r, c));
        table_clean(PQgetvalue(r, 0, c));
        (void)putchar('\n');
    }
}

static quern_status show_sections(PGconn *db, const char *const values[3], bool json, bool *any,
                                  struct error *err)
{
    for (int i = 0; i < SECTIONS; i++) {
        PGresult *r = ask(db, sections[i].sql, values, err);
        if (!r)
            return QUERN_FAIL;
        if (json)
            (void)printf(",\n\"%s\":", sections[i].title);
        else if (PQntuples(r))
            (void)printf("\n%s\n", sections[i].title);
        if (json || PQntuples(r))
            table_print(r, json ? FORMAT_JSON : FORMAT_TABLE);
        *any |= PQntuples(r) > 0;
        PQclear(r);
    }
    return QUERN_OK;
}

static quern_status show(PGconn *db, const char *const values[3], bool json, bool *known,
                         struct error *err)
{
    PGresult *r = ask(db, result_sql, values, err);
    if (!r)
        return QUERN_FAIL;
    *known = PQntuples(r) > 0;
    if (json) {
        (void)printf("{\"result\":");
        table_print(r, FORMAT_JSON);
    } else if (*known) {
        print_list(r);
    } else {
        (void)printf("no result yet\n");
    }
    PQclear(r);
    quern_status status = show_sections(db, values, json, known, err);
    if (json && status == QUERN_OK)
        (void)puts("}");
    return status;
}

static int run_with(const struct config *c, char *const operands[2], bool json, bool response)
{
    struct error err;
    struct job job;
    bool known = false;
    PGconn *db = cli_database(c, &err);
    quern_status status = db ? job_find(db, operands[0], &job, &err) : QUERN_FAIL;
    if (status == QUERN_OK) {
        const char *const values[] = {job.id_text, operands[1], response ? "yes" : ""};
        status = show(db, values, json, &known, &err);
    }
    PQfinish(db);
    if (status != QUERN_OK)
        return cli_fail(&err);
    if (known)
        return EXIT_DONE;
    (void)fprintf(stderr,
                  "quern: job \"%s\": nothing is known of a task \"%s\": it waits in Kafka, or "
                  "there is none; `quern status %s` tells how far the job is\n",
                  job.name, operands[1], job.name);
    return EXIT_ERROR;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &task_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL, *output = "table";
    bool response = false;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_CONFIG)
            config = o.value;
        else if (i == OPT_OUTPUT)
            output = o.value;
        else
            response = true;
    }
    if (argc - optind != 2)
        return options_usage_error(&o, "a JOB and a CUSTOM_ID are needed");
    const enum cli_format format = cli_format(output);
    if (format != FORMAT_TABLE && format != FORMAT_JSON)
        return options_usage_error(&o, "output format \"%s\" is neither table nor json", output);
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    int code = run_with(c, argv + optind, format == FORMAT_JSON, response);
    config_free(c);
    return code;
}

const struct verb task_verb = {
    "task",
    "The whole story of one task",
    "JOB CUSTOM_ID [OPTION…]",
    "Its outcome; every call with when it began, how long it waited before and took, which "
    "backend\n"
    "and model, what came of it and what it cost; where it waits; its dead letters; what was "
    "saved,\n"
    "what guards found, how good the answer is and what people said of it. `request_id` is what "
    "the\n"
    "backend saw as X-Client-Request-Id.",
    defs,
    "  quern task nightly-2026-11-24 review-17\n  quern task nightly-2026-11-24 review-17 -o json "
    "--response",
    run};
