/* Verbs that show sums by an axis (cost, errors, quality): the same options, one way to read them.
 */
#ifndef QUERN_VIEW_H
#define QUERN_VIEW_H
#include "cli.h"
#include "job_store.h"
#include "verbs.h"

struct view_axis {
    const char *name, *column; /* an SQL expression */
};

/* Indices of the options that every view begins with; its own flag, if it has one, comes last. */
enum { VIEW_CONFIG, VIEW_OUTPUT, VIEW_BY, VIEW_JOB, VIEW_SINCE, VIEW_FLAG, VIEW_OPTIONS };
#define VIEW_OPTIONS_OF(by, since)                                                                 \
    CLI_CONFIG_OPTION, CLI_OUTPUT_OPTION, {0, "by", "AXIS", by},                                   \
        {'j', "job", "JOB", "only this job"},                                                      \
    {                                                                                              \
        0, "since", "TIME", since ": a time, or a duration ago (e.g. 7d)"                          \
    }

struct view_ask {
    PGconn *db;
    const struct view_axis *axis;
    const char *job, *since; /* an id, a time; NULL: all. Parameters $1 and $2 of queries */
    enum cli_format format;
    bool flag;
};

struct view {
    const struct verb *verb;
    const struct view_axis *axes;            /* the first is the default; ends with a NULL name */
    const char *since;                       /* the default; NULL: all */
    int (*show)(const struct view_ask *ask); /* returns an exit code */
};

/* Reads the command line, connects, and shows. Returns an exit code. */
int view_run(const struct view *v, int argc, char **argv);
/* Runs a query with the parameters $1 (job) and $2 (since), in which @c stands for the axis' column
 * and @n for its name; prints its rows. Returns an exit code. */
int view_print(const struct view_ask *ask, const char *sql);
/* The same, for the caller to read; NULL: said on stderr, and *code is set. */
PGresult *view_query(const struct view_ask *ask, const char *sql, int *code);
#endif
