/* The document of a dead letter (schemas/dead_letter.schema.json). Pure, but for the time. */
#ifndef QUERN_DEADLETTER_H
#define QUERN_DEADLETTER_H
#include "task.h"

/* Appends the document for a task that ended without success. */
void deadletter_write(const struct task *t, struct buf *out);
#endif
