#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "call_private.h"
#include "common/log.h"
#include "common/mem.h"

enum {
    CALLS_PER_MULTI = 128,
    KEPT_PER_CALL = 4,        /* open connections, to several hosts */
    RECEIVE_BYTES = 4 << 10,  /* for each call in flight; 16 KiB by itself, a third of our memory */
    RESPONSE_FREE = 64 << 10, /* answers up to this long are taken whatever the others hold */
    RESPONSE_KEEP = 64 << 10, /* a longer buffer is not kept for the next call */
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        log_error("libcurl refused an option", LOG_S("what", what));
        abort();
    }
}

#define SET(easy, option, value) must(curl_easy_setopt(easy, option, value) == CURLE_OK, #option)
#define MSET(multi, option, value)                                                                 \
    must(curl_multi_setopt(multi, option, value) == CURLM_OK, #option)

/* When a kept connection breaks before the answer, libcurl would send the request once more by
 * itself: a call that may be billed twice and is in nobody's books. Each call is sent once; our own
 * retry is counted. */
static int on_request(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct call *c = arg;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    return c->sent++ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Is this the stream that was asked for? Errors come as plain JSON. */
static bool is_stream(struct call *c)
{
    const char *type = NULL;
    long status = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    return c->data && status >= 200 && status < 300 && type &&
           strncasecmp(type, "text/event-stream", 17) == 0;
}

static void pass_on(struct call *c, const char *bytes, size_t n)
{
    enum call_news news = c->data(c->arg, bytes, n, &c->fault);
    c->answers = c->answers || news != CALL_MORE;
    c->whole = news == CALL_WHOLE;
}

static void collect(struct call *c, const char *bytes, size_t n)
{
    struct caller *caller = c->multi->caller;
    c->answers = true;
    if (c->response.len + n > caller->response_max)
        c->fault = "the answer is longer than worker.response_max";
    else if (c->response.len + n > RESPONSE_FREE &&
             caller->response_bytes + n > caller->response_memory)
        c->fault = "a long answer while worker.response_memory is used up";
    if (c->fault)
        return;
    buf_add(&c->response, bytes, n);
    caller->response_bytes += n;
}

/* Takes a part of an answer; anything but its length ends the call. */
static size_t on_data(char *bytes, size_t one, size_t n, void *arg)
{
    struct call *c = arg;
    (void)one;
    if (c->heard == 0)
        c->events = is_stream(c);
    if (c->whole) /* what comes now keeps the call no longer */
        return n;
    c->heard = ev_now(c->multi->caller->loop);
    (c->events ? pass_on : collect)(c, bytes, n);
    return c->fault ? 0 : n;
}

/* libcurl asks the environment five times for each call; it does not change. */
static bool has_proxy(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            return true;
    return false;
}

/* What no call changes. */
static void prepare(struct call *c)
{
    CURL *e = c->easy;
    SET(e, CURLOPT_PRIVATE, c);
    SET(e, CURLOPT_NOSIGNAL, 1L);
    SET(e, CURLOPT_POST, 1L);
    SET(e, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(e, CURLOPT_FOLLOWLOCATION, 0L); /* keys go nowhere but where the configuration says */
    SET(e, CURLOPT_PREREQFUNCTION, on_request);
    SET(e, CURLOPT_PREREQDATA, c);
    SET(e, CURLOPT_WRITEFUNCTION, on_data);
    SET(e, CURLOPT_WRITEDATA, c);
    SET(e, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    if (!c->multi->caller->proxied)
        SET(e, CURLOPT_PROXY, "");
}

static void free_call(struct call *c)
{
    curl_easy_cleanup(c->easy);
    curl_url_cleanup(c->parsed);
    buf_free(&c->response);
    free(c->url);
    free(c);
}

/* Has it a limit that libcurl does not keep? */
static bool is_watched(const struct call *c)
{
    return c->timeout.first || c->timeout.stall || c->data;
}

static struct call **idle_ones(struct call *c)
{
    return c->endpoint ? &c->endpoint->idle : &c->multi->caller->loose;
}

/* A call that failed may leave its handle in the middle of something; it is not used again. */
static void retire(struct call *c, bool broken)
{
    struct multi *m = c->multi;
    (void)curl_multi_remove_handle(m->handle, c->easy);
    m->caller->response_bytes -= c->response.len;
    m->caller->watched -= is_watched(c);
    DL_DELETE(m->active, c);
    buf_free(&c->body);
    if (broken) {
        free_call(c);
        return;
    }
    DL_PREPEND(*idle_ones(c), c);
    if (c->response.cap > RESPONSE_KEEP)
        buf_free(&c->response);
    buf_clear(&c->response);
}

static void finish(struct call *c, CURLcode code)
{
    struct call_result r;
    buf_add(&c->response, "", 0); /* so that an empty answer is a text too */
    call_read_result(c, c->whole ? CURLE_OK : code, &r);
    c->done(c->arg, &r);
    retire(c, code != CURLE_OK);
}

static void reap(struct multi *m)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(m->handle, &left)) != NULL) {
        struct call *c = NULL;
        CURLcode code = msg->data.result; /* msg is gone once the handle is removed */
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        if (msg->msg == CURLMSG_DONE && c)
            finish(c, code);
    }
}

/* ---- answers that are late ------------------------------------------------------------------- */

#define SWEEP_EVERY 0.1 /* seconds: how exactly timeout.first and timeout.stall are kept */
#define LAST_BYTES 1.0  /* seconds that a stream may take to end after its answer is whole */

static bool is_late(struct call *c, double now)
{
    const struct config_timeouts *t = &c->timeout;
    if (c->whole)
        return now - c->heard > LAST_BYTES;
    if (t->first && !c->answers && (now - c->began) * 1000.0 > (double)t->first)
        c->fault = "no byte or token of an answer within timeout.first";
    else if (t->stall && c->heard > 0 && (now - c->heard) * 1000.0 > (double)t->stall)
        c->fault = "its answer stalled for longer than timeout.stall";
    c->late = c->fault != NULL;
    return c->late;
}

static void on_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct caller *caller = timer->data;
    struct call *c, *next;
    (void)events;
    for (size_t i = 0; i < caller->count; i++)
        DL_FOREACH_SAFE (caller->multis[i].active, c, next)
            if (is_watched(c) && is_late(c, ev_now(loop)))
                finish(c, CURLE_ABORTED_BY_CALLBACK);
    if (caller->watched == 0)
        ev_timer_stop(loop, timer);
}

static void act(struct multi *m, curl_socket_t fd, int flags)
{
    int running;
    CURLMcode code = curl_multi_socket_action(m->handle, fd, flags, &running);
    if (code != CURLM_OK)
        log_error("libcurl failed", LOG_S("error", curl_multi_strerror(code)));
    reap(m);
}

static void on_socket(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    act(w->data, w->fd,
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)events;
    act(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static int watch_timer(CURLM *handle, long timeout_ms, void *arg)
{
    struct multi *m = arg;
    (void)handle;
    ev_timer_stop(m->caller->loop, &m->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&m->timer, (double)timeout_ms / 1000.0, 0.);
        ev_timer_start(m->caller->loop, &m->timer);
    }
    return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watcher)
{
    struct multi *m = arg;
    ev_io *w = watcher;
    (void)easy;
    if (w)
        ev_io_stop(m->caller->loop, w);
    if (what == CURL_POLL_REMOVE) {
        free(w);
        return 0;
    }
    if (!w) {
        w = mem_zero(sizeof *w);
        w->data = m;
        (void)curl_multi_assign(m->handle, fd, w);
    }
    ev_io_init(w, on_socket, fd,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    ev_io_start(m->caller->loop, w);
    return 0;
}

/* Parsed here, libcurl does not do so for each call. It says what is wrong with one that cannot be.
 */
static void set_url(struct call *c, const char *url)
{
    free(c->url);
    c->url = mem_string(url);
    if (!c->parsed)
        must((c->parsed = curl_url()) != NULL, "curl_url");
    bool good = curl_url_set(c->parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
    SET(c->easy, CURLOPT_CURLU, good ? c->parsed : NULL);
    SET(c->easy, CURLOPT_URL, url);
}

static void point_at(struct call *c, struct endpoint *e, const char *url)
{
    const struct config_backend *b = e->backend;
    if (!c->url || strcmp(c->url, url) != 0)
        set_url(c, url);
    if (c->endpoint == e)
        return;
    c->endpoint = e;
    c->id_header.next = e->headers;
    SET(c->easy, CURLOPT_HTTPHEADER, &c->id_header);
    SET(c->easy, CURLOPT_SSL_VERIFYPEER, b->verify_tls ? 1L : 0L);
    SET(c->easy, CURLOPT_SSL_VERIFYHOST, b->verify_tls ? 2L : 0L);
}

static struct call *new_call(struct caller *caller)
{
    struct call *c = mem_zero(sizeof *c);
    c->multi = &caller->multis[caller->turn++ % caller->count];
    buf_init(&c->response, caller->response_max);
    c->id_header.data = c->id_line;
    c->easy = curl_easy_init();
    must(c->easy != NULL, "curl_easy_init");
    prepare(c);
    return c;
}

/* The one that was used last at this endpoint: its connection is open, and all of it in the CPU's
 * cache. One that is no endpoint's, or that another has not used for longest, is taken before there
 * are more. */
static struct call *find_idle(struct caller *caller, const struct endpoint *e)
{
    struct endpoint *other;
    if (e->idle || caller->loose)
        return e->idle ? e->idle : caller->loose;
    LL_FOREACH (caller->endpoints, other)
        if (other->idle)
            return other->idle->prev; /* of the first, utlist's last */
    return NULL;
}

static struct call *take(struct caller *caller, const struct endpoint *e)
{
    struct call *c = find_idle(caller, e);
    if (c)
        DL_DELETE(*idle_ones(c), c);
    else
        c = new_call(caller);
    DL_APPEND(c->multi->active, c);
    return c;
}

static void limit_time(struct call *c, const struct config_timeouts *t)
{
    if (c->timeout.connect != t->connect || c->timeout.total != t->total) {
        SET(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect);
        SET(c->easy, CURLOPT_TIMEOUT_MS, (long)t->total);
    }
    c->timeout = *t;
}

struct call *call_start(struct caller *caller, const struct call_order *o)
{
    struct call *c = take(caller, o->endpoint);
    c->body = *o->body;
    *o->body = (struct buf){.max = c->body.max};
    c->fault = NULL;
    c->sent = 0;
    c->done = o->done;
    c->data = o->data;
    c->arg = o->arg;
    c->token = o->token;
    c->began = ev_now(caller->loop);
    c->heard = 0;
    c->late = c->answers = c->whole = c->events = false;
    (void)snprintf(c->id_line, sizeof c->id_line, "X-Client-Request-Id: quern-%016" PRIx64,
                   o->token);
    point_at(c, o->endpoint, o->url);
    limit_time(c, &o->timeout);
    caller->watched += is_watched(c);
    if (is_watched(c) && !ev_is_active(&caller->sweep))
        ev_timer_again(caller->loop, &caller->sweep);
    SET(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.len);
    SET(c->easy, CURLOPT_POSTFIELDS, c->body.data); /* goes out in one piece with the head */
    must(curl_multi_add_handle(c->multi->handle, c->easy) == CURLM_OK, "curl_multi_add_handle");
    return c;
}

bool call_was_sent(const struct call *c)
{
    return c->sent > 0;
}

void call_abort(struct call *c)
{
    retire(c, true);
}

struct endpoint *caller_endpoint(struct caller *caller, const struct config_backend *b,
                                 const char *const *headers, size_t count)
{
    struct endpoint *e = mem_zero(sizeof *e);
    e->backend = b;
    for (size_t i = 0; i < count; i++)
        e->headers = curl_slist_append(e->headers, headers[i]);
    LL_PREPEND(caller->endpoints, e);
    return e;
}

static void free_endpoint(struct endpoint *e)
{
    curl_slist_free_all(e->headers);
    free(e);
}

void caller_endpoint_free(struct caller *caller, struct endpoint *e)
{
    struct call *c;
    for (size_t i = 0; i < caller->count; i++)
        DL_FOREACH (caller->multis[i].active, c)
            if (c->endpoint == e)
                c->endpoint = NULL;
    DL_FOREACH (e->idle, c)
        c->endpoint = NULL;
    DL_CONCAT(caller->loose, e->idle);
    LL_DELETE(caller->endpoints, e);
    free_endpoint(e);
}

struct caller *caller_new(struct ev_loop *loop, const struct config *c)
{
    struct caller *caller = mem_zero(sizeof *caller);
    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "curl_global_init");
    caller->loop = loop;
    caller->proxied = has_proxy();
    caller->response_max = (size_t)c->worker.response_max;
    caller->response_memory = (size_t)(c->worker.response_memory ? c->worker.response_memory
                                                                 : c->worker.memory_limit / 8);
    caller->count = (size_t)(c->worker.concurrency + CALLS_PER_MULTI - 1) / CALLS_PER_MULTI;
    if (caller->count > CALL_MULTIS_MAX)
        caller->count = CALL_MULTIS_MAX;
    const long calls = (c->worker.concurrency + (long)caller->count - 1) / (long)caller->count;
    ev_timer_init(&caller->sweep, on_sweep, 0., SWEEP_EVERY);
    caller->sweep.data = caller;
    for (size_t i = 0; i < caller->count; i++) {
        struct multi *m = &caller->multis[i];
        m->caller = caller;
        m->handle = curl_multi_init();
        must(m->handle != NULL, "curl_multi_init");
        MSET(m->handle, CURLMOPT_SOCKETFUNCTION, watch_socket);
        MSET(m->handle, CURLMOPT_SOCKETDATA, m);
        MSET(m->handle, CURLMOPT_TIMERFUNCTION, watch_timer);
        MSET(m->handle, CURLMOPT_TIMERDATA, m);
        /* libcurl's own limit follows the calls in flight, and closes what a next burst needs. */
        MSET(m->handle, CURLMOPT_MAXCONNECTS, KEPT_PER_CALL * calls);
        ev_timer_init(&m->timer, on_timer, 0., 0.);
        m->timer.data = m;
    }
    return caller;
}

static void free_calls(struct call *list)
{
    struct call *c, *next;
    DL_FOREACH_SAFE (list, c, next)
        free_call(c);
}

static void free_multi(struct multi *m)
{
    (void)curl_multi_cleanup(m->handle);
    ev_timer_stop(m->caller->loop, &m->timer);
}

void caller_free(struct caller *caller)
{
    struct call *c, *next;
    struct endpoint *e, *after;
    ev_timer_stop(caller->loop, &caller->sweep);
    for (size_t i = 0; i < caller->count; i++)
        DL_FOREACH_SAFE (caller->multis[i].active, c, next)
            retire(c, true);
    free_calls(caller->loose);
    LL_FOREACH_SAFE (caller->endpoints, e, after) {
        free_calls(e->idle);
        free_endpoint(e);
    }
    for (size_t i = 0; i < caller->count; i++)
        free_multi(&caller->multis[i]);
    free(caller);
    curl_global_cleanup();
}
