/* The way of a task through the worker: the stages and their order. pipeline.c has the picture. */
#ifndef QUERN_PIPELINE_H
#define QUERN_PIPELINE_H
#include "call.h"
#include "lanes.h"
#include "limiter.h"
#include "retry.h"
#include "router.h"
#include "sink.h"
#include "source.h"

struct pipeline;

struct pipeline *pipeline_new(struct ev_loop *loop, const struct config *c, struct caller *caller,
                              struct router *router, const struct price_table *prices,
                              const struct sink_ops *sink, void *sink_arg,
                              const struct source_ops *source, void *source_arg);
/* No task may be left in it. */
void pipeline_free(struct pipeline *p);

bool pipeline_has_room(const struct pipeline *p, int lane);
/* Takes a record; it is copied. */
void pipeline_receive(struct pipeline *p, struct partition *from, int64_t offset,
                      const void *record, size_t len);

/* Drops what is not started from a partition that is going away; calls in flight go on. */
void pipeline_revoke(struct pipeline *p, struct partition *from);
/* Ends the calls in flight of a partition: their results would be nobody's. */
void pipeline_abort(struct pipeline *p, struct partition *from);

/* For the sink: what it told. */
extern const struct sink_events pipeline_sink_events;

struct pipeline_counts {
    size_t in_state[TASK_STATES];
    int64_t finished;
};
void pipeline_count(const struct pipeline *p, struct pipeline_counts *out);
#endif
