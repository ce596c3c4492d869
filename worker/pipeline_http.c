/* One call: the request in the backend's dialect, its answer, whole or in pieces, and the books. */
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "bound.h"
#include "classify.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/units.h"
#include "mend.h"
#include "pipeline_private.h"
#include "stream.h"

/* A translated body is longer than the task's by this factor at most: escapes grow sixfold. */
enum {
    TRANSLATED_MAX = 8,
    TRANSLATED_MORE = 4096,
    URL_MAX = 16384,
    REQUEST_MAX = 64 << 20,
    STREAM_STATUS = 200
};

/* ---- answers -------------------------------------------------------------------------------- */

void pipeline_keep_response(struct pipeline *p, struct task *t, struct json body)
{
    struct buf b;
    p->answer_bytes -= pipeline_answer_bytes(t);
    task_drop_response(t);
    t->response_len = 0;
    if (!body.p)
        return;
    buf_init(&b, body.len);
    if (memchr(body.p, '\n', body.len))
        json_minify(body, &b);
    else
        buf_add(&b, body.p, body.len);
    t->response = b.data;
    t->response_len = b.len;
    p->answer_bytes += b.len;
}

/* The answer of a stream, put together, in place of the pieces. A stream that broke off is a
 * failure of its own kind, or of the call's; what it used is known if it said so in time. */
static void read_stream(struct pipeline *p, struct task *t, struct call_result *r,
                        struct buf *translated, struct reply *reply)
{
    struct buf *whole = &t->stream->whole; /* lives as long as the reply is read */
    bool good = stream_end(t->stream) && r->http_status > 0;
    if (!good && r->http_status > 0)
        (void)error_set(&r->error, ERROR_RETRY, "malformed_response", "backend \"%s\": %s",
                        task_candidate(t)->backend, t->stream->fault);
    router_redact(p->router, pipeline_backend(p, t), whole->data, whole->len, true);
    buf_init(translated, whole->len * TRANSLATED_MAX + TRANSLATED_MORE);
    router_dialect(p->router, pipeline_backend(p, t))
        ->reply(STREAM_STATUS, whole->data, whole->len, translated, reply);
    if (!good) {
        reply->success = false;
        reply->error = r->error;
    }
    pipeline_keep_response(p, t, good ? reply->body : (struct json){0});
}

/* Was it sent, not refused, and does nothing say what it used? */
static bool is_use_unknown(const struct call_result *r, const struct reply *reply)
{
    const bool broke_off = r->http_status == 0 && !r->unreached;
    const bool answered = r->http_status >= 200 && r->http_status < 300;
    return !reply->has_usage && (broke_off || answered) &&
           (reply->success || broke_off || !classify_is(&reply->error, UNUSED));
}

static void read_body(struct pipeline *p, struct task *t, struct call_result *r,
                      struct buf *translated, struct reply *reply)
{
    size_t backend = pipeline_backend(p, t);
    buf_init(translated, r->len * TRANSLATED_MAX + TRANSLATED_MORE);
    if (t->stream && (t->stream->sse.begun || t->stream->sse.line.len)) {
        read_stream(p, t, r, translated, reply);
        return;
    }
    if (r->http_status > 0) {
        router_redact(p->router, backend, r->body, r->len, r->http_status < 300);
        mend_escapes(r->body, r->len);
        router_dialect(p->router, backend)
            ->reply(r->http_status, r->body, r->len, translated, reply);
    }
    pipeline_keep_response(p, t, reply->body);
}

static void read_answer(struct pipeline *p, struct task *t, struct call_result *r,
                        struct buf *translated, struct reply *reply)
{
    *reply = (struct reply){.error = r->error, .retry_after_ms = -1};
    read_body(p, t, r, translated, reply);
    reply->unknown_use = is_use_unknown(r, reply);
}

static void log_return(const struct pipeline *p, const struct breaker *b, const struct task *t)
{
    if (b->open)
        log_info("a backend is back", LOG_S("backend", task_candidate(t)->backend),
                 LOG_N("out_s", ev_now(p->loop) - b->since));
}

static void drop_stream(struct pipeline *p, struct task *t)
{
    p->stream_bytes -= t->stream ? t->stream->charged : 0;
    stream_free(t->stream);
    t->stream = NULL;
}

/* A piece of a streamed answer. All answers that are being put together share
 * worker.response_memory; a short one is taken whatever the others hold. */
static enum call_news on_piece(void *arg, const char *bytes, size_t len, const char **why)
{
    enum { PIECES_FREE = 64 << 10 };
    struct task *t = arg;
    struct pipeline *p = t->pipeline;
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    enum stream_news news = stream_feed(t->stream, bytes, len);
    p->stream_bytes += stream_bytes(t->stream) - t->stream->charged;
    t->stream->charged = stream_bytes(t->stream);
    if (t->stream->charged > PIECES_FREE && p->stream_bytes > p->stream_bytes_max) {
        *why = "a long answer while worker.response_memory is used up";
        return CALL_STOP;
    }
    if (t->stream->fold.grown && a->first_token_ms < 0)
        a->first_token_ms = (units_now_us() - a->started_us) / 1000;
    if (news == STREAM_BROKEN)
        *why = t->stream->fault;
    return news == STREAM_BROKEN   ? CALL_STOP
           : news == STREAM_WHOLE  ? CALL_WHOLE
           : news == STREAM_TOKENS ? CALL_FIRST
                                   : CALL_MORE;
}

static void leave_gate(struct pipeline *p, struct task *t, const struct call_result *r,
                       const struct reply *reply)
{
    const struct usage *known = reply->unknown_use ? NULL : &reply->usage;
    const bool whole = reply->has_usage && reply->success;
    tenants_settle(&p->tenants, t, known, whole);
    gate_end(&p->gates.gate[t->gate], t->reserved, known);
    if (t->kind && whole)
        estimate_learn(t->kind, t->doc.body.len, known, t->guessed ? -1 : t->reserved);
    /* What a key has used up does not hold for the next one. */
    if (r->used_up > 0 && (reply->success || reply->error.class != ERROR_NEXT_KEY))
        pipeline_pause(p, t, r->used_up);
}

/* What a call's end says about how many the backend bears; NULL: nothing bad. */
static const char *complaint(const struct pipeline *p, const struct task *t,
                             const struct call_result *r, const struct reply *reply)
{
    const struct config_backend *b = p->config->backends.items;
    int64_t bound = b[pipeline_backend(p, t)].concurrency.latency;
    if (!reply->success && !r->unreached && classify_is(&reply->error, OF_LOAD))
        return reply->error.code;
    return bound && t->attempts[t->attempt_count - 1].duration_ms > bound ? "latency" : NULL;
}

/* Lowers or raises the number of calls that the lane may have there. Said once a second at most. */
static void adapt(struct pipeline *p, struct task *t, const char *reason, bool success)
{
    struct aimd *a = &p->limiter.adaptive[pipeline_backend(p, t)][t->lane];
    double now = ev_now(p->loop), before = a->decreased;
    if (!reason && success)
        aimd_good(a, t->called);
    else if (reason && aimd_bad(a, t->called, now, !success && t->http_status > 0, reason) &&
             now - before >= 1.0)
        log_info("fewer calls at a time", LOG_S("backend", task_candidate(t)->backend),
                 LOG_S("lane", lane_names[t->lane]), LOG_N("limit", a->limit),
                 LOG_S("reason", reason));
}

/* What the call used and cost. A model without a price is told once. */
static void book(struct pipeline *p, struct task *t, const struct reply *reply)
{
    const struct config_backend *b = p->config->backends.items;
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    b += pipeline_backend(p, t);
    attempt_book(a, p->prices, b, reply);
    if (a->unknown_price && once(&p->unpriced, a->model))
        log_warn("a model has no price: its costs are unknown (null); give it one with "
                 "prices.models or prices.file",
                 LOG_S("model", a->model), LOG_S("backend", b->name));
    if (!t->pack || !reply->success) /* of a pack each has its part */
        quota_end(t, a->token, reply->unknown_use ? -1 : a->usage.input + a->usage.output, a->cost);
}

void pipeline_accept(struct pipeline *p, struct task *t)
{
    if (!pipeline_shape(p, t))
        return;
    if (!pipeline_measure(p, t)) {
        pipeline_try_better(p, t);
        return;
    }
    pipeline_share_answer(p, t);
    pipeline_finish(p, t, STATUS_SUCCEEDED);
}

static void succeed(struct pipeline *p, struct task *t, const struct attempt *a)
{
    pipeline_reckon(p, t, &a->usage, a->cost);
    if (pipeline_guard_answer(p, t) && !pipeline_moderate(p, t))
        pipeline_accept(p, t);
}

static void on_called(void *arg, const struct call_result *result)
{
    struct call_result answer = *result, *r = &answer;
    struct task *t = arg;
    struct pipeline *p = t->pipeline;
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    struct reply reply;
    struct buf translated;
    (void)FAILPOINT("after-call");
    if (t->state != TASK_CALLING || a->token != r->token) { /* of a dispatch that is no more */
        log_error("an answer came for a call that nobody made; it is dropped",
                  LOG_S("custom_id", t->doc.custom_id));
        return;
    }
    t->call = NULL;
    if (r->http_status == 0 && t->stream && stream_is_whole(t->stream))
        r->http_status = STREAM_STATUS; /* what broke came behind the answer */
    read_answer(p, t, r, &translated, &reply);
    if (r->retry_after_ms < 0)
        r->retry_after_ms = reply.retry_after_ms;
    a->http_status = t->http_status = r->http_status;
    if (!reply.success) /* in an error short keys are masked too, whatever the HTTP status */
        router_redact(p->router, pipeline_backend(p, t), reply.error.message,
                      strlen(reply.error.message), false);
    pipeline_guard_error(t, reply.error.message);
    attempt_end(a, reply.success ? NULL : &reply.error);
    book(p, t, &reply);
    buf_free(&translated);
    drop_stream(p, t);
    leave_gate(p, t, r, &reply);
    adapt(p, t, complaint(p, t, r, &reply), reply.success);
    if (reply.success) {
        log_return(p, pipeline_breaker(p, t), t);
        breaker_success(pipeline_breaker(p, t), t->probe, t->called, ev_now(p->loop));
        if (t->pack)
            pipeline_unpack(p, t);
        else
            succeed(p, t, a);
    } else {
        t->error = reply.error;
        pipeline_after_failure(p, t, r);
    }
    pipeline_dispatch(
        p); /* at once: answers come in bursts, and the slot would wait for the last */
}

static struct request request_of(struct pipeline *p, const struct task *t)
{
    const struct config_backend *b = p->config->backends.items;
    b += pipeline_backend(p, t);
    return (struct request){.url = t->doc.url,
                            .model = task_upstream_model(t),
                            .body = t->doc.body,
                            .max_tokens = b->max_output_tokens,
                            .stream = b->stream || t->asks_stream};
}

/* The task's own word goes before its model's, and that before the backend's. */
static struct config_timeouts timeouts_of(const struct pipeline *p, const struct task *t)
{
    const struct config_backend *b = p->config->backends.items;
    const struct config_timeouts *m = &t->route->timeout;
    struct config_timeouts out = b[pipeline_backend(p, t)].timeout;
    out.connect = m->connect ? m->connect : out.connect;
    out.first = m->first ? m->first : out.first;
    out.stall = m->stall ? m->stall : out.stall;
    out.total = m->total ? m->total : out.total;
    if (t->doc.wishes.timeout_ms)
        out.total = t->doc.wishes.timeout_ms;
    return out;
}

/* Translates the request. False if the backend's dialect cannot say it: the task goes on to its
 * next candidate, or fails; nothing was sent. */
bool pipeline_translate(struct pipeline *p, struct task *t)
{
    struct request q = request_of(p, t);
    const struct dialect *d = router_dialect(p->router, pipeline_backend(p, t));
    struct buf guarded, again, shorter;
    buf_init(&guarded, REQUEST_MAX);
    buf_init(&again, REQUEST_MAX);
    buf_init(&shorter, REQUEST_MAX);
    if (pipeline_guard_body(p, t, &guarded))
        q.body = json_root(guarded.data, guarded.len);
    if (pipeline_again_body(t, q.body, &again))
        q.body = json_root(again.data, again.len);
    if (pipeline_pack_body(t, &shorter) || pipeline_compress(p, t, q.body, &shorter))
        q.body = json_root(shorter.data, shorter.len);
    buf_free(&t->request);
    buf_init(&t->request, q.body.len * TRANSLATED_MAX + TASK_NAME_MAX * 6UL + 4096);
    quern_status status = d->request(&q, &t->request, &t->error);
    buf_free(&guarded);
    buf_free(&again);
    buf_free(&shorter);
    if (status == QUERN_OK && !t->request.overflow)
        return true;
    if (t->request.overflow)
        (void)error_set(&t->error, ERROR_NEXT_CANDIDATE, "invalid_request",
                        "body: it grows more than %d times in translation", TRANSLATED_MAX);
    (void)error_prefix(&t->error, "backend \"%s\"", task_candidate(t)->backend);
    buf_free(&t->request);
    if (pipeline_has_next(p, t))
        pipeline_next_candidate(p, t);
    else
        pipeline_fail(p, t);
    return false;
}

/* Tokens that the task's next call will take, as earlier ones tell; 0 where nothing depends on it.
 */
double pipeline_estimate(struct pipeline *p, struct task *t)
{
    t->kind = NULL;
    if (t->pack)
        return pipeline_pack_estimate(t);
    if (!t->quota && !p->gates.gate[t->gate].limit)
        return 0;
    t->kind = estimates_find(&p->estimates, task_upstream_model(t), t->doc.url, t->doc.feature);
    t->guessed = !estimate_is_known(t->kind);
    return estimate_tokens(t->kind, t->doc.body.len, bound_usage(t->doc.url, t->doc.body).output);
}

double pipeline_estimate_most(struct pipeline *p, struct task *t, const struct usage *bound)
{
    t->kind = estimates_find(&p->estimates, task_upstream_model(t), t->doc.url, t->doc.feature);
    return estimate_most(t->kind, t->doc.body.len, bound);
}

void pipeline_start_call(struct pipeline *p, struct task *t)
{
    size_t backend = pipeline_backend(p, t);
    const struct request q = request_of(p, t);
    struct buf url;
    t->tries++;
    t->waited = false;
    quota_begin(t, ev_now(p->loop));
    t->called = ev_now(p->loop);
    t->probe = breaker_begin(&p->breakers[backend]);
    t->reserved = pipeline_estimate(p, t);
    gate_begin(&p->gates.gate[t->gate], t->reserved);
    attempt_begin(t);
    buf_init(&url, URL_MAX);
    router_url(p->router, backend, &q, &url);
    if (q.stream)
        t->stream =
            stream_new(router_dialect(p->router, backend), (size_t)p->config->worker.response_max);
    const struct call_order order = {.endpoint = router_endpoint(p->router, backend, &t->key),
                                     .url = url.data,
                                     .body = &t->request,
                                     .token = t->attempts[t->attempt_count - 1].token,
                                     .timeout = timeouts_of(p, t),
                                     .data = q.stream ? on_piece : NULL,
                                     .done = on_called,
                                     .arg = t};
    t->call = call_start(p->caller, &order);
    buf_free(&url);
}

void pipeline_abort_call(struct pipeline *p, struct task *t, const char *code, const char *why)
{
    if (t->moderating) {
        pipeline_abort_moderation(t, code, why);
        return;
    }
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    struct call_result r = {0};
    struct reply reply;
    struct buf translated;
    (void)error_set(&r.error, ERROR_RETRY, code, "%s", why);
    r.unreached = !call_was_sent(t->call);
    call_abort(t->call);
    t->call = NULL;
    breaker_forget(pipeline_breaker(p, t), t->probe);
    read_answer(p, t, &r, &translated, &reply); /* what it used, if a stream has said so */
    leave_gate(p, t, &r, &reply);
    attempt_end(a, &r.error);
    book(p, t, &reply);
    buf_free(&translated);
    drop_stream(p, t);
    pipeline_pack_failed(p, t, true);
    pipeline_share_nothing(p, t);
}
