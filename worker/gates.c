#include "gates.h"

#include <math.h>
#include <string.h>

#define FIRST_USUAL 1280.0 /* tokens: a body of 4 KiB and its answer */
#define LEARN (1.0 / 32.0) /* weight of the newest call in the estimates */

static void add_models(struct gates *g, const struct config_model *m)
{
    const struct config_candidate *k = m->candidates.items;
    for (size_t i = 0; i < m->candidates.count && g->count < g->named + GATES_MODELS_MAX; i++) {
        const struct config_backend *b = config_backend_find(g->config, k[i].backend);
        const size_t backend =
            (size_t)(b - (const struct config_backend *)g->config->backends.items);
        if (k[i].model && gates_find(g, backend, k[i].model) == backend)
            g->gate[g->count++] = (struct gate){.backend = backend, .model = k[i].model};
    }
}

void gates_init(struct gates *g, const struct config *c)
{
    const struct config_model *m = c->models.items;
    const struct config_backend *b = c->backends.items;
    *g = (struct gates){.config = c, .count = c->backends.count};
    for (size_t i = 0; i < c->backends.count; i++) {
        const struct config_limit *l = b[i].limits.items;
        g->gate[i].backend = i;
        g->first[i] = g->count;
        for (size_t j = 0; j < b[i].limits.count; j++)
            g->gate[g->count++] = (struct gate){.backend = i,
                                                .limit = &l[j],
                                                .requests.rate = (double)l[j].requests / 60.0,
                                                .tokens.rate = (double)l[j].tokens / 60.0,
                                                .usual = FIRST_USUAL};
    }
    g->named = g->count;
    for (size_t i = 0; i < c->models.count; i++)
        add_models(g, &m[i]);
}

size_t gates_find(const struct gates *g, size_t backend, const char *model)
{
    const struct config_backend *b = g->config->backends.items;
    const struct config_limit *l = b[backend].limits.items;
    for (size_t j = 0; j < b[backend].limits.count; j++)
        if (!l[j].model || config_matches(l[j].model, model))
            return g->first[backend] + j;
    for (size_t i = g->named; i < g->count; i++)
        if (g->gate[i].backend == backend && strcmp(g->gate[i].model, model) == 0)
            return i;
    return backend;
}

bool gate_is_open(struct gate *g, double now)
{
    if (now < g->closed_until)
        return false;
    if (!g->limit)
        return true;
    pace_advance(&g->requests, now);
    pace_advance(&g->tokens, now);
    return pace_open(&g->requests) && pace_open(&g->tokens);
}

void gate_begin(struct gate *g, double tokens)
{
    if (!g->limit)
        return;
    pace_take(&g->requests, 1);
    pace_take(&g->tokens, tokens);
    g->usual += LEARN * (tokens - g->usual);
}

void gate_end(struct gate *g, double tokens, const struct usage *u)
{
    if (g->limit && u)
        pace_take(&g->tokens, (double)(u->input + u->output) - tokens);
}

void gate_want(struct gate *g, size_t waiting, double now, double *requests, double *tokens)
{
    pace_advance(&g->requests, now);
    pace_advance(&g->tokens, now);
    if (now < g->closed_until)
        waiting = 0;
    *requests = pace_want(&g->requests, (double)waiting);
    *tokens = pace_want(&g->tokens, (double)waiting * g->usual); /* up to the horizon */
}
