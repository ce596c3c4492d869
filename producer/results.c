#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

enum { OPT_CONFIG, OPT_STATUS, OPT_FILE };
enum {
    COL_CUSTOM_ID,
    COL_HTTP,
    COL_RESPONSE,
    COL_TYPE,
    COL_ERROR,
    COL_REQUEST,
    COL_MARK,
    COL_SOURCE,
    COL_ANSWER_OF
};
enum { LINE_MAX_BYTES = 1 << 30 };

static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {'s', "status", "STATUS", "only succeeded, failed, cancelled, expired, degraded or blocked"},
    {'f', "file", "FILE", "write to FILE instead of standard output"},
    {0}};

/* An answer, or the model's own HTTP error; not a broken 200. */
static bool has_response(const PGresult *r)
{
    return !PQgetisnull(r, 0, COL_RESPONSE) &&
           (PQgetisnull(r, 0, COL_TYPE) || !PQgetisnull(r, 0, COL_MARK) ||
            atoi(PQgetvalue(r, 0, COL_HTTP)) >= 400);
}

/* What is not of a model's own call for this task says so. */
static void format_marks(const PGresult *r, struct buf *line)
{
    if (!PQgetisnull(r, 0, COL_MARK))
        buf_printf(line, ",\"%s\":true", PQgetvalue(r, 0, COL_MARK));
    if (!PQgetisnull(r, 0, COL_SOURCE)) {
        buf_printf(line, ",\"%s\":true,", PQgetvalue(r, 0, COL_SOURCE));
        buf_json_member(line, "answer_of", PQgetvalue(r, 0, COL_ANSWER_OF));
    }
    buf_str(line, "}\n");
}

/* A line of OpenAI's batch output: an HTTP error of the model is a response with its status; what
 * never had a response is an error; an answer that no model gave is marked. */
static void format_line(const PGresult *r, struct buf *line)
{
    buf_clear(line);
    buf_printf(line, "{\"id\":\"batch_req_%s\",\"custom_id\":", PQgetvalue(r, 0, COL_REQUEST));
    buf_json(line, PQgetvalue(r, 0, COL_CUSTOM_ID), (size_t)PQgetlength(r, 0, COL_CUSTOM_ID));
    if (has_response(r)) {
        buf_printf(line, ",\"response\":{\"status_code\":%s,\"request_id\":\"req_%s\",\"body\":",
                   PQgetisnull(r, 0, COL_HTTP) ? "200" : PQgetvalue(r, 0, COL_HTTP),
                   PQgetvalue(r, 0, COL_REQUEST));
        buf_add(line, PQgetvalue(r, 0, COL_RESPONSE), (size_t)PQgetlength(r, 0, COL_RESPONSE));
        buf_str(line, "},\"error\":null");
        format_marks(r, line);
        return;
    }
    buf_str(line, ",\"response\":null,\"error\":{");
    buf_json_member(line, "code", PQgetvalue(r, 0, COL_TYPE));
    buf_char(line, ',');
    buf_json_member(line, "message", PQgetvalue(r, 0, COL_ERROR));
    buf_str(line, "}}\n");
}

static quern_status write_rows(PGconn *db, FILE *out, struct error *err)
{
    struct buf line;
    PGresult *r;
    quern_status status = QUERN_OK;
    buf_init(&line, LINE_MAX_BYTES);
    while ((r = PQgetResult(db)) != NULL) {
        ExecStatusType s = PQresultStatus(r);
        if (s == PGRES_SINGLE_TUPLE && status == QUERN_OK && !cli_interrupted) {
            format_line(r, &line);
            if (fwrite(line.data, 1, line.len, out) != line.len)
                status = error_set(err, ERROR_PERMANENT, "io", "cannot write the results: %s",
                                   strerror(errno));
        } else if (s != PGRES_SINGLE_TUPLE && s != PGRES_TUPLES_OK && status == QUERN_OK) {
            char text[400];
            pg_message(PQresultErrorMessage(r), text, sizeof text);
            status = error_set(err, ERROR_RETRY, "unreachable",
                               "PostgreSQL ended the reading of the results: %s", text);
        }
        PQclear(r);
    }
    buf_free(&line);
    if (status == QUERN_OK && fflush(out) != 0)
        status =
            error_set(err, ERROR_PERMANENT, "io", "cannot write the results: %s", strerror(errno));
    if (status == QUERN_OK && cli_interrupted)
        status = error_set(err, ERROR_PERMANENT, "interrupted", "interrupted");
    return status;
}

/* Row by row: a job of any size needs the memory of its longest line. */
static quern_status stream(PGconn *db, const struct job *job, const char *only, FILE *out,
                           struct error *err)
{
    const char *const values[] = {job->id_text, only};
    if (!PQsendQueryParams(
            db,
            "SELECT custom_id, http_status, response, error_type, error, "
            "substr(encode(sha256((job_id::text || '/' || custom_id)::bytea), "
            "'hex'), 1, 24), CASE WHEN status IN ('degraded', 'blocked') THEN status END, "
            "source, answer_of "
            "FROM results WHERE job_id = $1 AND reopened_at IS NULL "
            "AND ($2::text IS NULL OR status = $2) "
            "ORDER BY job_id, custom_id",
            2, NULL, values, NULL, NULL, 0) ||
        !PQsetSingleRowMode(db))
        return error_set(err, ERROR_RETRY, "unreachable", "cannot ask PostgreSQL for the results");
    return write_rows(db, out, err);
}

static int print(const struct config *c, const char *name, const char *only, FILE *out)
{
    struct error err;
    struct job job;
    PGconn *db = cli_database(c, &err);
    if (!db)
        return cli_fail(&err);
    quern_status status = job_find(db, name, &job, &err);
    if (status == QUERN_OK)
        status = stream(db, &job, only, out, &err);
    PQfinish(db);
    return status == QUERN_OK ? EXIT_DONE : cli_fail(&err);
}

static int print_to(const struct config *c, const char *name, const char *only, const char *path)
{
    FILE *out = path ? fopen(path, "we") : stdout;
    if (!out) {
        (void)fprintf(stderr, "quern: cannot write %s: %s\n", path, strerror(errno));
        return EXIT_ERROR;
    }
    int code = print(c, name, only, out);
    if (path && fclose(out) != 0 && code == EXIT_DONE) {
        (void)fprintf(stderr, "quern: cannot write %s: %s\n", path, strerror(errno));
        code = EXIT_ERROR;
    }
    return code;
}

static bool known_status(const char *s)
{
    static const char *const all[] = {"succeeded", "failed",   "cancelled",
                                      "expired",   "degraded", "blocked"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i], s) == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &results_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL, *only = NULL, *path = NULL;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        *(i == OPT_CONFIG ? &config : i == OPT_STATUS ? &only : &path) = o.value;
    }
    if (argc - optind != 1)
        return options_usage_error(&o, "one JOB is needed");
    if (only && !known_status(only))
        return options_usage_error(&o, "unknown status \"%s\"", only);
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    int code = print_to(c, argv[optind], only, path);
    config_free(c);
    return code;
}

const struct verb results_verb = {
    "results",
    "Print the results of a job as OpenAI Batch output lines",
    "JOB [OPTION…]",
    "One JSON object a line, sorted by custom_id. What is there so far is printed; the job need "
    "not be done.",
    defs,
    "  quern results nightly > out.jsonl\n  quern results nightly --status failed\n"
    "  quern results nightly | jq -r '.response.body.choices[0].message.content'",
    run};
