/* Server-sent events: a stream of bytes, in pieces of any size, to events. Pure.
 * Source: the HTML standard, 9.2.6 "Interpreting an event stream". */
#ifndef QUERN_SSE_H
#define QUERN_SSE_H
#include "common/buf.h"

enum { SSE_NAME_MAX = 64 };

struct sse {
    struct buf line, data;
    char name[SSE_NAME_MAX]; /* of the event; a longer one is cut */
    bool has_data, after_cr, begun;
};

/* One event. Both texts are borrowed; `data` ends with a NUL, and may be changed in place. */
typedef void sse_event(void *arg, const char *name, char *data, size_t len);

/* No line, and no event's data, may be longer than `max` bytes. */
void sse_init(struct sse *s, size_t max);
void sse_free(struct sse *s);
/* Takes the next bytes and tells the events that they end. False: a line or an event is too long.
 */
bool sse_feed(struct sse *s, const char *bytes, size_t len, sse_event *tell, void *arg);
/* The stream has ended. The standard drops an event that no empty line has ended; several servers
 * leave that line out behind their last event, so it is told here. */
void sse_end(struct sse *s, sse_event *tell, void *arg);
#endif
