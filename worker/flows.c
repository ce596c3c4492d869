#include "flows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/mem.h"

#define MOST_SCALE 1e4 /* an image's url is short, and its tokens are many */

enum {
    REMEMBERED = 32, /* calls */
    FIRST_CALLS = 4, /* that a new tenant's scale counts for: it is that of others */
    MOST_TOKENS = 1 << 30
};

/* ---- tenants -------------------------------------------------------------------------------- */

void tenants_init(struct tenants *ts, const struct config *c)
{
    *ts = (struct tenants){.config = c, .scale.factor = 1};
}

bool tenants_matter(const struct tenants *ts)
{
    return ts->config->fairness.lookahead > 0;
}

void tenant_init(struct tenant *tenant, struct scale scale)
{
    *tenant = (struct tenant){.weight = 1, .scale = scale};
}

void tenant_free(struct tenant *tenant)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct flow *f, *next;
        LL_FOREACH_SAFE2 (tenant->flows[lane], f, next, other)
            free(f);
    }
    free(tenant->name);
}

struct tenant *tenants_find(const struct tenants *ts, const char *name)
{
    struct tenant *found = NULL;
    name = name ? name : "";
    if (ts->by_name)
        HASH_FIND_STR(ts->by_name, name, found);
    return found;
}

static int64_t weight_of(const struct config *c, const char *name)
{
    const struct config_weight *w = c->fairness.weights.items;
    for (size_t i = 0; i < c->fairness.weights.count; i++)
        if (config_matches(w[i].tenant, name))
            return w[i].weight;
    return 1;
}

static struct tenant *add(struct tenants *ts, const char *name)
{
    struct tenant *tenant = mem_zero(sizeof *tenant);
    tenant_init(tenant, (struct scale){ts->scale.factor, FIRST_CALLS});
    tenant->name = mem_string(name ? name : "");
    tenant->weight = weight_of(ts->config, tenant->name);
    HASH_ADD_KEYPTR(hh, ts->by_name, tenant->name, strlen(tenant->name), tenant);
    return tenant;
}

void tenants_enter(struct tenants *ts, struct task *t)
{
    if (!tenants_matter(ts))
        return;
    t->tenant = tenants_find(ts, t->doc.tenant);
    if (!t->tenant)
        t->tenant = add(ts, t->doc.tenant);
    t->tenant->tasks++;
}

void tenants_leave(struct tenants *ts, struct task *t)
{
    struct tenant *tenant = t->tenant;
    if (!tenant || --tenant->tasks > 0)
        return;
    HASH_DEL(ts->by_name, tenant);
    tenant_free(tenant);
    free(tenant);
}

/* By its size alone: four bytes a token, and an answer of usual length. */
static double size_of(const struct task *t)
{
    return (double)t->record_len / 4 + FLOW_OUTPUT;
}

static int64_t estimate(const struct task *t)
{
    return (int64_t)(size_of(t) * t->tenant->scale.factor) + 1;
}

/* The mean of the first calls, then of about as many of the last. */
static void adapt(struct scale *s, double seen)
{
    s->calls += s->calls < REMEMBERED;
    s->factor += (seen - s->factor) / s->calls;
}

/* A backend's word, within reason. */
static int64_t tokens_of(const struct usage *u)
{
    const int64_t most = MOST_TOKENS;
    return (u->input < most ? u->input : most) + (u->output < most ? u->output : most);
}

void tenants_settle(struct tenants *ts, const struct task *t, const struct usage *u, bool learn)
{
    if (!t->tenant || !u)
        return;
    const int64_t used = tokens_of(u);
    if (t->tokens >= 0)
        t->tenant->owed += used - t->tokens;
    if (!learn)
        return;
    const double seen = fmin((double)used / size_of(t), MOST_SCALE);
    adapt(&ts->scale, seen);
    adapt(&t->tenant->scale, seen);
}

struct flow *tenant_flow(struct tenant *tenant, int lane, size_t gate)
{
    struct flow **at = &tenant->flows[lane], *f;
    while ((f = *at) != NULL && f->gate != gate)
        at = &f->other;
    if (f) {
        *at = f->other;
    } else {
        f = mem_zero(sizeof *f);
        f->tenant = tenant;
        f->gate = gate;
    }
    LL_PREPEND2(tenant->flows[lane], f, other); /* it is likely to be asked for again */
    return f;
}

/* ---- turns ---------------------------------------------------------------------------------- */

void flow_push(struct flow **ring, struct flow *f, struct task *t, bool first)
{
    if (!f->tasks)
        CDL_APPEND(*ring, f);
    if (first)
        DL_PREPEND(f->tasks, t);
    else
        DL_APPEND(f->tasks, t);
}

void flow_remove(struct flow **ring, struct flow *f, struct task *t)
{
    DL_DELETE(f->tasks, t);
    if (f->tasks)
        return;
    f->credit = 0; /* nobody saves up while there is nothing to do */
    CDL_DELETE(*ring, f);
}

/* What the next task costs, with what earlier ones left to pay or to be paid back: between half and
 * sixteen times its own, so that others go in between. */
static int64_t cost(const struct flow *f)
{
    const int64_t own = estimate(f->tasks), due = own + f->tenant->owed;
    return due < (own + 1) / 2 ? (own + 1) / 2 : due > 16 * own ? 16 * own : due;
}

static int64_t quantum(const struct flow *f)
{
    return FLOW_QUANTUM * f->tenant->weight;
}

/* Gives all as many rounds as go by without anybody's being able to go: n flows with large tasks
 * would take n times as many turns as the largest has quanta. */
static void skip_rounds(struct flow *ring)
{
    int64_t least = INT64_MAX;
    struct flow *f;
    CDL_FOREACH (ring, f) {
        int64_t lacks = cost(f) - f->credit, rounds = (lacks + quantum(f) - 1) / quantum(f);
        least = rounds < least ? rounds : least;
    }
    CDL_FOREACH (ring, f)
        f->credit += least > 1 ? (least - 1) * quantum(f) : 0;
}

/* The flow whose turn it is, of several. */
static struct flow *next_turn(struct flow *f)
{
    if (f->credit >= cost(f))
        return f;
    skip_rounds(f);
    while (f->credit < cost(f)) {
        f->credit += quantum(f);
        f = f->next;
    }
    return f;
}

struct task *flow_pop(struct flow **ring)
{
    bool alone = (*ring)->next == *ring;
    struct flow *f = *ring = alone ? *ring : next_turn(*ring);
    struct task *t = f->tasks;
    if (alone) { /* it owes nobody anything, nor is it owed */
        f->tenant->owed = 0;
        t->tokens = -1;
    } else {
        int64_t paid = cost(f);
        t->tokens = estimate(t);
        f->credit -= paid;
        f->tenant->owed += t->tokens - paid;
    }
    flow_remove(ring, f, t);
    return t;
}
