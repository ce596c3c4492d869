/* Where outcomes go, as the pipeline sees it. PostgreSQL and Kafka's dead-letter and retry topics
 * are behind the one (settle.c, lookup.c, outbound.c); tests have their own. */
#ifndef QUERN_SINK_H
#define QUERN_SINK_H
#include "task.h"

/* What a look-up found. */
enum known {
    KNOWN_NOT,    /* nothing that keeps it from being called */
    KNOWN_DONE,   /* there is a result (its dead letter, if it needs one, is published), or a
                     newer copy of the record is on its way */
    KNOWN_BURIED, /* there is a result whose dead letter (t->publication_id) may not be published */
    KNOWN_PARKED, /* there is a newer copy (t->copy, t->publication_id) that may not be published */
    KNOWN_CANCELLED, /* its job was cancelled */
    KNOWN_CACHED,    /* an answer to the same request is kept: t->sharing has borrowed it */
    KNOWN_ELSEWHERE, /* another worker is about to call for the same request */
};

struct sink_events {
    void (*looked_up)(void *arg, struct task *t, enum known known);
    /* It is committed. t->publication_id: what is to be published now, or 0. */
    void (*settled)(void *arg, struct task *t);
    /* Kafka acknowledged the dead letter or the parked copy. */
    void (*published)(void *arg, struct task *t);
};

struct sink_ops {
    void (*look_up)(void *sink, struct task *t);
    void (*look_up_cancel)(void *sink, struct task *t); /* before looked_up came */
    void (*settle)(void *sink, struct task *t);
    void (*publish)(void *sink, struct task *t); /* by its status: a letter, or a parked copy */
    /* A new task for the lane `low`, best effort: its key and its record, both copied. */
    void (*submit)(void *sink, const struct buf *key, const struct buf *record);
};
#endif
