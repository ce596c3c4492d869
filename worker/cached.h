/* The response cache in PostgreSQL: the statement that a look-up asks it with, in the round trip of
 * lookup.c, and the one that keeps answers, in the transaction of settle.c. */
#ifndef QUERN_CACHED_H
#define QUERN_CACHED_H
#include "pgarray.h"
#include "pglink.h"
#include "sink.h"

enum { CACHED_ANSWERS_MAX = 8 << 20 }; /* bytes of one reply; entry_max is at most this */

/* Parameters: keys, lanes (-1: asks for no lease), positions from 1, owner, ms of the lease, how
 * old an answer may be for each, in ms. */
enum { CACHED_ARRAYS = 4, CACHED_PARAMETERS = 6 };
extern const char cached_sql[];

/* What a look-up asks of the cache for some of its tasks. */
struct cached_ask {
    struct pgarray arrays[CACHED_ARRAYS];
    struct buf lease;
    int64_t lease_ms;
    int count;
};

void cached_begin(struct cached_ask *a, const struct config *c);
/* Nothing if the task's answer is not to be found there. */
void cached_add(struct cached_ask *a, const struct task *t, int64_t position);
/* Fills q (which borrows from `a`). False: there is nothing to ask. */
bool cached_query(struct cached_ask *a, struct pglink_query *q);
void cached_end(struct cached_ask *a);
/* Reads the reply: tasks[position - 1] (NULL: gone) gets its answer borrowed, and KNOWN_CACHED; or
 * KNOWN_ELSEWHERE. Others keep what `known` says. */
void cached_read(const PGresult *r, struct task *const *tasks, size_t count, enum known *known);

/* This process, as the owner of leases; the same text for its whole life. */
const char *cached_owner(void);
#endif
