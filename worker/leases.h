/* Shares of rate limits, leased from PostgreSQL a few times a second while tasks wait for them. */
#ifndef QUERN_LEASES_H
#define QUERN_LEASES_H
#include <ev.h>

#include "gates.h"

struct leases;

struct lease_events {
    /* How many tasks wait before this gate? */
    size_t (*waiting)(void *arg, size_t gate);
    /* Something was leased. */
    void (*leased)(void *arg);
};

/* NULL if the configuration has no limits: then there is nothing to lease. `gates` is borrowed, and
 * its leases are filled. */
struct leases *leases_new(struct ev_loop *loop, const struct config *c, struct gates *gates,
                          const struct lease_events *events, void *arg);
void leases_free(struct leases *l); /* NULL: nothing */
#endif
