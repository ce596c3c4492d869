#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "letters.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_FAILED, OPT_EXPIRED, OPT_CANCELLED, OPT_DRY_RUN, OPT_WAIT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {0, "failed", NULL, "the failed tasks (the default)"},
    {0, "expired", NULL, "those whose deadline passed"},
    {0, "cancelled", NULL, "those that were cancelled"},
    {0, "dry-run", NULL, "only tell how many"},
    {'w', "wait", NULL, "wait until the job is done; exit 3 if a task did not succeed"},
    {0}};

static int retry(const struct config *c, PGconn *db, const char *name, const char *statuses,
                 bool dry_run, bool wait)
{
    struct error err;
    struct job job;
    int64_t count;
    if (job_find(db, name, &job, &err) != QUERN_OK)
        return cli_fail(&err);
    struct letter_filter filter = {.job = job.id_text, .statuses = statuses};
    quern_status status = dry_run ? letters_count(db, &filter, &count, &err)
                                  : letters_replay(db, c, &filter, &count, &err);
    if (status != QUERN_OK)
        return cli_fail(&err);
    (void)printf("%" PRId64 " tasks of job \"%s\" %s queued again\n", count, job.name,
                 dry_run ? "would be" : "are");
    return wait && !dry_run ? status_wait(db, &job) : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &retry_verb, .program = "quern", .argc = argc, .argv = argv};
    struct error err;
    const char *config = NULL;
    bool flags[OPT_WAIT + 1] = {false};
    char statuses[64];
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        flags[i] = true;
        if (i == OPT_CONFIG)
            config = o.value;
    }
    if (argc - optind != 1)
        return options_usage_error(&o, "one JOB is needed");
    bool others = flags[OPT_EXPIRED] || flags[OPT_CANCELLED];
    (void)snprintf(statuses, sizeof statuses, "{%s,%s,%s}",
                   flags[OPT_FAILED] || !others ? "failed" : "-",
                   flags[OPT_EXPIRED] ? "expired" : "-", flags[OPT_CANCELLED] ? "cancelled" : "-");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    PGconn *db = cli_database(c, &err);
    int code = db ? retry(c, db, argv[optind], statuses, flags[OPT_DRY_RUN], flags[OPT_WAIT])
                  : cli_fail(&err);
    PQfinish(db);
    config_free(c);
    return code;
}

const struct verb retry_verb = {
    "retry",
    "Queue the failed tasks of a job again",
    "JOB [OPTION…]",
    "The tasks run again as a new generation; those that succeeded are left alone. The same as\n"
    "`quern dead replay --job JOB --status failed`, without asking.",
    defs,
    "  quern retry nightly --failed\n  quern retry nightly --expired --cancelled --wait",
    run};
