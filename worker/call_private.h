/* Inside the calls: call.c makes them in the loop, call_result.c tells what came of one. */
#ifndef QUERN_CALL_PRIVATE_H
#define QUERN_CALL_PRIVATE_H
#include <curl/curl.h>

#include "call.h"

enum { CALL_MULTIS_MAX = 64, CALL_ID_MAX = 64 };

struct endpoint {
    struct endpoint *next;
    const struct config_backend *backend;
    struct curl_slist *headers;
    struct call *idle; /* whose last call went here, the latest first */
};

struct call {
    struct call *prev, *next; /* in a list: its multi's active ones, or idle ones */
    struct multi *multi;
    CURL *easy;
    struct endpoint *endpoint; /* that the handle is set up for; NULL: none yet */
    char *url;                 /* and where it goes there, */
    CURLU *parsed;             /* also in parts */
    struct buf body, response;
    int sent;          /* how often it was; more than once, it is ended */
    const char *fault; /* why we ended it ourselves, */
    bool late;         /* and whether that was for its slowness */
    uint64_t token;
    char id_line[CALL_ID_MAX];
    struct curl_slist id_header; /* id_line, before the endpoint's headers */
    call_done *done;
    call_data *data;
    void *arg;
    struct config_timeouts timeout;
    double began, heard;         /* by the loop's clock; heard: the last bytes, 0: none came */
    bool answers, whole, events; /* a token or byte of an answer came; all did; it is a stream */
};

/* One curl multi and what the loop watches for it. */
struct multi {
    struct caller *caller;
    CURLM *handle;
    ev_timer timer;
    struct call *active;
};

struct caller {
    struct ev_loop *loop;
    bool proxied; /* the environment names a proxy */
    size_t response_max, response_memory, response_bytes;
    struct multi multis[CALL_MULTIS_MAX];
    size_t count, turn;
    struct endpoint *endpoints;
    struct call *loose; /* idle, of endpoints that are gone */
    ev_timer sweep;     /* looks for answers that are late; runs while a call has such a limit */
    size_t watched;     /* calls that have */
};

/* What came of a call that has ended: its answer, borrowed from it, or why there is none. */
void call_read_result(const struct call *c, CURLcode code, struct call_result *r);
#endif
