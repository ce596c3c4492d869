/* The rows of a task beside its result: answers shared and kept, savings, what it owes to budgets,
 * what guards found. Pure: rows of a batch, no I/O. */
#ifndef QUERN_SETTLE_SAVED_H
#define QUERN_SETTLE_SAVED_H
#include "settle_batch.h"

/* The answer of another task, which this one has instead of its own; NULL: it has its own. */
const struct borrowed *batch_borrowed(const struct task *t);
/* What it shares cost nothing, and is said to have saved what its call cost. */
void batch_add_shared(struct batch *b, const struct task *t);
void batch_add_charges(struct batch *b, const struct task *t);
/* What guards found. */
void batch_add_events(struct batch *b, const struct task *t);
/* What was measured of its answer, if that is the result. */
void batch_add_quality(struct batch *b, const struct task *t);
#endif
