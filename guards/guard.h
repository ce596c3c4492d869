/* Guards: what is looked for in the texts of a task, before its call and in its answer, and what is
 * done about it. Each guard is behind one const vtable; rules of the configuration say which of
 * them hold for a task. Pure: no I/O; one thread. */
#ifndef QUERN_GUARD_H
#define QUERN_GUARD_H
#include "common/config.h"
#include "common/task_doc.h"
#include "common/texts.h"
#include "guards/injection.h"
#include "guards/mask.h"
#include "guards/sensitive.h"

enum {
    GUARD_EVENTS_MAX = 1000,
    GUARD_SPANS_MAX = 64,
    GUARD_CANARY = 17
}; /* of one task; spans of one event */

/* What one guard found in one text. */
struct guard_finding {
    struct spans spans; /* in order, without overlaps */
    double score;       /* 0: nothing */
    char reasons[256];  /* "email, iban" */
};

/* A verdict that is kept: a row of guard_events. */
struct guard_event {
    const char *guard, *action, *direction; /* static */
    double score;
    char *reasons;
    char *spans; /* JSON: [{"kind", "from", "to", "hash"}], offsets in bytes of its text */
};

/* What the guards say of a task. */
struct guarded {
    struct guard_event *events;
    size_t event_count;
    struct mask mask;
    bool looked;               /* its question was looked through for what is sensitive */
    bool noted;                /* the mask has all of that */
    bool blocked;              /* it is not called, or its answer is withheld */
    bool private;              /* private backends only */
    bool changed;              /* its request is not sent as it is */
    char canary[GUARD_CANARY]; /* that the request has in its instructions; "": none */
    char why[320];             /* of what is blocked: "injection: override, prompt_leak" */
};

struct guards; /* the rules, ready for use */

/* NULL (and `err` unset): no guards are configured. NULL and `err`: a list cannot be read. Borrows
 * `c`. */
MUST_CHECK struct guards *guards_new(const struct config *c, struct error *err);
void guards_free(struct guards *g);

/* Looks at a task's request; fills `out`, which was zero. */
void guards_ask(struct guards *g, const struct task_doc *d, int lane, struct guarded *out);
/* Is anything looked for in the answer of such a task? */
bool guards_watch_answers(const struct guards *g, const struct task_doc *d, int lane);
/* Appends the request as it may be sent: with placeholders, and without what is stripped. `kept`:
 * as it may be kept where it can be read: with placeholders for all that is sensitive. */
void guards_rewrite(struct guards *g, const struct task_doc *d, int lane, struct guarded *state,
                    bool kept, struct buf *out);
/* Looks at an answer (checked JSON). Appends it as it may be kept: with placeholders resolved, and
 * what is masked or stripped gone. False: it is as it was. state->blocked: it must be withheld. */
bool guards_answer(struct guards *g, const struct task_doc *d, int lane, struct guarded *state,
                   struct json answer, struct buf *out);
/* The rule by which a service is asked about the task's answer; NULL: none. */
const struct config_guard_rule *guards_moderation(const struct guards *g, const struct task_doc *d,
                                                  int lane);
/* Reads what it said (JSON; NULL: it gave no answer): a verdict is kept, and the answer withheld,
 * as the rule says. */
void guards_moderated(struct guarded *state, const struct config_guard_rule *rule,
                      const struct json *said);
/* Overwrites what is sensitive in a record that is no task. */
void guards_scrub(struct guards *g, char *text, size_t len);
void guarded_free(struct guarded *s);
#endif
