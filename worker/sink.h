/* Where outcomes go, as the pipeline sees it. PostgreSQL and the dead-letter topic are behind the
 * one (settle.c, lookup.c, deadletter.c); tests have their own. */
#ifndef QUERN_SINK_H
#define QUERN_SINK_H
#include "task.h"

/* What a look-up found. */
enum known {
    KNOWN_NOT,    /* no result of this or a newer generation */
    KNOWN_DONE,   /* there is a result, and its dead letter, if it needs one, is published */
    KNOWN_BURIED, /* there is a result whose dead letter (t->letter_id) may not be published */
};

struct sink_events {
    void (*looked_up)(void *arg, struct task *t, enum known known);
    /* The result is committed. t->letter_id: a dead letter to publish, or 0. */
    void (*settled)(void *arg, struct task *t);
    /* Kafka acknowledged the dead letter. */
    void (*buried)(void *arg, struct task *t);
};

struct sink_ops {
    void (*look_up)(void *sink, struct task *t);
    void (*look_up_cancel)(void *sink, struct task *t); /* before looked_up came */
    void (*settle)(void *sink, struct task *t);
    void (*bury)(void *sink, struct task *t);
};
#endif
