#include "meters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/mem.h"

#define SOON 0.02   /* seconds between two questions while tasks wait */
#define RENEW 1.0   /* between renewals of a share */
#define REFUSED 0.2 /* after an answer that gave nothing back to wait for */
#define IDLE 0.3    /* a share that nobody uses is given back after this */

static bool is_rate(const struct meter *m)
{
    return m->kind == LIMIT_REQUESTS || m->kind == LIMIT_TOKENS;
}

/* ---- rules ---------------------------------------------------------------------------------- */

void meters_init(struct meters *ms)
{
    *ms = (struct meters){0};
}

static void free_meter(struct meters *ms, struct meter *m)
{
    if (m->gone)
        DL_DELETE(ms->gone, m); // NOLINT(clang-analyzer-*): m is in that list
    else
        HASH_DEL(ms->by_key, m); // NOLINT(clang-analyzer-*): m is not freed yet
    free(m->key);
    free(m->span);
    free(m);
}

void meters_free(struct meters *ms)
{
    struct meter *m, *next;
    HASH_ITER (hh, ms->by_key, m, next)
        free_meter(ms, m);
    DL_FOREACH_SAFE (ms->gone, m, next)
        free_meter(ms, m);
    limit_rules_free(ms->rules, ms->rule_count);
}

static const struct limit_rule *find_rule(const struct meters *ms, const struct meter *m)
{
    const size_t len = strcspn(m->name, "\x1f");
    for (size_t i = 0; i < ms->rule_count; i++)
        if (strlen(ms->rules[i].name) == len && memcmp(ms->rules[i].name, m->name, len) == 0)
            return &ms->rules[i];
    return NULL;
}

/* A limit that became another kind of one is gone, and a new one may have its name. */
static void follow_rule(struct meters *ms, struct meter *m, const struct limit_rule *r)
{
    m->ask_at = 0;
    if (!r || r->kind != m->kind || r->per != m->per || strcmp(r->span, m->span) != 0) {
        HASH_DEL(ms->by_key, m);
        DL_APPEND(ms->gone, m);
        m->gone = true;
        return;
    }
    m->amount = r->amount;
    m->park = r->park;
}

void meters_set_rules(struct meters *ms, struct limit_rule *rules, size_t count)
{
    struct meter *m, *next;
    limit_rules_free(ms->rules, ms->rule_count);
    ms->rules = rules;
    ms->rule_count = count;
    ms->version++;
    HASH_ITER (hh, ms->by_key, m, next)
        follow_rule(ms, m, find_rule(ms, m));
}

static struct meter *find_meter(struct meters *ms, const struct limit_rule *r, const struct task *t)
{
    char id[UUID_TEXT_LEN + 1];
    char *key = mem_format("%s\x1f%s", r->name, limit_subject(r, &t->doc, t->lane, id));
    struct meter *m;
    HASH_FIND_STR(ms->by_key, key, m);
    if (!m && HASH_COUNT(ms->by_key) < METERS_MAX) {
        m = mem_zero(sizeof *m);
        *m = (struct meter){.key = key,
                            .kind = r->kind,
                            .per = r->per,
                            .amount = r->amount,
                            .park = r->park,
                            .span = mem_string(r->span),
                            .period_end = HUGE_VAL};
        char *border = strchr(key, '\x1f');
        *border = '\0';
        m->name = key;
        m->subject = border + 1;
        *border = '\x1f';
        HASH_ADD_KEYPTR(hh, ms->by_key, m->key, strlen(m->key), m);
        return m;
    }
    free(key);
    return m;
}

static void drop_items(struct quota *q)
{
    size_t kept = 0;
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i].in_use ||
            q->charge_count) /* what was begun by the old rules ends by them */
            q->items[kept++] = q->items[i];
        else
            q->items[i].meter->tasks--;
    }
    q->count = kept;
}

static bool has_meter(const struct quota *q, const struct meter *m)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->items[i].meter == m)
            return true;
    return false;
}

static void add_item(struct meters *ms, struct task *t, const struct limit_rule *r)
{
    struct meter *m = find_meter(ms, r, t);
    if (!m)
        return;
    if (!t->quota)
        t->quota = mem_zero(sizeof *t->quota);
    if (t->quota->count == LIMITS_PER_TASK || has_meter(t->quota, m))
        return;
    m->tasks++;
    t->quota->items[t->quota->count++] = (struct quota_item){.meter = m};
}

bool meters_assign(struct meters *ms, struct task *t)
{
    const struct limit_rule *r;
    size_t at = 0;
    if (ms->rule_count == 0 && !t->quota)
        return false;
    if (t->quota && t->quota->version == ms->version)
        return t->quota->count > 0;
    if (t->quota)
        drop_items(t->quota);
    while ((r = limit_next(ms->rules, ms->rule_count, &at, &t->doc, t->lane)) != NULL)
        add_item(ms, t, r);
    if (t->quota)
        t->quota->version = ms->version;
    return t->quota && t->quota->count > 0;
}

/* ---- tasks ---------------------------------------------------------------------------------- */

/* What is longer than the whole limit passes when all of it is free. */
void quota_need(struct quota *q, int64_t tokens, int64_t pico)
{
    for (size_t i = 0; i < q->count; i++) {
        const struct meter *m = q->items[i].meter;
        const int64_t need = m->kind == LIMIT_TOKENS ? tokens : m->kind == LIMIT_COST ? pico : 1;
        q->items[i].need = m->kind == LIMIT_TOKENS && need > m->amount ? m->amount : need;
    }
}

int64_t meter_room(const struct meter *m, double now)
{
    if (is_rate(m))
        return now < m->permits_until ? m->permits : 0;
    return now < m->granted_until && now < m->period_end ? m->granted - m->in_use : 0;
}

struct meter *quota_blocked(const struct task *t, double now)
{
    const struct quota *q = t->quota;
    for (size_t i = 0; i < q->count; i++) {
        struct meter *m = q->items[i].meter;
        if (!m->gone && ((m->held && !t->waited) || meter_room(m, now) < q->items[i].need))
            return m;
    }
    return NULL;
}

void quota_begin(struct task *t, double now)
{
    struct quota *q = t->quota;
    (void)now;
    if (!q || q->in_call)
        return;
    q->in_call = true;
    for (size_t i = 0; i < q->count; i++) {
        struct quota_item *item = &q->items[i];
        struct meter *m = item->meter;
        if (is_rate(m)) {
            m->permits -= item->need;
            item->bucket = m->bucket;
            continue;
        }
        m->in_use += item->need;
        m->taken += item->need;
        item->in_use += item->need;
        item->period_us = m->period_us;
    }
}

/* To the period in which the call began: there it was reserved. */
static void charge(struct quota *q, const struct quota_item *item, uint64_t token, int64_t pico)
{
    q->charges = mem_array(q->charges, q->charge_count + 1, sizeof *q->charges);
    q->charges[q->charge_count++] = (struct charge){token, item->meter, item->period_us, pico};
}

/* To be taken out of the oldest bucket of those it is from: a count that is too high for a while
 * does no harm. */
static void give_back(struct meter *m, int64_t units, int64_t bucket)
{
    if (units <= 0)
        return;
    m->back_bucket = m->back == 0 || bucket < m->back_bucket ? bucket : m->back_bucket;
    m->back += units;
}

/* Estimates were wrong by this much: more is owed to the rate, less goes back to it. */
static void correct(struct quota_item *item, int64_t used)
{
    if (used > item->need)
        item->meter->debt += used - item->need;
    else
        give_back(item->meter, item->need - used, item->bucket);
    if (item->meter->held && item->meter->back > 0)
        item->meter->ask_at = 0;
}

static void shrink(struct quota_item *item, int64_t by)
{
    item->in_use -= by;
    item->meter->in_use -= by;
}

void quota_end(struct task *t, uint64_t token, int64_t tokens, int64_t pico)
{
    struct quota *q = t->quota;
    if (!q || !q->in_call)
        return;
    q->in_call = false;
    for (size_t i = 0; i < q->count; i++) {
        struct quota_item *item = &q->items[i];
        struct meter *m = item->meter;
        if (m->kind == LIMIT_TOKENS && tokens >= 0)
            correct(item, tokens);
        else if (m->kind == LIMIT_CONCURRENCY)
            shrink(item, item->in_use);
        else if (m->kind == LIMIT_COST) {
            const int64_t cost = pico >= 0 ? pico : item->need;
            shrink(item, item->need - cost);
            if (cost > 0)
                charge(q, item, token, cost);
        }
    }
}

void quota_transfer(struct task *from, struct task *to)
{
    for (size_t i = 0; from->quota && to->quota && i < from->quota->count; i++) {
        struct quota_item *a = &from->quota->items[i], *b = to->quota->items;
        const size_t count = a->meter->kind == LIMIT_COST ? to->quota->count : 0;
        for (size_t k = 0; k < count; k++) {
            if (b[k].meter != a->meter)
                continue;
            b[k].need += a->need;
            b[k].in_use += a->need;
            a->in_use -= a->need; /* the meter's sum stays */
            a->need = 0;
        }
    }
}

void quota_cancel(struct task *t)
{
    struct quota *q = t->quota;
    if (!q || !q->in_call)
        return;
    q->in_call = false;
    for (size_t i = 0; i < q->count; i++) {
        struct quota_item *item = &q->items[i];
        if (is_rate(item->meter))
            give_back(item->meter, item->need, item->bucket);
        else
            shrink(item, item->need);
    }
}

void quota_release(struct meters *ms, struct task *t)
{
    struct quota *q = t->quota;
    (void)ms;
    if (!q)
        return;
    for (size_t i = 0; i < q->count; i++) {
        shrink(&q->items[i], q->items[i].in_use);
        q->items[i].meter->tasks--;
    }
    free(q->charges);
    free(q);
    t->quota = NULL;
}

/* ---- waiting -------------------------------------------------------------------------------- */

void meter_hold(struct meters *ms, struct meter *m, struct task *t)
{
    if (t->waited) /* it was next, and still is */
        DL_PREPEND(m->held, t);
    else
        DL_APPEND(m->held, t);
    t->waited = false;
    m->held_count++;
    ms->held++;
    t->held_by = m;
    if (m->held_count == 1 && !is_rate(m))
        m->ask_at = 0;
}

void meter_unhold(struct meters *ms, struct task *t)
{
    struct meter *m = t->held_by;
    DL_DELETE(m->held, t);
    m->held_count--;
    ms->held--;
    t->held_by = NULL;
}

/* ---- questions ------------------------------------------------------------------------------ */

int64_t meter_need(const struct meter *m, const struct task *t)
{
    for (size_t i = 0; i < t->quota->count; i++)
        if (t->quota->items[i].meter == m)
            return t->quota->items[i].need;
    return 0;
}

bool meter_due(const struct meter *m, double now)
{
    if (m->gone || now < m->ask_at)
        return false;
    if (m->held)
        return true;
    if (is_rate(m))
        return m->debt > 0 || m->back > 0 || (m->permits > 0 && now >= m->permits_until);
    return m->granted > 0 || m->in_use > 0 || m->wanted > 0;
}

/* No more than this is asked for at once: it would not be used before it is void. */
enum { ASK_TASKS_MAX = 4096 };

struct meter_question meter_ask(struct meter *m)
{
    struct meter_question q = {.hold = m->in_use, .bucket = m->back_bucket};
    q.enough = m->held && m->debt == 0 ? meter_need(m, m->held) : 0;
    const struct task *t;
    int64_t sum = 0, tasks = 0;
    DL_FOREACH (m->held, t)
        if (++tasks > ASK_TASKS_MAX || __builtin_add_overflow(sum, meter_need(m, t), &sum))
            break;
    if (is_rate(m)) {
        give_back(m, m->permits, m->bucket); /* those to come are good for longer */
        m->permits = 0;
        q.want = m->debt + sum;
        q.hold = m->back;
        q.bucket = m->back_bucket;
        m->back = 0; /* if the question is lost, the limit counts too much for a while */
        return q;
    }
    q.want = m->in_use + sum + (m->in_use || sum ? m->taken : 0);
    m->taken = 0;
    m->wanted = q.want;
    return q;
}

static void take_permits(struct meter *m, const struct meter_answer *a, double asked)
{
    int64_t paid = a->granted < m->debt ? a->granted : m->debt;
    m->debt -= paid;
    m->permits = a->granted - paid;
    m->bucket = a->mark;
    m->permits_until = asked + (double)a->life_us / 1e6;
}

static void take_share(struct meter *m, const struct meter_answer *a, double asked, double now)
{
    m->granted = a->granted;
    m->granted_until = asked + (double)a->life_us / 2e6; /* well before others may have it */
    m->period_us = a->mark;
    m->period_end = a->ends_us > 0 ? now + (double)a->ends_us / 1e6 : HUGE_VAL;
    m->others = a->others;
}

void meter_answer(struct meter *m, const struct meter_answer *a, double asked, double now)
{
    m->spent = a->used;
    m->amount = a->amount;
    if (is_rate(m)) {
        take_permits(m, a, asked);
        m->ask_at = now + (a->wait_us > 0 ? fmin((double)a->wait_us / 1e6, RENEW) : SOON);
        if (m->permits > 0 && m->permits_until < m->ask_at)
            m->ask_at = m->permits_until; /* what is left over goes back */
        return;
    }
    take_share(m, a, asked, now);
    const bool idle = m->in_use == 0 && !m->held;
    m->ask_at = now + (m->held && meter_room(m, now) > 0 ? SOON
                       : m->held                         ? REFUSED
                       : idle                            ? IDLE
                                                         : RENEW);
    if (m->period_end < m->ask_at)
        m->ask_at = m->period_end + SOON;
}

bool meter_is_spent(const struct meter *m, int64_t need)
{
    return m->kind == LIMIT_COST &&
           (m->amount - m->spent < need || (m->others == 0 && m->in_use == 0 && m->granted < need));
}

/* What was wanted last is known to the other workers as this one's wish until it says otherwise. */
static bool is_unused(const struct meter *m)
{
    return m->tasks == 0 && m->in_use == 0 && m->granted == 0 && m->wanted == 0 &&
           m->permits <= 0 && m->back == 0 && m->debt == 0;
}

void meters_sweep(struct meters *ms)
{
    struct meter *m, *next;
    HASH_ITER (hh, ms->by_key, m, next)
        if (is_unused(m))
            free_meter(ms, m);
    DL_FOREACH_SAFE (ms->gone, m, next)
        if (m->tasks == 0)
            free_meter(ms, m);
}
