/* The streamed answer of one call: bytes to events, events into the answer that the API would have
 * given unstreamed, which the dialect then reads as any other. */
#ifndef QUERN_STREAM_H
#define QUERN_STREAM_H
#include "dialect.h"
#include "fold.h"
#include "sse.h"

struct stream {
    const struct dialect *dialect;
    struct sse sse;
    struct fold fold;
    struct buf whole;  /* the answer, once it has ended */
    const char *fault; /* what is wrong with it; NULL: nothing */
    size_t charged;    /* for the pipeline: the bytes of it that count against its limit */
};

/* What a piece brought. */
enum stream_news {
    STREAM_NOTHING, /* a comment, a ping, a part of an event */
    STREAM_TOKENS,  /* the model has said something */
    STREAM_WHOLE,   /* the answer is whole; what follows does not matter */
    STREAM_BROKEN,  /* s->fault says why it cannot be read on */
};

/* `max`: bytes of the answer. Free it with stream_free(). */
struct stream *stream_new(const struct dialect *d, size_t max);
void stream_free(struct stream *s); /* NULL: nothing */
enum stream_news stream_feed(struct stream *s, const char *bytes, size_t len);
/* Has the whole answer come, even if its stream has not ended? */
bool stream_is_whole(const struct stream *s);
/* What it holds in memory. */
size_t stream_bytes(const struct stream *s);
/* No more will come: s->whole is the answer as far as it came. True if it is whole, or if the
 * backend told of a failure in it: either way the dialect can read it. */
bool stream_end(struct stream *s);
#endif
