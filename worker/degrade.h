/* The last answer, without a model, for a task that every candidate has failed: what the task or
 * its rule says. The result is marked as degraded. */
#ifndef QUERN_DEGRADE_H
#define QUERN_DEGRADE_H
#include "task.h"

/* Appends a chat completion that holds that answer. False if there is none to be given: nobody
 * said one, the request is of another kind, or the prompt has no text to draw it from. */
bool degrade(const struct task *t, struct buf *out);

/* Appends a chat completion that says `text`, under this id. False: the request is of another kind.
 */
bool degrade_answer(const struct task *t, const char *id, const char *text, size_t len,
                    struct buf *out);

/* The first `count` sentences of a text, or as many as there are: the length of that beginning. A
 * sentence ends with . ! or ? before white space, or with an empty line; what is shorter than a few
 * words ("Mr.") does not end one. Lead sentences are the usual baseline of extractive summaries. */
size_t degrade_lead(const char *text, size_t len, int64_t count);
#endif
