#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <getopt.h>
#include <unistd.h>

#include "progress.h"
#include "verbs.h"

enum { POLL_US = 250000 };

static void print_json(const struct job *job, const struct job_counts *n)
{
    struct buf b;
    buf_init(&b, 4096);
    buf_char(&b, '{');
    buf_json_member(&b, "job", job->name);
    buf_printf(&b, ",\"id\":\"%s\",\"state\":\"%s\",\"total\":", job->id_text, n->state);
    if (n->total < 0)
        buf_str(&b, "null");
    else
        buf_printf(&b, "%" PRId64, n->total);
    buf_printf(&b,
               ",\"succeeded\":%" PRId64 ",\"failed\":%" PRId64 ",\"cancelled\":%" PRId64
               ",\"expired\":%" PRId64 ",\"degraded\":%" PRId64 ",\"blocked\":%" PRId64
               ",\"done\":%" PRId64,
               n->succeeded, n->failed, n->cancelled, n->expired, n->degraded, n->blocked, n->done);
    buf_printf(&b,
               ",\"attempts\":%" PRId64 ",\"input_tokens\":%" PRId64 ",\"output_tokens\":%" PRId64
               ",\"cost_usd\":\"%s\",\"unpriced_attempts\":%" PRId64 ",\"parked\":%" PRId64 "}",
               n->attempts, n->input_tokens, n->output_tokens, n->cost_usd, n->unpriced, n->parked);
    (void)puts(b.data);
    buf_free(&b);
}

static void print_text(const struct job *job, const struct job_counts *n)
{
    char total[32] = "?";
    if (n->total >= 0)
        (void)snprintf(total, sizeof total, "%" PRId64, n->total);
    (void)printf("job        %s\nid         %s\nstate      %s\ntasks      %s\nsucceeded  %" PRId64
                 "\nfailed     %" PRId64 "\n",
                 job->name, job->id_text, n->state, total, n->succeeded, n->failed);
    if (n->cancelled + n->expired + n->degraded)
        (void)printf("cancelled  %" PRId64 "\nexpired    %" PRId64 "\ndegraded   %" PRId64 "\n",
                     n->cancelled, n->expired, n->degraded);
    if (n->blocked)
        (void)printf("blocked    %" PRId64 " by guards\n", n->blocked);
    (void)printf("attempts   %" PRId64 "\ntokens     %" PRId64 " in, %" PRId64
                 " out\ncost       $%s\n",
                 n->attempts, n->input_tokens, n->output_tokens, n->cost_usd);
    if (n->parked)
        (void)printf("parked     %" PRId64 " wait in a retry topic\n", n->parked);
    if (n->unpriced)
        (void)printf("unpriced   %" PRId64
                     " attempts whose model has no price (see prices.models)\n",
                     n->unpriced);
    if (!job->closed && n->total >= 0)
        (void)printf("submitted  %" PRId64 " of %s; run the same `quern submit` again to go on\n",
                     job->published, total);
}

quern_status status_print(PGconn *db, const struct job *job, enum cli_format format,
                          struct error *err)
{
    struct job_counts n;
    if (format == FORMAT_CSV) {
        const char *id = job->id_text;
        PGresult *r =
            pg_query(db,
                     "SELECT name AS job, id, state, total, succeeded, failed, cancelled, "
                     "expired, degraded, blocked, cost_usd FROM job_status WHERE id = $1",
                     1, &id, err);
        if (r)
            table_print(r, format);
        PQclear(r);
        return r ? QUERN_OK : QUERN_FAIL;
    }
    if (job_counts(db, job, &n, err) != QUERN_OK)
        return QUERN_FAIL;
    (format == FORMAT_TABLE ? print_text : print_json)(job, &n);
    return QUERN_OK;
}

int status_wait(PGconn *db, const struct job *job)
{
    struct error err;
    struct job_counts n;
    struct progress bar;
    char note[96];
    progress_start(&bar, job->name);
    for (;;) {
        if (job_counts(db, job, &n, &err) != QUERN_OK) {
            progress_end(&bar);
            return cli_fail(&err);
        }
        (void)snprintf(note, sizeof note, "$%s%s", n.cost_usd,
                       n.failed + n.expired ? "  with failures" : "");
        progress_show(&bar, n.done, n.total, note);
        if (strcmp(n.state, "running") != 0 && strcmp(n.state, "cancelling") != 0)
            break;
        if (cli_interrupted) {
            progress_end(&bar);
            (void)fprintf(stderr, "quern: stopped watching; the job goes on\n");
            return EXIT_INTERRUPTED;
        }
        (void)usleep(POLL_US);
    }
    progress_end(&bar);
    return n.succeeded + n.degraded + n.blocked == n.done ? EXIT_DONE : EXIT_FAILED_TASKS;
}

enum { OPT_CONFIG, OPT_OUTPUT, OPT_WATCH };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {'w', "watch", NULL, "show a progress bar until the job is done"},
    {0}};

static int show(const struct config *c, const char *name, enum cli_format format, bool watch)
{
    struct error err;
    struct job job;
    int code = EXIT_DONE;
    PGconn *db = cli_database(c, &err);
    if (!db)
        return cli_fail(&err);
    quern_status status = job_find(db, name, &job, &err);
    if (status == QUERN_OK && watch)
        code = status_wait(db, &job);
    if (status == QUERN_OK && (code == EXIT_DONE || code == EXIT_FAILED_TASKS))
        status = status_print(db, &job, format, &err);
    PQfinish(db);
    return status == QUERN_OK ? code : cli_fail(&err);
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &status_verb, .program = "quern", .argc = argc, .argv = argv};
    enum cli_format format = FORMAT_TABLE;
    const char *config = NULL;
    bool watch = false;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_CONFIG)
            config = o.value;
        else if (i == OPT_WATCH)
            watch = true;
        else if ((format = cli_format(o.value)) == FORMAT_BAD)
            return options_usage_error(&o, "unknown output format \"%s\"", o.value);
    }
    if (argc - optind != 1)
        return options_usage_error(&o, "one JOB is needed");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    int code = show(c, argv[optind], format, watch);
    config_free(c);
    return code;
}

const struct verb status_verb = {
    "status",
    "Show how far a job is and what it has cost",
    "JOB [OPTION…]",
    "JOB is a job's name or id. With --watch the exit code is 3 if a task did not succeed.",
    defs,
    "  quern status nightly-2026-11-24\n  quern status nightly-2026-11-24 -o json\n"
    "  quern status nightly-2026-11-24 --watch",
    run};
