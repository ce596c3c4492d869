/* Which jobs were cancelled lately, and how much has been used today: asked of PostgreSQL once a
 * second. Once a minute the response cache is trimmed. */
#ifndef QUERN_WATCH_H
#define QUERN_WATCH_H
#include <ev.h>

#include "common/config.h"
#include "common/uuid.h"
#include "common/volume.h"

struct watch_events {
    /* Tasks of this job up to this generation are cancelled; told again and again for a day. */
    void (*cancelled)(void *arg, const struct uuid *job, int64_t generation, bool lets_finish);
};

struct watch;
/* Fills `volumes` if rules look at them. */
struct watch *watch_new(struct ev_loop *loop, const struct config *c, struct volumes *volumes,
                        const struct watch_events *events, void *arg);
void watch_free(struct watch *w);
#endif
