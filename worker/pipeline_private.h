/* Inside the pipeline: pipeline.c has the states, pipeline_call.c when calls begin and what follows
 * from failures, pipeline_http.c one call, pipeline_gates.c the rate limits, pipeline_share.c what
 * answers several tasks, pipeline_quota.c limits, pipeline_save.c
 * what is saved, pipeline_pack.c calls that tasks share, pipeline_end.c what
 * ends tasks from outside (partitions that go away, cancelled jobs, deadlines, stuck heads). */
#ifndef QUERN_PIPELINE_PRIVATE_H
#define QUERN_PIPELINE_PRIVATE_H
#include "breaker.h"
#include "common/route.h"
#include "estimate.h"
#include "guards/guard.h"
#include "guards/seal.h"
#include "leases.h"
#include "meters.h"
#include "metrics.h"
#include "once.h"
#include "pipeline.h"
#include "recent.h"
#include "room.h"

enum { CANCELS_MAX = 4096 };

/* A job that was cancelled while this process runs. */
struct cancel {
    struct uuid job;
    int64_t generation;
    bool lets_finish;
    UT_hash_handle hh;
};

struct pipeline {
    struct ev_loop *loop;
    const struct config *config;
    struct caller *caller;
    struct router *router;
    const struct price_table *prices;
    const struct sink_ops *sink;
    void *sink_arg;
    const struct source_ops *source;
    void *source_arg;
    struct volumes *volumes;
    struct tenants tenants;
    struct lanes lanes;
    struct gates gates;
    struct leases *leases; /* NULL: there are no rate limits */
    ev_timer paced;        /* while there are */
    ev_timer resume;       /* when a gate opens that a backend's word has closed */
    struct limiter limiter;
    struct breaker breakers[CONFIG_BACKENDS_MAX];
    struct retry_policy retry;
    struct once unpriced;                  /* models whose price was missed */
    size_t waiting_max;                    /* tasks that wait in memory, see retry.waiting_tasks */
    size_t answer_bytes, answer_bytes_max; /* of answers that wait to be written */
    size_t stream_bytes, stream_bytes_max; /* of answers that are being put together */
    struct room rooms[POOL_COUNT];
    double owned_until[POOL_COUNT]; /* see pipeline_own() */
    size_t with_deadline;           /* tasks that have one */
    struct task *by_identity;
    struct cancel *cancels;
    struct group *groups; /* tasks by what they ask */
    struct pack *packs;   /* that form */
    struct meters meters;
    struct estimates estimates;
    struct guards *guards;     /* NULL: none */
    struct glossary *glossary; /* NULL: no answer's quality is measured */
    unsigned char seal_key[SEAL_KEY];
    struct metrics metrics;
    struct recent recent;
    int64_t duplicates;  /* tasks whose outcome was found before the call */
    bool limits_unknown; /* no call begins before the limits are read */
    ev_prepare before_wait;
    ev_timer sweep;
    struct pipeline_counts counts;
};

/* The one function that changes a task's state. */
void pipeline_enter(struct pipeline *p, struct task *t, enum task_state state);
/* Takes the task out of what its state put it in; it is in none then. */
void pipeline_leave(struct pipeline *p, struct task *t);
/* Takes a task out of the pipeline; its twins are looked at again. `done`: its outcome, or its
 * parked copy, is durable. */
void pipeline_release(struct pipeline *p, struct task *t, bool done);

/* Ends a task; t->error is filled unless it is a success. */
void pipeline_finish(struct pipeline *p, struct task *t, enum task_status status);
/* Chooses the rule and the first candidate. False: there is none, and t->error says why. */
bool pipeline_find_route(const struct pipeline *p, struct task *t);
/* No candidate is left: ends the task with its last answer, or as failed; t->error says why. */
void pipeline_fail(struct pipeline *p, struct task *t);
/* Moves a task to the retry topic of a tier; t->error says why. */
void pipeline_park(struct pipeline *p, struct task *t, int tier);
/* The task may be called when its turn comes: chooses a candidate that is not out, or parks it. */
void pipeline_ready(struct pipeline *p, struct task *t);
/* True if the task's deadline has passed: it has expired then. */
bool pipeline_expire(struct pipeline *p, struct task *t);
/* Is it older than a task may get whose backends are out? */
bool pipeline_too_old(const struct pipeline *p, const struct task *t);
/* Is its present backend out? */
bool pipeline_is_blocked(const struct pipeline *p, const struct task *t);
/* The cancellation that this task falls under, or NULL. */
const struct cancel *pipeline_cancelled(const struct pipeline *p, const struct task *t);
void pipeline_finish_cancelled(struct pipeline *p, struct task *t);
void pipeline_forget_cancels(struct pipeline *p);

/* The position of the task's present backend in the configuration. */
size_t pipeline_backend(const struct pipeline *p, const struct task *t);
/* Takes the task out of the stage that holds it (a look-up, its lane), before another state. */
void pipeline_pull(struct pipeline *p, struct task *t);

/* In pipeline_http.c. Translates the request. False if the backend's dialect cannot say it: the
 * task went on to its next candidate, or failed; nothing was sent. */
bool pipeline_translate(struct pipeline *p, struct task *t);
/* The task's answer becomes this one (absent: none), on one line. */
void pipeline_keep_response(struct pipeline *p, struct task *t, struct json body);
/* What the task's answer is charged for in answer_bytes. */
size_t pipeline_answer_bytes(const struct task *t);
double pipeline_estimate(struct pipeline *p, struct task *t);
/* What a limit of tokens counts for it until the call has told; at most the bound. */
double pipeline_estimate_most(struct pipeline *p, struct task *t, const struct usage *bound);
void pipeline_start_call(struct pipeline *p, struct task *t);
/* Its answer has passed the guards: it is the result, unless it goes on for a better one. */
void pipeline_accept(struct pipeline *p, struct task *t);
/* Ends the task's call without an answer; the books say `why`. */
void pipeline_abort_call(struct pipeline *p, struct task *t, const char *code, const char *why);

/* In pipeline_share.c. A task comes in, and leaves. */
void pipeline_share_begin(struct pipeline *p, struct task *t);
void pipeline_share_end(struct pipeline *p, struct task *t);
/* Its turn has come. True if it needs no call: the same request is in flight, or has just been
 * answered. */
bool pipeline_share(struct pipeline *p, struct task *t);
/* Its call was answered: so are all that wait here with the same request. */
void pipeline_share_answer(struct pipeline *p, struct task *t);
/* Its call came to nothing: those that waited for it decide anew. */
void pipeline_share_nothing(struct pipeline *p, struct task *t);
/* The look-up found an answer (t->sharing->borrowed), or another worker that is about to have it.
 */
void pipeline_take_cached(struct pipeline *p, struct task *t);
void pipeline_look_later(struct pipeline *p, struct task *t);

/* In pipeline_save.c. Appends the request `body` made shorter, if a rule is for the task and gains.
 */
bool pipeline_compress(struct pipeline *p, struct task *t, struct json body, struct buf *out);
/* It had so many tokens of instructions less to send, as others of its pack sent them. */
void pipeline_packed(struct task *t, int64_t tokens);
/* It was answered by a call (its own or another's) that used and cost so much (-1: unknown): what
 * was saved, if it is reckoned. */
void pipeline_reckon(struct pipeline *p, struct task *t, const struct usage *u, int64_t cost);

/* In pipeline_pack.c. The task may be called: true if it waits for others to share its call. */
bool pipeline_pack(struct pipeline *p, struct task *t);
/* It is out of its pack, before it is called or in flight; it goes on or ends otherwise. */
void pipeline_pack_leave(struct pipeline *p, struct task *t);
/* The request of a whole pack, if this is its first task; else false. */
bool pipeline_pack_body(const struct task *t, struct buf *out);
double pipeline_pack_estimate(const struct task *t);
/* The call of the pack's first task was answered (t->response), or failed: may it pass? */
void pipeline_unpack(struct pipeline *p, struct task *first);
void pipeline_pack_failed(struct pipeline *p, struct task *first, bool passes);
/* Takes a task that is not started from its stage. What it spent so far is still booked. */
void pipeline_drop(struct pipeline *p, struct task *t);

/* In pipeline_guard.c. Looks at a task that has come in. */
void pipeline_guard_ask(struct pipeline *p, struct task *t);
/* True if it must not be called: it has ended. */
bool pipeline_guard_blocks(struct pipeline *p, struct task *t);
/* Appends its request as it may be sent. False: as it is. */
bool pipeline_guard_body(struct pipeline *p, struct task *t, struct buf *out);
/* Looks at its answer (t->response), which may become another. False: it was withheld, and the task
 * has ended. */
bool pipeline_guard_answer(struct pipeline *p, struct task *t);
/* True if a service is asked about its answer first: pipeline_accept() follows, unless it is
 * withheld. */
bool pipeline_moderate(struct pipeline *p, struct task *t);
/* Ends such a call: its answer is not waited for. */
void pipeline_abort_moderation(struct task *t, const char *code, const char *why);
/* Takes what is sensitive out of what a peer said. */
void pipeline_guard_error(const struct task *t, char *message);
/* Before its record is kept or published. */
void pipeline_guard_seal(struct pipeline *p, struct task *t);
/* A record that is no task: what is sensitive in it is overwritten. */
void pipeline_guard_unreadable(struct pipeline *p, struct task *t);
/* If its record is sealed, it has it in clear from now on. */
void pipeline_guard_open(const struct pipeline *p, struct task *t);

/* In pipeline_quality.c. Holds an answer that should be JSON against its schema; it may be mended.
 * False: the task goes on by itself: it is asked for again, or has failed. */
bool pipeline_shape(struct pipeline *p, struct task *t);
/* Appends the request that tells the model what was wrong. False: nothing was. */
bool pipeline_again_body(const struct task *t, struct json body, struct buf *out);
/* Measures its answer. False: another candidate is to give a better one. */
bool pipeline_measure(struct pipeline *p, struct task *t);
/* Goes on to it. */
void pipeline_try_better(struct pipeline *p, struct task *t);

/* In pipeline_judge.c. Its answer is written: it is rated, if a rule says so. */
void pipeline_judge(struct pipeline *p, const struct task *t);
/* The rule of `quality` that holds for the task; NULL: it is not measured. */
const struct config_quality_rule *pipeline_quality_rule(const struct pipeline *p,
                                                        const struct task *t);

/* In pipeline_quota.c. The task's turn has come: may it be called, as far as limits go? If not, it
 * waits for one, or has ended. */
bool pipeline_admit(struct pipeline *p, struct task *t);
/* The same for a part of a shared call, which needs so much more than by itself; what it takes of
 * limits is taken at once. If it may not, it has left its pack, and waits. */
bool pipeline_admit_part(struct pipeline *p, struct task *t, const struct usage *more);

/* In pipeline_gates.c. */
void pipeline_start_gates(struct pipeline *p);
void pipeline_stop_gates(struct pipeline *p);
/* The backend says that a rate limit is used up: no call passes the task's gate for so many seconds
 * (retry.retry_after_max at most). */
void pipeline_pause(struct pipeline *p, const struct task *t, double seconds);

/* In pipeline_call.c. */
void pipeline_dispatch(struct pipeline *p);
/* Tasks that wait in memory: for a short retry, for a backend that is out, or for a limit. */
size_t pipeline_count_waiting(const struct pipeline *p);
/* The position of the candidate after that one that may see the task; the count: there is none. */
size_t pipeline_candidate_after(const struct pipeline *p, const struct task *t, size_t candidate);
/* Is there another candidate? */
bool pipeline_has_next(const struct pipeline *p, const struct task *t);
void pipeline_next_candidate(struct pipeline *p, struct task *t);
/* An attempt failed, and t->error says how. */
void pipeline_after_failure(struct pipeline *p, struct task *t, const struct call_result *r);
/* That of the task's present backend. */
struct breaker *pipeline_breaker(struct pipeline *p, const struct task *t);
/* In pipeline_end.c: the timer that looks at what waits. */
void pipeline_sweep(struct ev_loop *loop, ev_timer *timer, int events);
#endif
