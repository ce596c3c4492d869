/* One connection to PostgreSQL inside the loop: never blocks, connects again by itself, and runs
 * one transaction at a time, whose statements travel together (libpq's pipeline mode). */
#ifndef QUERN_PGLINK_H
#define QUERN_PGLINK_H
#include <ev.h>
#include <libpq-fe.h>

#include "common/config.h"
#include "common/error.h"

enum { PGLINK_STATEMENTS_MAX = 16, PGLINK_PARAMS_MAX = 72 };

/* Prepared on each new connection. */
struct pglink_statement {
    const char *name; /* NULL ends a table */
    const char *sql;
};

/* One statement to run; all parameters and results are binary. */
struct pglink_query {
    const char *name;
    int count;
    const char *values[PGLINK_PARAMS_MAX];
    int lengths[PGLINK_PARAMS_MAX];
};

/* How a transaction ended. On failure nothing of it happened, but for a connection lost after the
 * commit, so it must be safe to repeat: class RETRY means later, PERMANENT that the data are at
 * fault. */
struct pglink_reply {
    bool ok;
    struct error error;
    PGresult *const *results; /* one for each query, if ok */
    size_t count;
};

/* A number of a binary result; 0 for a null. */
int64_t pglink_int8(const PGresult *r, int row, int column);
int32_t pglink_int4(const PGresult *r, int row, int column);

struct pglink;
struct pglink_events {
    void (*ready)(void *arg); /* connected, or free again: a transaction may be run */
    void (*reply)(void *arg, const struct pglink_reply *r);
};

struct pglink *pglink_new(struct ev_loop *loop, const struct config *c, const char *name,
                          const struct pglink_statement *statements,
                          const struct pglink_events *events, void *arg);
void pglink_free(struct pglink *l);
bool pglink_ready(const struct pglink *l);
/* Sends a transaction; the link must be ready. The parameters are copied. */
void pglink_run(struct pglink *l, const struct pglink_query *queries, size_t count);
#endif
