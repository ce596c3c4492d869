/* What a task must pass to be called: the rate limits of the model at its backend. A gate for each
 * of a backend's limits; without one, for each model that a candidate names there, and one for the
 * others. Those without a limit are open until the backend says that it has had enough. Pure; times
 * in seconds. */
#ifndef QUERN_GATES_H
#define QUERN_GATES_H
#include "common/config.h"
#include "common/price.h"
#include "pace.h"

enum {
    GATES_MODELS_MAX = 64, /* models beyond share their backend's gate */
    GATES_MAX = CONFIG_BACKENDS_MAX + CONFIG_LIMITS_MAX + GATES_MODELS_MAX,
    GATE_KEY_MAX = 512
};

struct gate {
    size_t backend;
    const struct config_limit *limit; /* NULL: none */
    const char *model;                /* of a gate without a limit; NULL: all others */
    double closed_until;              /* by the backend's word */
    struct pace requests, tokens;
    double usual; /* tokens that a call reserves, lately */
};

struct gates {
    const struct config *config;
    size_t count;
    size_t first[CONFIG_BACKENDS_MAX]; /* gate of a backend's first limit */
    size_t named;                      /* the first of a model */
    struct gate gate[GATES_MAX];
};

void gates_init(struct gates *g, const struct config *c);
/* The gate before this model at this backend. */
size_t gates_find(const struct gates *g, size_t backend, const char *model);
bool gate_is_open(struct gate *g, double now);
/* A call begins that is thought to take so many tokens. */
void gate_begin(struct gate *g, double tokens);
/* It ended, having used so much (NULL: nobody knows; then it is taken to be what was thought). */
void gate_end(struct gate *g, double tokens, const struct usage *u);
/* What to lease, if so many tasks wait before it: seconds of each of its rates. */
void gate_want(struct gate *g, size_t waiting, double now, double *requests, double *tokens);
#endif
