#include "webhook.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"

enum { BODY_MAX = 16384, HEADERS = 7, TIMEOUT_MS = 15000 };

struct webhook {
    struct caller *caller;
    struct config_backend peer; /* as an endpoint wants one */
    char *url;
    unsigned char *key; /* NULL: messages are not signed */
    size_t key_len;
};

struct message {
    struct webhook *webhook;
    struct endpoint *endpoint;
    int64_t id;
    webhook_done *done;
    void *arg;
};

size_t webhook_key(const char *secret, unsigned char *out)
{
    static const char prefix[] = "whsec_";
    const char *text =
        strncmp(secret, prefix, sizeof prefix - 1) == 0 ? secret + sizeof prefix - 1 : NULL;
    const size_t len = text ? strlen(text) : 0;
    int n = len && len % 4 == 0 ? EVP_DecodeBlock(out, (const unsigned char *)text, (int)len) : -1;
    if (n < 0) {
        const size_t whole = strlen(secret);
        memcpy(out, secret, whole); // NOLINT(bugprone-not-null-terminated-result): bytes of a key
        return whole;
    }
    return (size_t)n - (text[len - 1] == '=') - (text[len - 2] == '=');
}

void webhook_sign(const unsigned char *key, size_t len, const char *id, int64_t timestamp,
                  const char *body, char *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    char *text = mem_format("%s.%" PRId64 ".%s", id, timestamp, body);
    (void)HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)text, strlen(text), digest, &n);
    free(text);
    (void)EVP_EncodeBlock((unsigned char *)stpcpy(out, "v1,"), digest, (int)n);
}

static void on_done(void *arg, const struct call_result *r)
{
    struct message *m = arg;
    const bool taken = r->http_status >= 200 && r->http_status < 300;
    if (!taken)
        log_warn("a webhook was not taken; it is sent again", LOG_S("url", m->webhook->url),
                 LOG_N("status", r->http_status), LOG_S("error", r->error.message));
    m->done(m->arg, m->id, taken);
    caller_endpoint_free(m->webhook->caller, m->endpoint);
    free(m);
}

/* The headers are the message's own: so is the endpoint. */
static struct endpoint *endpoint_of(struct webhook *w, const char *id, int64_t now,
                                    const char *body)
{
    char lines[HEADERS][256] = {"Content-Type: application/json",
                                "User-Agent: quern/" QUERN_VERSION, "Accept:", "Expect:"};
    const char *headers[HEADERS];
    char signature[WEBHOOK_SIGNATURE_MAX];
    size_t n = 6;
    (void)snprintf(lines[4], sizeof lines[4], "webhook-id: %s", id);
    (void)snprintf(lines[5], sizeof lines[5], "webhook-timestamp: %" PRId64, now);
    if (w->key) {
        webhook_sign(w->key, w->key_len, id, now, body, signature);
        (void)snprintf(lines[n++], sizeof lines[0], "webhook-signature: %s", signature);
    }
    for (size_t i = 0; i < n; i++)
        headers[i] = lines[i];
    return caller_endpoint(w->caller, &w->peer, headers, n);
}

void webhook_send(struct webhook *w, int64_t id, const char *type, const char *data,
                  webhook_done *done, void *arg)
{
    char name[64], when[UNITS_TEXT_MAX];
    const int64_t now = units_now_us();
    struct message *m = mem_alloc(sizeof *m);
    struct buf body;
    buf_init(&body, BODY_MAX);
    (void)snprintf(name, sizeof name, "msg_quern_%" PRId64, id);
    buf_printf(&body, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":%s}", type,
               units_format_time(now, when), data);
    *m = (struct message){w, endpoint_of(w, name, now / 1000000, body.data), id, done, arg};
    const struct call_order order = {.endpoint = m->endpoint,
                                     .url = w->url,
                                     .body = &body,
                                     .timeout = {.connect = TIMEOUT_MS, .total = TIMEOUT_MS},
                                     .done = on_done,
                                     .arg = m};
    (void)call_start(w->caller, &order);
    buf_free(&body);
}

struct webhook *webhook_new(struct caller *caller, const struct config *c, struct error *err)
{
    char *secret = NULL;
    *err = (struct error){0};
    if (!c->limits.webhook.url)
        return NULL;
    if (config_secret(c->limits.webhook.secret_env, c->limits.webhook.secret_file, &secret, err) !=
        QUERN_OK)
        return NULL;
    struct webhook *w = mem_zero(sizeof *w);
    w->caller = caller;
    w->peer = (struct config_backend){.name = (char *)(uintptr_t) "webhook", .verify_tls = true};
    w->url = mem_string(c->limits.webhook.url);
    if (secret) {
        w->key = mem_alloc(strlen(secret) + 1);
        w->key_len = webhook_key(secret, w->key);
        explicit_bzero(secret, strlen(secret));
        free(secret);
    }
    return w;
}

void webhook_free(struct webhook *w)
{
    if (!w)
        return;
    if (w->key)
        explicit_bzero(w->key, w->key_len);
    free(w->key);
    free(w->url);
    free(w);
}
