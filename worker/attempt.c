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

/* What the attempt cost: by the name that was asked for, else by the one that the answer gives. */
void attempt_book(struct attempt *a, const struct price_table *prices, const struct reply *r)
{
    const struct rates *rates = price_find(prices, a->model);
    a->usage = r->usage;
    if (!rates && r->model.p) {
        char *name = json_string_dup(r->model);
        rates = name ? price_find(prices, name) : NULL;
        free(name);
    }
    if (!r->has_usage && (r->success || r->broken))
        a->cost = -1; /* something was used, and nobody knows how much */
    else if (rates)
        a->cost = price_cost(rates, &r->usage), a->price_version = price_table_version(prices);
    else if (r->usage.input + r->usage.output == 0)
        a->cost = 0; /* nothing was billed */
}
