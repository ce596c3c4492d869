/* PostgreSQL: connection parameters for both programs, and blocking calls for the command line. */
#ifndef QUERN_PG_H
#define QUERN_PG_H
#include <libpq-fe.h>

#include "common/config.h"
#include "common/error.h"

enum { PG_PARAMS_MAX = 12 };

/* Keyword and value arrays for PQconnect*Params (with expand_dbname = 1); borrowed from the
 * configuration and from `password`, which the caller frees after connecting. */
struct pg_params {
    const char *keywords[PG_PARAMS_MAX], *values[PG_PARAMS_MAX];
    char *password;
    char timeout[16];
};

MUST_CHECK quern_status pg_params_init(struct pg_params *p, const struct config *c,
                                       const char *application, struct error *err);
void pg_params_free(struct pg_params *p);

/* Connects and waits. NULL: `err` (code "unreachable") says what to check. */
PGconn *pg_connect(const struct config *c, const char *application, struct error *err);

/* Runs one statement with text parameters and waits. NULL: `err` has PostgreSQL's message. */
PGresult *pg_query(PGconn *conn, const char *sql, int count, const char *const *values,
                   struct error *err);
/* The same for statements that give no rows. */
MUST_CHECK quern_status pg_exec(PGconn *conn, const char *sql, int count, const char *const *values,
                                struct error *err);

/* Fails (code "schema", or "newer_schema": no migration of ours will help) if the database is not
 * at the version that this program needs. */
MUST_CHECK quern_status pg_schema_check(PGconn *conn, struct error *err);

/* PostgreSQL's message without its line breaks. */
void pg_message(const char *text, char *out, size_t size);
#endif
