#include "attempt.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"

void attempt_begin(struct task *t)
{
    const struct config_candidate *c = task_candidate(t);
    t->attempts = mem_array(t->attempts, t->attempt_count + 1, sizeof *t->attempts);
    struct attempt *a = &t->attempts[t->attempt_count++];
    *a = (struct attempt){.token = random_u64() >> 1,
                          .number = (int)(t->journey.attempts + (int64_t)t->attempt_count),
                          .backend = c->backend,
                          .model = task_upstream_model(t),
                          .started_us = units_now_us(),
                          .cost = -1,
                          .first_token_ms = -1};
}

void attempt_end(struct attempt *a, const struct error *err)
{
    a->duration_ms = (units_now_us() - a->started_us) / 1000;
    if (!err)
        return;
    a->error = mem_string(err->message);
    memcpy(a->error_type, err->code, sizeof a->error_type);
}

static const struct price *price_of(const struct attempt *a, const struct price_table *prices,
                                    const struct config_backend *b, const struct reply *r)
{
    const struct price *p = prices_find(prices, b, a->model);
    char *name = p ? NULL : json_string_dup(r->model);
    if (name)
        p = prices_find(prices, b, name);
    free(name);
    return p;
}

/* Did an answer begin, of which nobody can say what it used? What is refused with HTTP 200 has used
 * nothing. */
static bool was_answered(const struct attempt *a, const struct reply *r)
{
    static const char *const refusals[] = {"rate_limit",      "overloaded",      "auth",
                                           "quota_exhausted", "invalid_request", "context_length"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strcmp(r->error.code, refusals[i]) == 0)
            return false;
    return a->http_status >= 200 && a->http_status < 300;
}

void attempt_book(struct attempt *a, const struct price_table *prices,
                  const struct config_backend *b, const struct reply *r)
{
    const struct price *p = price_of(a, prices, b, r);
    a->usage = r->usage;
    a->usage.tier = prices_tier(b, &r->usage);
    if (!r->has_usage && (r->success || r->broken || was_answered(a, r)))
        a->cost = -1; /* something was used, and nobody knows how much */
    else if (p)
        a->cost = price_cost(p, &a->usage), a->price_version = price_table_version(prices);
    else if (r->usage.input + r->usage.output == 0)
        a->cost = 0; /* nothing was billed */
    a->unknown_price = !p && a->cost < 0;
}
