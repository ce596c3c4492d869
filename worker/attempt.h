/* The books of one task: an entry for each call that was begun. */
#ifndef QUERN_ATTEMPT_H
#define QUERN_ATTEMPT_H
#include "common/prices.h"
#include "dialect.h"
#include "task.h"

/* A new entry, with a fresh token, for a call to the task's present candidate. */
void attempt_begin(struct task *t);
/* The call has ended; `err` NULL: well. */
void attempt_end(struct attempt *a, const struct error *err);
/* What the backend says it used, and what that costs by the name that was asked for, else by the
 * one that the answer gives. */
void attempt_book(struct attempt *a, const struct price_table *prices,
                  const struct config_backend *b, const struct reply *r);
#endif
