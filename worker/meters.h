/* Limits in the worker: which ones hold for a task, what of them this worker may use now, and which
 * tasks wait for more. quota.c asks PostgreSQL for shares; this part is pure. Times are seconds of
 * the loop's clock.
 *
 * A limit counts for each subject of it (a tenant, a user …) apart: that is a meter. Meters of
 * rates give permits, which are used up and soon void; those of concurrency and of budgets give
 * shares, which come back when a call ends, or when its cost is written. */
#ifndef QUERN_METERS_H
#define QUERN_METERS_H
#include "common/limits.h"
#include "task.h"

enum { LIMITS_PER_TASK = 8, METERS_MAX = 100000 };

struct meter {
    UT_hash_handle hh;         /* unless it is gone */
    struct meter *prev, *next; /* of those that are */
    char *key;                 /* name, \x1f, subject */
    const char *name, *subject;
    enum limit_kind kind;
    enum limit_axis per;
    int64_t amount;
    char *span;
    bool park, gone; /* gone: its limit is, or became another; it lets everything pass */
    size_t tasks;    /* that it holds for */
    struct task *held;
    size_t held_count;
    /* A rate's. */
    int64_t permits, bucket, debt; /* debt: used beyond what was given */
    double permits_until;
    int64_t back, back_bucket; /* not used in time, to be given back */
    /* A share. */
    int64_t granted, in_use, taken; /* taken: since it was asked last */
    int64_t wanted;                 /* when it was; others leave it room for that */
    double granted_until, period_end;
    int64_t period_us;     /* when the budget's period began; 0: it has none */
    int64_t spent, others; /* as told last */
    double ask_at;
};

/* What a task has of a meter. */
struct quota_item {
    struct meter *meter;
    int64_t need;      /* of its next call */
    int64_t in_use;    /* of the share, all its calls together */
    int64_t bucket;    /* of the rate, in which its last call was counted */
    int64_t period_us; /* of the budget, in which its last call began */
};

/* An attempt counted against a budget. */
struct charge {
    uint64_t token;
    const struct meter *meter;
    int64_t period_us, pico;
};

struct quota {
    unsigned version; /* of the rules that it was made by */
    size_t count;
    struct quota_item items[LIMITS_PER_TASK];
    struct charge *charges;
    size_t charge_count;
    bool in_call;
};

struct meters {
    struct limit_rule *rules;
    size_t rule_count;
    unsigned version;
    struct meter *by_key, *gone;
    size_t held; /* tasks that wait, in all */
};

void meters_init(struct meters *ms);
void meters_free(struct meters *ms);
/* Takes over a new list of rules, in their order (kind, per, span, rank, name). */
void meters_set_rules(struct meters *ms, struct limit_rule *rules, size_t count);

/* Finds the task's meters, if it has none by the present rules. False: no limit holds for it. */
bool meters_assign(struct meters *ms, struct task *t);
/* The needs of its next call: `tokens` as estimated, `pico` as the upper bound of its cost. */
void quota_need(struct quota *q, int64_t tokens, int64_t pico);
/* The first meter that does not let the task pass now; NULL: it may be called. A task that has not
 * waited does not pass those that do. */
struct meter *quota_blocked(const struct task *t, double now);
/* Its call begins. */
void quota_begin(struct task *t, double now);
/* Its call ended: with these tokens (-1: unknown) and cost in pico-dollars (-1: unknown, then what
 * was reserved is charged). */
void quota_end(struct task *t, uint64_t token, int64_t tokens, int64_t pico);
/* The task leaves a call that it shares with `to`, which now answers for what was reserved. */
void quota_transfer(struct task *from, struct task *to);
/* It begins no call after all. */
void quota_cancel(struct task *t);
/* The task leaves: what it cost is written, or it never will be. */
void quota_release(struct meters *ms, struct task *t);

/* The task waits for the meter, and does not any more. */
void meter_hold(struct meters *ms, struct meter *m, struct task *t);
void meter_unhold(struct meters *ms, struct task *t);

/* Is the meter's question due? */
bool meter_due(const struct meter *m, double now);
/* What to ask: units wanted; what the first call needs, without which more is of no use; those in
 * use or, of a rate, those that go back, and their bucket. */
struct meter_question {
    int64_t want, enough, hold, bucket;
};
struct meter_question meter_ask(struct meter *m);
/* The answer, which was asked at `asked`. */
struct meter_answer {
    int64_t granted, life_us, mark, ends_us, used, others, amount, wait_us;
};
void meter_answer(struct meter *m, const struct meter_answer *a, double asked, double now);
/* What is left of it for calls. */
int64_t meter_room(const struct meter *m, double now);
/* Can this need never be met in this period, as nothing that is in use would come back for it? */
bool meter_is_spent(const struct meter *m, int64_t need);
/* The need of a task that waits for this meter. */
int64_t meter_need(const struct meter *m, const struct task *t);
/* Drops meters that hold for no task and have nothing to give back. */
void meters_sweep(struct meters *ms);
#endif
