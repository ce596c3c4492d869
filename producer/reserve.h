/* Limits that refuse jobs: rates of tasks or tokens, and pending tasks, with on_limit: reject. */
#ifndef QUERN_RESERVE_H
#define QUERN_RESERVE_H
#include "input.h"
#include "job_store.h"
#include "plan.h"

/* Reads the input once more if there are such limits, and lets the job in by all of
 * them or by none. Then (code "limit_reached") the message names the limit, what is in use, and
 * when to try again; the job is gone, if nothing of it was sent. A job that is let in stays so when
 * it is run again. */
MUST_CHECK quern_status reserve(PGconn *db, const struct config *c, struct input *in,
                                const struct submission *s, const struct job *job,
                                struct error *err);
#endif
