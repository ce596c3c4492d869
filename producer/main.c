/* quern: the command line. Finds the verb and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/completion.h"
#include "common/log.h"
#include "verbs.h"

static const struct verb *const verbs[] = {
    &submit_verb,  &status_verb,   &queue_verb,  &task_verb,    &errors_verb,  &maintain_verb,
    &results_verb, &jobs_verb,     &cancel_verb, &retry_verb,   &dead_verb,    &topics_verb,
    &migrate_verb, &config_verb,   &route_verb,  &prices_verb,  &limits_verb,  &cache_verb,
    &cost_verb,    &compress_verb, &guards_verb, &quality_verb, &compare_verb, &feedback_verb};
enum { VERBS = sizeof verbs / sizeof *verbs };

static const char about[] =
    "quern is an asynchronous job queue for model calls: tasks go through Kafka to workers, which\n"
    "call model services and write results and exact costs to PostgreSQL.";

static int help(FILE *out, int code)
{
    (void)fprintf(out, "%s\n\nUsage: quern VERB [OPTION…]\n\nVerbs:\n", about);
    for (int i = 0; i < VERBS; i++)
        (void)fprintf(out, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    (void)fprintf(out,
                  "\n`quern VERB --help` explains a verb. `quern --version` tells the version.\n"
                  "Exit codes: 0 done, 1 error, 2 usage, 3 finished with failed tasks, "
                  "4 a service was\nunreachable, 5 a limit refused the job, 130 interrupted.\n");
    return code;
}

/* What is made of the options of all verbs. */
static int print_all(const char *what, const char *shell)
{
    struct verb table[VERBS + 1] = {0};
    for (int i = 0; i < VERBS; i++)
        table[i] = *verbs[i];
    if (strcmp(what, "--man") == 0) {
        options_man("quern", "submit and follow jobs of model calls", about, table, stdout);
        return EXIT_DONE;
    }
    if (shell && completion_print(shell, "quern", table, stdout))
        return EXIT_DONE;
    (void)fprintf(stderr, "quern: --completion bash, zsh or fish\n");
    return EXIT_USAGE;
}

/* The first process of a container has no default actions: it would not end. */
static void on_end(int number)
{
    (void)number;
    _exit(EXIT_INTERRUPTED);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (getpid() == 1) {
        (void)signal(SIGTERM, on_end);
        (void)signal(SIGINT, on_end);
    }
    log_setup(LOG_WARN, LOG_TEXT);
    for (int i = 0; i < VERBS; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i]->run(argc - 1, argv + 1);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(stdout, EXIT_DONE);
    if (strcmp(name, "--version") == 0) {
        (void)puts("quern " QUERN_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(name, "--man") == 0 || strcmp(name, "--completion") == 0)
        return print_all(name, argc > 2 ? argv[2] : NULL);
    if (*name)
        (void)fprintf(stderr, "quern: unknown verb \"%s\"\n\n", name);
    return help(stderr, EXIT_USAGE);
}
