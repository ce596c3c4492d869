#include "common/route.h"

#include <string.h>

#include "common/hash.h"

enum {
    BYTES_PER_TOKEN = 4,
    SIMPLE_TOKENS = 500,
    SIMPLE_MESSAGES = 2,
    COMPLEX_TOKENS = 4000,
    COMPLEX_MESSAGES = 8
};

static size_t count_messages(struct json messages)
{
    struct json item;
    size_t pos = 0, n = 0;
    while (json_is(messages, '[') && json_next_item(messages, &pos, &item)) {
        struct json role = json_get(item, "role");
        n += !json_equals(role, "system") && !json_equals(role, "developer");
    }
    return n;
}

static bool is_filled_list(struct json v)
{
    struct json item;
    size_t pos = 0;
    return json_is(v, '[') && json_next_item(v, &pos, &item);
}

enum complexity route_estimate(struct json body, int64_t input_tokens)
{
    static const char *const names[] = {"messages", "tools", "response_format"};
    struct json m[3];
    json_get_all(body, names, m, 3);
    size_t messages = count_messages(m[0]);
    bool tools = is_filled_list(m[1]);
    bool schema = json_equals(json_get(m[2], "type"), "json_schema");
    if (input_tokens > COMPLEX_TOKENS || (tools && schema) || messages > COMPLEX_MESSAGES)
        return COMPLEXITY_COMPLEX;
    return input_tokens < SIMPLE_TOKENS && messages <= SIMPLE_MESSAGES && !tools && !schema
               ? COMPLEXITY_SIMPLE
               : COMPLEXITY_MODERATE;
}

enum complexity route_complexity(const struct route_ask *a)
{
    return a->complexity ? a->complexity : route_estimate(a->body, a->input_tokens);
}

static unsigned share_of(const struct task_doc *d)
{
    uint64_t h = hash_add(HASH_START, &d->job_id, sizeof d->job_id);
    h = hash_add(h, d->custom_id, strlen(d->custom_id));
    h ^= h >> 32; /* the low bits of similar ids are alike */
    return (unsigned)(h % ROUTE_SHARES);
}

void route_ask(const struct task_doc *d, int lane, const struct volumes *today,
               struct route_ask *out)
{
    *out = (struct route_ask){.model = d->model,
                              .tenant = d->tenant,
                              .feature = d->feature,
                              .lane = lane,
                              .input_tokens = (int64_t)d->body.len / BYTES_PER_TOKEN,
                              .complexity = d->wishes.complexity,
                              .body = d->body,
                              .share = share_of(d),
                              .today = volumes_get(today, d->model)};
}

static bool fits(const char *pattern, const char *value)
{
    return !pattern || (value && config_matches(pattern, value));
}

const char *route_mismatch(const struct config_model *m, const struct route_ask *a)
{
    const struct config_when *w = &m->when;
    if (!config_matches(m->name, a->model))
        return "name";
    if (!fits(w->tenant, a->tenant))
        return "tenant";
    if (!fits(w->feature, a->feature))
        return "feature";
    if (w->lane && w->lane - 1 != a->lane)
        return "lane";
    if (w->complexity && w->complexity != (int64_t)route_complexity(a))
        return "complexity";
    if (a->input_tokens < w->input_min || (w->input_max && a->input_tokens > w->input_max))
        return "input_tokens";
    if (a->today.requests < w->day_requests || a->today.tokens < w->day_tokens ||
        a->today.cost < w->day_cost)
        return "volume of the day";
    if ((int64_t)a->share * 100 >= w->percent * ROUTE_SHARES)
        return "percent";
    return NULL;
}

const struct config_model *route_find(const struct config *c, const struct route_ask *a)
{
    const struct config_model *m = c->models.items;
    for (size_t i = 0; i < c->models.count; i++)
        if (!route_mismatch(&m[i], a))
            return &m[i];
    return NULL;
}

size_t route_candidate(const struct config *c, const struct config_model *m, size_t from,
                       bool sensitive)
{
    const struct config_candidate *k = m->candidates.items;
    while (from < m->candidates.count && sensitive &&
           !config_backend_find(c, k[from].backend)->is_private)
        from++;
    return from;
}
