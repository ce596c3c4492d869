/* `quern feedback`: what people say of answers. */
#include <csv.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "job_store.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_NOTE, OPT_CSV, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {0, "note", "TEXT", "why"},
    {0, "csv", "FILE", "many at once: columns custom_id, up or down, and perhaps a note"},
    {0}};

enum { FIELD_MAX = 64 * 1024, FIELDS = 3, CHUNK = 64 * 1024 };

/* Only of tasks that have a result: a mistyped name is told. */
static quern_status say(PGconn *db, const struct job *job, const char *const fields[FIELDS],
                        struct error *err)
{
    const bool up = strcasecmp(fields[1], "up") == 0;
    if (!up && strcasecmp(fields[1], "down") != 0)
        return error_set(err, ERROR_PERMANENT, "usage", "\"%s\" is neither up nor down", fields[1]);
    const char *const values[] = {job->id_text, fields[0], up ? "t" : "f", fields[2]};
    PGresult *r =
        pg_query(db,
                 "INSERT INTO feedback (job_id, custom_id, up, note) SELECT $1::uuid, $2, "
                 "$3::boolean, $4 WHERE EXISTS (SELECT FROM results WHERE job_id = $1::uuid AND "
                 "custom_id = $2) ON CONFLICT (job_id, custom_id) DO UPDATE SET up = EXCLUDED.up, "
                 "note = EXCLUDED.note, at = now() RETURNING 1",
                 4, values, err);
    const bool known = r && PQntuples(r) == 1;
    PQclear(r);
    if (r && !known)
        return error_set(err, ERROR_PERMANENT, "usage", "job \"%s\" has no result of a task \"%s\"",
                         job->name, fields[0]);
    return r ? QUERN_OK : QUERN_FAIL;
}

/* ---- many -------------------------------------------------------------------------------------
 */

struct reader {
    PGconn *db;
    const struct job *job;
    const char *path;
    char *fields[FIELDS];
    size_t count;
    int64_t line, said;
    struct error err;
    bool failed;
};

static void on_field(void *text, size_t len, void *arg)
{
    struct reader *r = arg;
    if (r->count < FIELDS)
        r->fields[r->count] = mem_copy(text ? text : "", len);
    r->count++;
}

static void on_row(int end, void *arg)
{
    struct reader *r = arg;
    (void)end;
    r->line++;
    const bool head = r->line == 1 && r->count >= 2 && strcmp(r->fields[0], "custom_id") == 0;
    if (!r->failed && !head && r->count > 0) {
        if (r->count < 2 || r->count > FIELDS)
            (void)error_set(&r->err, ERROR_PERMANENT, "usage",
                            "%zu columns; custom_id, up or down, and perhaps a note are needed",
                            r->count);
        r->failed = r->count < 2 || r->count > FIELDS ||
                    say(r->db, r->job, (const char *const *)r->fields, &r->err) != QUERN_OK;
        if (r->failed)
            (void)error_prefix(&r->err, "%s:%" PRId64, r->path, r->line);
        r->said += !r->failed;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        free(r->fields[i]);
        r->fields[i] = NULL;
    }
    r->count = 0;
}

/* All rows or none. */
static int read_csv(PGconn *db, const struct job *job, const char *path)
{
    struct reader r = {.db = db, .job = job, .path = path};
    struct csv_parser csv;
    char chunk[CHUNK];
    size_t n;
    FILE *in = fopen(path, "re");
    if (!in || csv_init(&csv, CSV_APPEND_NULL | CSV_STRICT | CSV_STRICT_FINI) != 0) {
        (void)fprintf(stderr, "quern: cannot read %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    r.failed = pg_exec(db, "BEGIN", 0, NULL, &r.err) != QUERN_OK;
    while (!r.failed && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
        if (csv_parse(&csv, chunk, n, on_field, on_row, &r) != n) {
            r.failed = true;
            (void)error_set(&r.err, ERROR_PERMANENT, "usage", "%s:%" PRId64 ": no CSV: %s", path,
                            r.line + 1, csv_strerror(csv_error(&csv)));
        }
    if (!r.failed && csv_fini(&csv, on_field, on_row, &r) != 0) {
        r.failed = true;
        (void)error_set(&r.err, ERROR_PERMANENT, "usage", "%s: it ends within quotes", path);
    }
    csv_free(&csv);
    (void)fclose(in);
    if (!r.failed)
        r.failed = pg_exec(db, "COMMIT", 0, NULL, &r.err) != QUERN_OK;
    if (r.failed)
        return cli_fail(&r.err);
    (void)fprintf(stderr, "%" PRId64 " tasks have feedback\n", r.said);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &feedback_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    struct error err;
    struct job job;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value;
    }
    if (argc - optind != (given[OPT_CSV] ? 1 : 3))
        return options_usage_error(&o, "JOB CUSTOM_ID up|down, or JOB with --csv, is needed");
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    int code;
    PGconn *db = cli_database(c, &err);
    if (!db || job_find(db, argv[optind], &job, &err) != QUERN_OK) {
        code = cli_fail(&err);
    } else if (given[OPT_CSV]) {
        code = read_csv(db, &job, given[OPT_CSV]);
    } else {
        const char *const fields[] = {argv[optind + 1], argv[optind + 2], given[OPT_NOTE]};
        code = say(db, &job, fields, &err) == QUERN_OK ? EXIT_DONE : cli_fail(&err);
    }
    PQfinish(db);
    config_free(c);
    return code;
}

const struct verb feedback_verb = {
    "feedback",
    "Say of an answer whether it was good",
    "JOB CUSTOM_ID up|down [--note TEXT] | JOB --csv FILE",
    "One word on each task, the last one holds; it is kept when the task is replayed. A CSV file\n"
    "is taken whole or not at all.",
    defs,
    "  quern feedback nightly row-17 down --note 'wrong year'\n"
    "  quern feedback nightly --csv ratings.csv",
    run};
