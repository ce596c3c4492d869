/* Tasks that ask the same: one call answers them all. Those of one worker form a group; its leader
 * is the one that is called. Between workers a short lease does the same (lookup.c). */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "common/mem.h"
#include "pipeline_private.h"
#include "sharing.h"

#define LOOK_AGAIN_AFTER 0.5 /* seconds */

/* The tasks of this worker whose requests have the same key. */
struct group {
    UT_hash_handle hh;
    unsigned char key[CANON_DIGEST];
    struct task *tasks;
    struct task *leader; /* that was called last, while it is here */
};

void pipeline_share_begin(struct pipeline *p, struct task *t)
{
    const struct config_cache_rule *rule = sharing_rule(p->config, &t->doc, t->lane);
    struct sharing s = {.config = p->config, .rule = rule};
    if (t->sharing || !rule || !pipeline_find_route(p, t) ||
        !sharing_key(p->config, rule, &t->doc, t->lane, s.model = task_upstream_model(t), s.key))
        return;
    HASH_FIND(hh, p->groups, s.key, sizeof s.key, s.group);
    if (!s.group) {
        s.group = mem_zero(sizeof *s.group);
        memcpy(s.group->key, s.key, sizeof s.key);
        HASH_ADD(hh, p->groups, key, sizeof s.group->key, s.group);
    }
    t->sharing = mem_alloc(sizeof s);
    *t->sharing = s;
    DL_APPEND2(s.group->tasks, t, group_prev, group_next);
}

void pipeline_share_end(struct pipeline *p, struct task *t)
{
    struct group *g = t->sharing ? t->sharing->group : NULL;
    if (!g)
        return;
    DL_DELETE2(g->tasks, t, group_prev, group_next);
    t->sharing->group = NULL;
    if (g->leader == t)
        g->leader = NULL;
    if (g->tasks)
        return;
    HASH_DEL(p->groups, g);
    free(g);
}

/* Who holds an answer is charged for it; who shares it is not. */
size_t pipeline_answer_bytes(const struct task *t)
{
    return t->sharing && t->sharing->source == SOURCE_SHARED ? 0 : t->response_len;
}

/* The task has this answer, and no call. */
static void finish_with(struct pipeline *p, struct task *t, struct borrowed *b,
                        enum answer_source source)
{
    t->sharing->borrowed = b;
    t->sharing->source = source;
    t->response = b->text;
    t->response_len = b->len;
    t->http_status = 200;
    p->answer_bytes += pipeline_answer_bytes(t);
    pipeline_reckon(p, t, &b->usage, b->cost);
    (void)pipeline_measure(p, t);
    pipeline_finish(p, t, STATUS_SUCCEEDED);
}

static void share_with(struct pipeline *p, struct task *t, struct borrowed *b)
{
    b->holders++;
    finish_with(p, t, b, SOURCE_SHARED);
}

/* Of a leader whose answer is being written, and whole; else NULL. */
static struct borrowed *answer_of(const struct task *leader)
{
    return leader->state == TASK_SETTLING && leader->status == STATUS_SUCCEEDED
               ? leader->sharing->borrowed
               : NULL;
}

static bool is_in_flight(const struct task *t)
{
    return t->state == TASK_CALLING || t->state == TASK_PACKING || t->state == TASK_RIDING;
}

bool pipeline_share(struct pipeline *p, struct task *t)
{
    if (!t->sharing || !t->sharing->rule->coalesce)
        return false;
    struct group *g = t->sharing->group;
    struct task *leader = g->leader;
    if (leader && leader != t && is_in_flight(leader)) {
        pipeline_enter(p, t, TASK_SHARING);
        return true;
    }
    if (leader && leader != t && answer_of(leader)) {
        share_with(p, t, leader->sharing->borrowed);
        return true;
    }
    g->leader = t;
    return false;
}

static bool waits(const struct task *t)
{
    return t->state == TASK_READY || t->state == TASK_SHARING || t->state == TASK_HELD ||
           t->state == TASK_WAITING;
}

/* What the leader was answered, for others to hold too. */
static struct borrowed *lend(struct task *t)
{
    char id[UUID_TEXT_LEN + 1];
    const struct attempt *a = task_last_attempt(t);
    char *name = mem_format("%s/%s", uuid_format(&t->doc.job_id, id), t->doc.custom_id);
    struct borrowed *b = borrowed_new(t->response, t->response_len, a->backend, a->model, name);
    free(name);
    b->usage = a->usage;
    b->cost = a->cost;
    t->sharing->borrowed = b;
    return b;
}

void pipeline_share_answer(struct pipeline *p, struct task *t)
{
    struct task *other, *next;
    if (!t->sharing || !t->sharing->rule->coalesce || t->sharing->group->leader != t)
        return;
    if (!t->response || !sharing_is_whole(json_root(t->response, t->response_len))) {
        pipeline_share_nothing(p, t);
        return;
    }
    struct borrowed *b = lend(t);
    DL_FOREACH_SAFE2 (t->sharing->group->tasks, other, next, group_next) {
        if (other == t || !waits(other) || !other->sharing->rule->coalesce)
            continue;
        pipeline_pull(p, other);
        share_with(p, other, b);
    }
}

void pipeline_share_nothing(struct pipeline *p, struct task *t)
{
    struct task *other, *next;
    if (!t->sharing || t->sharing->group->leader != t)
        return;
    t->sharing->group->leader = NULL;
    DL_FOREACH_SAFE2 (t->sharing->group->tasks, other, next, group_next) {
        if (other->state != TASK_SHARING)
            continue;
        pipeline_leave(p, other);
        pipeline_ready(p, other);
    }
}

void pipeline_take_cached(struct pipeline *p, struct task *t)
{
    struct borrowed *b = t->sharing->borrowed;
    t->sharing->borrowed = NULL;
    if (p->answer_bytes >= p->answer_bytes_max) { /* it is still there when these are written */
        borrowed_drop(b);
        pipeline_look_later(p, t);
        return;
    }
    finish_with(p, t, b, SOURCE_CACHED);
}

static void on_look_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct task *t = timer->data;
    (void)loop;
    (void)events;
    if (!pipeline_expire(t->pipeline, t))
        pipeline_enter(t->pipeline, t, TASK_CHECKING);
}

void pipeline_look_later(struct pipeline *p, struct task *t)
{
    pipeline_leave(p, t);
    ev_timer_init(&t->timer, on_look_again, LOOK_AGAIN_AFTER, 0.);
    t->timer.data = t;
    pipeline_enter(p, t, TASK_WAITING);
}
