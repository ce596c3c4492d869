/* Sends spans of settled tasks to an OTLP receiver over HTTP, in batches, through the caller's own
 * connections: nothing waits for it. While one batch is on its way the next one fills, up to a
 * bound; beyond it, and when the receiver does not take a batch, spans are dropped, counted and
 * told. */
#ifndef QUERN_TRACE_H
#define QUERN_TRACE_H
#include <ev.h>

#include "call.h"
#include "task.h"

struct trace;
/* NULL: tracing is off (`err` is clear then: code ""), or a secret cannot be read. */
struct trace *trace_new(struct ev_loop *loop, struct caller *caller, const struct config *c,
                        struct error *err);
void trace_free(struct trace *tr); /* NULL: nothing */

/* The attempts, and the outcome if it has one, are committed. Nothing if `tr` is NULL. */
void trace_settled(struct trace *tr, const struct task *t);
/* Sends what is there; `done` is called once, when it was taken or not, or at once. */
void trace_drain(struct trace *tr, void (*done)(void *arg), void *arg);
/* Spans that were taken, and those that were not. */
void trace_counts(const struct trace *tr, int64_t *sent, int64_t *dropped);
#endif
