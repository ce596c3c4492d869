/* HTTP calls in flight, on libcurl's multi interface inside the loop.
 *
 * libcurl's work for one call grows with the handles in one multi (27 us at 2,000, 82 us at 8,000),
 * so the calls are spread over many multis. A slow or hostile backend meets limits on time, on
 * each answer's size and on the memory of all answers together. */
#ifndef QUERN_CALL_H
#define QUERN_CALL_H
#include <ev.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/error.h"

struct caller;
struct call;

/* A backend as calls see it: its headers and limits. Ends with the caller at the latest. */
struct endpoint;

/* How a call ended. http_status 0: there was no answer, and `error` (class RETRY; code "timeout",
 * "network" or "malformed_response") says why. The body is borrowed until the callback returns. */
struct call_result {
    long http_status;
    struct error error;
    char *body; /* may be changed in place */
    size_t len;
    int64_t retry_after_ms; /* -1: the backend did not ask */
    double used_up;         /* a rate limit is, for so many seconds, as the headers say; 0: none */
    uint64_t token;         /* of the dispatch, as given to call_start() */
    bool unreached;         /* there was no connection: nothing was sent */
};

/* Called once from the loop, never from inside call_start(); the call is gone when it returns. */
typedef void call_done(void *arg, const struct call_result *r);

/* What a piece of a streamed answer came to. */
enum call_news {
    CALL_MORE,  /* nothing of note */
    CALL_FIRST, /* the model has begun to answer */
    CALL_WHOLE, /* the answer is whole: an end that goes wrong does not matter */
    CALL_STOP   /* it cannot be used: the call ends, and its result has the class RETRY */
};
/* Takes a piece of an answer that comes as server-sent events with a good status. For CALL_STOP,
 * *why says what is wrong (static text). */
typedef enum call_news call_data(void *arg, const char *bytes, size_t len, const char **why);

/* One call to be made. */
struct call_order {
    struct endpoint *endpoint;
    const char *url;  /* copied */
    struct buf *body; /* its memory passes to the call */
    uint64_t token;   /* the backend sees it as X-Client-Request-Id, so that its records can be held
                         against the books */
    struct config_timeouts timeout;
    call_data *data; /* NULL: the answer is collected whatever its kind */
    call_done *done;
    void *arg;
};

struct caller *caller_new(struct ev_loop *loop, const struct config *c);
void caller_free(struct caller *caller); /* aborts what is in flight, without callbacks */

/* `headers` (count lines "Name: value") are copied. */
struct endpoint *caller_endpoint(struct caller *caller, const struct config_backend *b,
                                 const char *const *headers, size_t count);

/* Frees one before the caller; the call that was made with it has ended, or just tells so. */
void caller_endpoint_free(struct caller *caller, struct endpoint *e);

/* Begins a POST. */
struct call *call_start(struct caller *caller, const struct call_order *o);
/* Was a connection made, and its request sent, in part at least? */
bool call_was_sent(const struct call *call);
/* Ends a call without its callback; the connection is closed. */
void call_abort(struct call *call);
#endif
