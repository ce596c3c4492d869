#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

enum { OPT_CONFIG, OPT_MAN };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION, {0, "man", NULL, "reference: as a man page"}, {0}};

static int check_or_print(const char *given, bool print)
{
    struct config *c = cli_config(given);
    if (!c)
        return EXIT_USAGE;
    if (print)
        config_print(c, stdout);
    else
        (void)fprintf(stderr, "%s: good: %zu backends, %zu models\n", c->path, c->backends.count,
                      c->models.count);
    config_free(c);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &config_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL;
    bool man = false;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_MAN)
            man = true;
        else
            config = o.value;
    }
    const char *what = argc - optind == 1 ? argv[optind] : "";
    if (strcmp(what, "reference") == 0) {
        config_reference(stdout, man);
        return EXIT_DONE;
    }
    if (strcmp(what, "check") != 0 && strcmp(what, "print") != 0)
        return options_usage_error(&o, "check, print or reference is needed");
    return check_or_print(config, strcmp(what, "print") == 0);
}

const struct verb config_verb = {
    "config",
    "Check or show the configuration",
    "check|print|reference [OPTION…]",
    "check reports every mistake with file and line; print shows the effective values (no "
    "secrets);\n"
    "reference explains every key.",
    defs,
    "  quern config check --config quern.yaml\n  QUERN_WORKER_CONCURRENCY=64 quern config print",
    run};
