/* A task as spans of OpenTelemetry: one for the task's way through this worker, one for each call,
 * in OTLP's JSON (opentelemetry-proto 1.x), with the names of the semantic conventions for
 * generative AI and for messaging. What was asked and answered is never in them. Pure. */
#ifndef QUERN_SPANS_H
#define QUERN_SPANS_H
#include "common/buf.h"
#include "task.h"

enum { TRACE_ID = 16, SPAN_ID = 8 };

/* Where a task's spans belong: below the span that its record names (W3C Trace Context), or in a
 * trace of the task's own, which all its copies share. */
struct span_context {
    unsigned char trace[TRACE_ID], parent[SPAN_ID];
    bool has_parent, sampled; /* sampled: the parent says so; without one, the ratio does */
};
/* `ratio`: the share of the traces without a parent that are kept, 0 to 1. */
void span_context_of(const struct task *t, double ratio, struct span_context *out);

/* Appends the spans of a settled task with commas between them, and returns how many. `provider`
 * tells a backend's gen_ai.provider.name by its name. */
typedef const char *span_provider(void *arg, const char *backend);
int spans_write(const struct task *t, const struct span_context *c, int64_t now_us,
                span_provider *provider, void *arg, struct buf *out);
#endif
