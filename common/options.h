/* Command lines as data: one table a verb gives the parsing, --help and the man page. */
#ifndef QUERN_OPTIONS_H
#define QUERN_OPTIONS_H
#include <stdbool.h>
#include <stdio.h>

enum { OPTIONS_MAX = 48 };

/* Exit codes of both programs. */
enum {
    EXIT_DONE = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_FAILED_TASKS = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_LIMITED = 5,
    EXIT_INTERRUPTED = 130,
};

struct option_def {
    char letter; /* 0: no short form */
    const char *name;
    const char *arg; /* what the value is called; NULL: a flag */
    const char *doc;
};

struct verb {
    const char *name; /* NULL ends a table */
    const char *summary;
    const char *usage;                 /* what follows the name, e.g. "JOB [OPTION…]" */
    const char *detail;                /* paragraphs; may be NULL */
    const struct option_def *options;  /* ends with name == NULL */
    const char *examples;              /* lines; may be NULL */
    int (*run)(int argc, char **argv); /* argv[0] is the verb; returns an exit code */
};

/* Iterates the options of a command line like getopt_long, in any order with the operands. */
struct options {
    const struct verb *verb;
    const char *program;
    int argc;
    char **argv;
    const char *value; /* of the option just returned */
};

enum { OPTION_END = -1, OPTION_BAD = -2, OPTION_HELP = -3 };

/* The index of the next option in verb->options; OPTION_END: operands begin at argv[optind];
 * OPTION_HELP: help was printed to stdout, exit 0; OPTION_BAD: said on stderr, exit EXIT_USAGE.
 * --help needs no entry in the table. */
int options_next(struct options *o);

/* "program verb: TEXT; see `program verb --help`" on stderr. Returns EXIT_USAGE. */
int options_usage_error(const struct options *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void options_help(const char *program, const struct verb *verb, FILE *out);
/* A man page of section 1 with all verbs. `about` is the description. */
void options_man(const char *program, const char *summary, const char *about,
                 const struct verb *verbs, FILE *out);
#endif
