#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "spans.h"

#define WAIT 2.0 /* seconds that spans wait for others */
#define COMPLAIN_EVERY 60.0
enum {
    SPANS_MAX = 2048, /* in the batch that fills */
    SPANS_SENT = 512, /* are enough for a batch */
    BYTES_MAX = 4 << 20,
    TIMEOUT_MS = 3000,
    HEADER_MAX = 4096,
    HOST_MAX = 256
};

struct trace {
    struct ev_loop *loop;
    struct caller *caller;
    const struct config *config;
    struct config_backend peer; /* as an endpoint wants one */
    struct endpoint *endpoint;
    ev_timer timer;
    struct buf batch;
    int spans, sending; /* in the batch; on their way */
    int64_t sent, dropped;
    double next_complaint;
    void (*drained)(void *arg);
    void *drained_arg;
    char host[HOST_MAX];
};

static void begin_batch(struct trace *tr)
{
    buf_init(&tr->batch, BYTES_MAX);
    tr->spans = 0;
    buf_str(&tr->batch, "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
                        "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"quern-worker\"}},"
                        "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" QUERN_VERSION
                        "\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":");
    buf_json(&tr->batch, tr->host, strlen(tr->host));
    buf_printf(&tr->batch,
               "}},{\"key\":\"process.pid\",\"value\":{\"intValue\":\"%d\"}}]},\"scopeSpans\":["
               "{\"scope\":{\"name\":\"quern\",\"version\":\"" QUERN_VERSION "\"},\"spans\":[",
               (int)getpid());
}

static void send_batch(struct trace *tr);

static void on_done(void *arg, const struct call_result *r)
{
    struct trace *tr = arg;
    const bool taken = r->http_status >= 200 && r->http_status < 300;
    *(taken ? &tr->sent : &tr->dropped) += tr->sending;
    tr->sending = 0;
    if (!taken && ev_now(tr->loop) >= tr->next_complaint) {
        tr->next_complaint = ev_now(tr->loop) + COMPLAIN_EVERY;
        log_warn("spans were not taken", LOG_S("endpoint", tr->config->tracing.endpoint),
                 LOG_N("status", r->http_status), LOG_S("error", r->error.message),
                 LOG_N("dropped", tr->dropped));
    }
    if (tr->spans >= SPANS_SENT || (tr->drained && tr->spans)) {
        send_batch(tr);
    } else if (tr->drained) {
        tr->drained(tr->drained_arg);
        tr->drained = NULL;
    }
}

static void send_batch(struct trace *tr)
{
    if (tr->sending || tr->spans == 0)
        return;
    ev_timer_stop(tr->loop, &tr->timer);
    buf_str(&tr->batch, "]}]}]}");
    const struct call_order order = {.endpoint = tr->endpoint,
                                     .url = tr->config->tracing.endpoint,
                                     .body = &tr->batch,
                                     .timeout = {.connect = TIMEOUT_MS, .total = TIMEOUT_MS},
                                     .done = on_done,
                                     .arg = tr};
    tr->sending = tr->spans;
    (void)call_start(tr->caller, &order);
    buf_free(&tr->batch);
    begin_batch(tr);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)events;
    send_batch(t->data);
}

/* gen_ai.provider.name: the well-known ones by their API. */
static const char *provider_of(void *arg, const char *backend)
{
    static const char *const names[] = {"openai", "anthropic", "gcp.gemini"};
    const struct config_backend *b = config_backend_find(arg, backend);
    return b ? names[b->dialect] : NULL;
}

void trace_settled(struct trace *tr, const struct task *t)
{
    struct span_context context;
    struct buf one;
    const bool refused = t->status == STATUS_PARKED && !t->publication_id; /* it goes on */
    if (!tr || !t->readable || !t->identity || refused)
        return;
    span_context_of(t, (double)tr->config->tracing.ratio / 1e12, &context);
    if (!context.sampled)
        return;
    buf_init(&one, BYTES_MAX);
    const int count =
        spans_write(t, &context, units_now_us(), provider_of, (void *)(uintptr_t)tr->config, &one);
    if (tr->spans + count > SPANS_MAX || one.overflow || tr->batch.len + one.len + 16 > BYTES_MAX) {
        tr->dropped += count;
        buf_free(&one);
        return;
    }
    if (tr->spans)
        buf_char(&tr->batch, ',');
    buf_add(&tr->batch, one.data, one.len);
    buf_free(&one);
    tr->spans += count;
    if (tr->spans >= SPANS_SENT) {
        send_batch(tr);
    } else if (!ev_is_active(&tr->timer)) {
        ev_timer_set(&tr->timer, WAIT, 0.);
        ev_timer_start(tr->loop, &tr->timer);
    }
}

void trace_drain(struct trace *tr, void (*done)(void *arg), void *arg)
{
    if (!tr || (tr->spans == 0 && tr->sending == 0)) {
        done(arg);
        return;
    }
    tr->drained = done;
    tr->drained_arg = arg;
    send_batch(tr);
}

void trace_counts(const struct trace *tr, int64_t *sent, int64_t *dropped)
{
    *sent = tr ? tr->sent : 0;
    *dropped = tr ? tr->dropped : 0;
}

static struct endpoint *make_endpoint(struct trace *tr, const char *secret)
{
    const char *headers[5];
    headers[0] = "Content-Type: application/json";
    headers[1] = "User-Agent: quern/" QUERN_VERSION;
    headers[2] = "Accept:";
    headers[3] = "Expect:";
    char *authorization = secret ? mem_format("Authorization: %s", secret) : NULL;
    headers[4] = authorization;
    struct endpoint *e = caller_endpoint(tr->caller, &tr->peer, headers, authorization ? 5 : 4);
    if (authorization)
        explicit_bzero(authorization, strlen(authorization));
    free(authorization);
    return e;
}

struct trace *trace_new(struct ev_loop *loop, struct caller *caller, const struct config *c,
                        struct error *err)
{
    char *secret = NULL;
    *err = (struct error){0};
    if (!c->tracing.endpoint)
        return NULL;
    if (config_secret(c->tracing.authorization_env, c->tracing.authorization_file, &secret, err) !=
        QUERN_OK)
        return NULL;
    struct trace *tr = mem_zero(sizeof *tr);
    tr->loop = loop;
    tr->caller = caller;
    tr->config = c;
    tr->peer = (struct config_backend){.name = (char *)(uintptr_t) "tracing", .verify_tls = true};
    tr->endpoint = make_endpoint(tr, secret);
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    if (gethostname(tr->host, sizeof tr->host - 1) != 0)
        tr->host[0] = '\0';
    ev_timer_init(&tr->timer, on_timer, 0., 0.);
    tr->timer.data = tr;
    begin_batch(tr);
    return tr;
}

void trace_free(struct trace *tr)
{
    if (!tr)
        return;
    ev_timer_stop(tr->loop, &tr->timer);
    buf_free(&tr->batch);
    free(tr);
}
