#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_private.h"
#include "common/units.h"
#include "ratelimit.h"

enum { TEXT_MAX = 128 };

static const char *describe(const struct call *c, CURLcode code, bool connected, char *out,
                            size_t size)
{
    const char *limit = connected ? "whole answer within timeout.total"
                                  : "connection within "
                                    "timeout.connect";
    int64_t ms = connected ? c->timeout.total : c->timeout.connect;
    if (c->fault)
        return c->fault;
    if (code != CURLE_OPERATION_TIMEDOUT)
        return curl_easy_strerror(code);
    (void)snprintf(out, size, "no %s (%lld ms)", limit, (long long)ms);
    return out;
}

static void set_failure(const struct call *c, CURLcode code, struct call_result *r)
{
    char text[TEXT_MAX];
    curl_off_t connected = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    r->unreached = connected == 0;
    const char *type = c->late || code == CURLE_OPERATION_TIMEDOUT ? "timeout"
                       : c->fault                                  ? "malformed_response"
                                                                   : "network";
    (void)error_set(&r->error, ERROR_RETRY, type, "backend \"%s\" (%s): %s",
                    c->endpoint->backend->name, c->url,
                    describe(c, code, connected != 0, text, sizeof text));
}

/* retry-after-ms, else Retry-After (seconds or a date), else -1. */
static int64_t retry_after(CURL *easy)
{
    struct curl_header *h;
    curl_off_t seconds = 0;
    enum { DAY_MS = 86400000 };
    if (curl_easy_header(easy, "retry-after-ms", 0, CURLH_HEADER, -1, &h) == CURLHE_OK) {
        char *end;
        long long ms = strtoll(h->value, &end, 10);
        if (end != h->value && ms >= 0)
            return ms > DAY_MS ? DAY_MS : ms;
    }
    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
        return -1;
    return seconds > DAY_MS / 1000 ? DAY_MS : seconds * 1000;
}

/* For one more call like it, at four bytes a token. */
static double used_up(CURL *easy, size_t body)
{
    struct ratelimit limits = {0};
    struct curl_header *h = NULL;
    while ((h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h)) != NULL)
        if (strcasestr(h->name, "ratelimit"))
            ratelimit_header(&limits, h->name, h->value, units_now_us());
    return ratelimit_wait(&limits, (double)body / 4);
}

void call_read_result(const struct call *c, CURLcode code, struct call_result *r)
{
    *r = (struct call_result){.retry_after_ms = -1, .token = c->token};
    if (code != CURLE_OK) {
        set_failure(c, code, r);
        return;
    }
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &r->http_status);
    r->body = c->response.data;
    r->len = c->response.len;
    r->used_up = used_up(c->easy, c->body.len);
    if (r->http_status >= 400)
        r->retry_after_ms = retry_after(c->easy);
}
