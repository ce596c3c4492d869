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

void attempt_book(struct attempt *a, const struct price_table *prices,
                  const struct config_backend *b, const struct reply *r)
{
    const struct price *p = price_of(a, prices, b, r);
    a->usage = r->usage;
    a->usage.tier = prices_tier(b, &r->usage);
    if (r->unknown_use)
        a->cost = -1;
    else if (p)
        a->cost = price_cost(p, &a->usage), a->price_version = price_table_version(prices);
    else if (r->usage.input + r->usage.output == 0)
        a->cost = 0; /* nothing was billed */
    a->unknown_price = !p && a->cost < 0;
}
