#include "common/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/embed.h"
#include "common/mem.h"

quern_status pg_params_init(struct pg_params *p, const struct config *c, const char *application,
                            struct error *err)
{
    *p = (struct pg_params){0};
    if (config_secret(c->database.password_env, c->database.password_file, &p->password, err) !=
        QUERN_OK)
        return error_prefix(err, "database password");
    (void)snprintf(p->timeout, sizeof p->timeout, "%d",
                   (int)((c->database.connect_timeout + 999) / 1000));
    int n = 0;
    p->keywords[n] = "keepalives_idle"; /* a network that swallows everything is noticed */
    p->values[n++] = "5";
    p->keywords[n] = "keepalives_interval";
    p->values[n++] = "2";
    p->keywords[n] = "keepalives_count";
    p->values[n++] = "3";
    p->keywords[n] = "tcp_user_timeout";
    p->values[n++] = "10000";
    p->keywords[n] =
        "dbname"; /* a whole URI may stand here; its own words count over those before */
    p->values[n++] = c->database.url;
    p->keywords[n] = "fallback_application_name";
    p->values[n++] = application;
    p->keywords[n] = "client_encoding";
    p->values[n++] = "UTF8";
    p->keywords[n] = "connect_timeout";
    p->values[n++] = p->timeout;
    if (p->password) {
        p->keywords[n] = "password";
        p->values[n++] = p->password;
    }
    return QUERN_OK;
}

void pg_params_free(struct pg_params *p)
{
    if (p->password)
        explicit_bzero(p->password, strlen(p->password));
    free(p->password);
    p->password = NULL;
}

void pg_message(const char *text, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", text);
    for (char *s = out; *s; s++)
        if (*s == '\n')
            *s = ' ';
    size_t n = strlen(out);
    while (n && out[n - 1] == ' ')
        out[--n] = '\0';
}

static quern_status fail(struct error *err, enum error_class class, const char *code,
                         const char *doing, PGconn *conn)
{
    char message[400];
    pg_message(PQerrorMessage(conn), message, sizeof message);
    return error_set(err, class, code, "%s: %s", doing, message);
}

PGconn *pg_connect(const struct config *c, const char *application, struct error *err)
{
    struct pg_params p;
    if (pg_params_init(&p, c, application, err) != QUERN_OK)
        return NULL;
    PGconn *conn = PQconnectdbParams(p.keywords, p.values, 1);
    pg_params_free(&p);
    if (conn && PQstatus(conn) == CONNECTION_OK) {
        (void)PQsetNoticeProcessor(conn, NULL, NULL);
        return conn;
    }
    (void)fail(err, ERROR_RETRY, "unreachable",
               "cannot reach PostgreSQL (check database.url, and that the server runs)", conn);
    PQfinish(conn);
    return NULL;
}

/* A deadlock, or a lock that was not to be had: nothing was done, and the same may pass now. */
static bool may_pass(PGconn *conn, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state && (strcmp(state, "40P01") == 0 || strcmp(state, "55P03") == 0) &&
           PQtransactionStatus(conn) == PQTRANS_IDLE;
}

PGresult *pg_query(PGconn *conn, const char *sql, int count, const char *const *values,
                   struct error *err)
{
    enum { TRIES = 5, PAUSE_US = 100000 };
    PGresult *r = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
    for (int i = 1; i < TRIES && may_pass(conn, r); i++) {
        PQclear(r);
        (void)usleep(PAUSE_US);
        r = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
    }
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return r;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    bool lost = PQstatus(conn) != CONNECTION_OK;
    (void)fail(err, lost ? ERROR_RETRY : ERROR_PERMANENT,
               lost                                   ? "unreachable"
               : state && strcmp(state, "42P01") == 0 ? "schema"
                                                      : "database",
               lost ? "PostgreSQL went away" : "PostgreSQL refused a statement", conn);
    PQclear(r);
    return NULL;
}

quern_status pg_exec(PGconn *conn, const char *sql, int count, const char *const *values,
                     struct error *err)
{
    PGresult *r = pg_query(conn, sql, count, values, err);
    PQclear(r);
    return r ? QUERN_OK : QUERN_FAIL;
}

static int wanted_version(void)
{
    int newest = 0;
    for (const struct embedded *m = embedded_migrations; m->name; m++)
        newest = atoi(m->name) > newest ? atoi(m->name) : newest;
    return newest;
}

quern_status pg_schema_check(PGconn *conn, struct error *err)
{
    int have = 0, want = wanted_version();
    PGresult *r =
        pg_query(conn, "SELECT coalesce(max(version), 0) FROM schema_migrations", 0, NULL, err);
    if (!r && strcmp(err->code, "schema") != 0)
        return QUERN_FAIL;
    if (r)
        have = atoi(PQgetvalue(r, 0, 0));
    PQclear(r);
    if (have == want)
        return QUERN_OK;
    return error_set(err, ERROR_FATAL, have < want ? "schema" : "newer_schema",
                     "the database schema is at version %d, this program needs %d: %s", have, want,
                     have < want ? "run `quern migrate up`" : "install the newer quern");
}
