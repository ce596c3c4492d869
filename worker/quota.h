/* The limits in PostgreSQL: reads their rules, asks for shares of them, tells warnings. */
#ifndef QUERN_QUOTA_H
#define QUERN_QUOTA_H
#include <ev.h>

#include "meters.h"

struct quota_link;

/* A budget has reached a percentage that it warns at. Texts are valid during the call. */
struct quota_warning {
    int64_t id;
    const char *name, *subject, *period; /* the period's beginning, as text */
    int64_t percent, spent, amount;      /* pico-dollars */
};

struct quota_events {
    /* Something of this meter was given, or it has changed. */
    void (*answered)(void *arg, struct meter *m);
    /* The rules are others now. */
    void (*changed)(void *arg);
    /* Said to one worker, and again half a minute later unless quota_delivered() was called. */
    void (*warned)(void *arg, const struct quota_warning *w);
};

/* `meters` is borrowed. */
struct quota_link *quota_link_new(struct ev_loop *loop, const struct config *c,
                                  struct meters *meters, const struct quota_events *events,
                                  void *arg);
void quota_link_free(struct quota_link *l);
/* Nobody need be told of this warning again. */
void quota_delivered(struct quota_link *l, int64_t id);

/* Before the loop turns: can PostgreSQL reckon with the configuration's time zone? */
MUST_CHECK quern_status quota_check(PGconn *db, const struct config *c, struct error *err);
/* At the end, when nothing is in use any more: what is left of shares need not wait to run out.
 * Waits for PostgreSQL. */
void quota_return_shares(const struct config *c);
#endif
