/* Jobs in PostgreSQL, as the command line sees them. Blocking calls. */
#ifndef QUERN_JOB_STORE_H
#define QUERN_JOB_STORE_H
#include <stdbool.h>
#include <stdint.h>

#include "common/pg.h"
#include "common/uuid.h"
#include "plan.h"

enum { JOB_NAME_MAX = 200 };

struct job {
    struct uuid id;
    char id_text[UUID_TEXT_LEN + 1];
    char name[JOB_NAME_MAX + 1];
    int64_t total;     /* -1: not known */
    int64_t published; /* tasks acknowledged by Kafka, in input order */
    bool closed;       /* everything is published */
};

/* Makes the job, or takes up the one of that name if it has the same input and options. The name
 * stays locked until the connection closes. Fails with code "usage" if the name is taken by another
 * input, or somebody else is submitting under it. */
MUST_CHECK quern_status job_open(PGconn *db, const char *name, const struct submission *s,
                                 const struct plan *plan, struct job *out, struct error *err);
/* Remembers how far the publishing is; `closed` when it is complete. Fails with code "usage" if the
 * job was cancelled meanwhile. */
MUST_CHECK quern_status job_progress(PGconn *db, const struct job *job, int64_t published,
                                     bool closed, struct error *err);
/* A job by its name or id. Fails with code "usage" if there is none. */
MUST_CHECK quern_status job_find(PGconn *db, const char *name_or_id, struct job *out,
                                 struct error *err);

struct job_counts {
    char state[16];
    int64_t total; /* -1: not known */
    int64_t succeeded, failed, cancelled, expired, degraded, blocked, done;
    int64_t attempts, unpriced, input_tokens, output_tokens, parked;
    char cost_usd[64];
};
MUST_CHECK quern_status job_counts(PGconn *db, const struct job *job, struct job_counts *out,
                                   struct error *err);
#endif
