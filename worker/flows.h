/* Whose turn it is among tenants. Each tenant's tasks that wait before a gate of a lane are a flow;
 * the flows there take turns by deficit round robin (Shreedhar and Varghese, 1996): each turn gives
 * a flow FLOW_QUANTUM tokens times the tenant's weight, and its tasks go while that lasts. So a
 * tenant with few tasks goes as often as one with many, and short requests as well as long ones.
 * Without `fairness` in the configuration all tasks are one tenant's, and go in order. Pure. */
#ifndef QUERN_FLOWS_H
#define QUERN_FLOWS_H
#include "common/config.h"
#include "task.h"

enum {
    FLOW_QUANTUM = 64, /* tokens: less than a usual request, for small steps */
    FLOW_OUTPUT = 256  /* tokens of an answer, before it is known */
};

/* Tokens that calls took, by what their size alone told. */
struct scale {
    double factor;
    int calls; /* that it was learned from, up to those that it remembers */
};

struct flow {
    struct flow *prev, *next; /* in the ring of those that have tasks there */
    struct flow *other;       /* of the same tenant and lane */
    struct tenant *tenant;
    size_t gate;
    struct task *tasks;
    int64_t credit; /* tokens */
};

struct tenant {
    UT_hash_handle hh;
    char *name; /* "": of tasks that name none */
    int64_t weight;
    struct scale scale;         /* learned from its own calls, beginning with that of all */
    size_t tasks;               /* in the worker; with the last of them the tenant is forgotten */
    size_t waiting[LANE_COUNT]; /* of those, not called yet */
    int64_t owed;               /* tokens that its calls took beyond what was thought */
    struct flow *flows[LANE_COUNT];
};

struct tenants {
    const struct config *config;
    struct tenant *by_name;
    struct scale scale; /* learned from all calls */
};

void tenants_init(struct tenants *ts, const struct config *c);
/* Is there a difference between tenants at all? */
bool tenants_matter(const struct tenants *ts);
/* The tenant of that name (NULL: "") or, if it has no task here, NULL. */
struct tenant *tenants_find(const struct tenants *ts, const char *name);
/* A task comes in, which gets its tenant, and leaves. Nothing if none matters. */
void tenants_enter(struct tenants *ts, struct task *t);
void tenants_leave(struct tenants *ts, struct task *t);
/* The call of a task took so many tokens (NULL: nobody knows): the difference to what was thought
 * counts in the tenant's next turns. `learn`: an answer came whole, so estimates learn from it. */
void tenants_settle(struct tenants *ts, const struct task *t, const struct usage *u, bool learn);

void tenant_init(struct tenant *tenant, struct scale scale);
/* What it owns, not itself. */
void tenant_free(struct tenant *tenant);
/* The tenant's flow before a gate of a lane; made if there is none. */
struct flow *tenant_flow(struct tenant *tenant, int lane, size_t gate);

/* A task joins its flow, which joins the ring if it was empty. `first`: before the others. */
void flow_push(struct flow **ring, struct flow *f, struct task *t, bool first);
void flow_remove(struct flow **ring, struct flow *f, struct task *t);
/* Takes the task whose turn it is from a ring that is not empty. */
struct task *flow_pop(struct flow **ring);
#endif
