/* A task inside the worker, and what became of it. */
#ifndef QUERN_TASK_H
#define QUERN_TASK_H
#include <ev.h>
#include <uthash.h>

#include "common/config.h"
#include "common/error.h"
#include "common/journey.h"
#include "common/price.h"
#include "common/task_doc.h"
#include "common/window.h"

/* The states in order; pipeline.c has the picture and the one function that changes them. The
 * state says which list holds the task (through prev and next). */
enum task_state {
    TASK_CHECKING, /* is there a result already?        list: settle's look-ups */
    TASK_TWIN,     /* waits for a task of the same id   list: that task's twins */
    TASK_READY,    /* waits for its turn                list: its lane */
    TASK_SHARING,  /* waits for another's answer to the same request   none: its group has it */
    TASK_PACKING,  /* waits for others to share its call   none: its pack has it */
    TASK_RIDING,   /* its call is that of its pack's first  likewise */
    TASK_HELD,     /* a limit is used up               list: its meter's */
    TASK_CALLING,  /* a backend has it                  none: the call has it */
    TASK_WAITING,  /* a short retry is due later        none: its timer has it */
    TASK_SETTLING, /* the result is being written       list: settle's results */
    TASK_BURYING,  /* the dead letter is on its way     none: the producer has it */
    TASK_PARKING,  /* its copy goes to a retry topic    none: the producer has it */
    TASK_STATES
};

enum task_status {
    STATUS_NONE, /* no outcome: the task was given up by this worker, only its books are written */
    STATUS_SUCCEEDED,
    STATUS_FAILED,
    STATUS_CANCELLED,
    STATUS_EXPIRED,
    STATUS_DEGRADED,
    STATUS_BLOCKED, /* by a guard: no call was made, or its answer is withheld */
    STATUS_PARKED   /* no outcome yet: a copy of the record is to go to a retry topic */
};
extern const char *const task_status_names[];
/* Is it an outcome? */
bool task_status_is_final(enum task_status s);
/* A dead letter belongs to every final status that is no success. */
bool task_status_is_success(enum task_status s);

/* A partition as the pipeline sees it; the source makes it, and frees it once it is released and no
 * task refers to it. */
struct partition {
    char *topic;
    int32_t number;
    int lane; /* of its topic; -1: a retry topic, where the record tells */
    int pool; /* the bound that its tasks count against: a lane, or LANE_COUNT: the retries */
    struct window window;
    struct task *tasks; /* all that came from here (through partition_prev, partition_next) */
    bool revoked;       /* it is to be given back: what is not started was dropped */
    bool released;      /* it was given back: nothing is committed for it any more */
};

/* What one attempt came to, for the books. */
struct attempt {
    uint64_t token;              /* drawn afresh for each call */
    int number;                  /* from 1 */
    const char *backend, *model; /* borrowed from the configuration or the task */
    long http_status;
    char error_type[ERROR_CODE_MAX]; /* "": success */
    char *error;                     /* message; NULL: success */
    struct usage usage;
    int64_t cost;              /* pico-dollars; -1: not known */
    const char *price_version; /* by which it was computed; borrowed; NULL: none was */
    bool unknown_price;        /* for want of a price */
    bool aside;                /* asks about an answer, and gives none */
    bool counted;              /* in the metrics */
    int64_t started_us, duration_ms;
    uint64_t pack;          /* token of the call that it was a part of; 0: it was a whole one */
    int64_t first_token_ms; /* since its start; -1: the answer was not streamed, or none came */
};

/* Sums over attempts. The cost is known only if that of each attempt is. */
struct spent {
    struct usage usage;
    int64_t cost; /* pico-dollars */
    bool unpriced;
    int64_t started_us; /* of the first; 0: there was none */
};

/* What an answer did not cost, in pico-dollars; see the kinds of `savings`. */
struct saved {
    size_t cut;                    /* bytes that compression took from its request */
    int64_t packed_tokens, packed; /* of instructions that others sent too */
    int64_t tokens, compressed;    /* of input, that it took; what they would have cost */
    int64_t baseline, routed;      /* at the declared baseline; less what the chosen model costs */
    int64_t baseline_tokens;
    bool reckoned, priced; /* the rest is known; the prices too */
    bool has_baseline;
};

struct pipeline;
struct tenant;
struct sharing;
struct quota;
struct pack;
struct meter;
struct estimate;
struct guarded;

/* An answer that had not the shape that was asked for: the next call tells the model. */
struct again {
    char *answer;
    char why[sizeof((struct error *)0)->message];
    int tries; /* with this candidate */
};

/* What was measured of an answer; see guards/quality.h. */
struct measured {
    int completion;                           /* enum completion */
    bool source;                              /* the next three are known */
    double relevance, coverage, groundedness; /* 0 to 1 */
    int64_t claims;
    char *unsupported; /* JSON: [{"kind", "text"}] */
};

struct task {
    struct task *prev, *next;
    struct task *partition_prev, *partition_next;
    UT_hash_handle hh; /* by identity: job_id and custom_id */
    enum task_state state;

    struct pipeline *pipeline; /* that it is in */
    struct partition *partition;
    uint64_t number; /* in the partition's window */
    int64_t offset;
    int lane;
    struct tenant *tenant; /* NULL: tenants do not matter, see flows.h */
    int64_t tokens;        /* that its tenant was charged for its call before it; -1: none was */
    int64_t received_us;
    struct journey journey; /* as the record tells it */
    struct journey copy;    /* STATUS_PARKED: of the copy to be published */
    int tier;               /* and its retry topic */
    struct spent before;    /* by earlier copies */

    char *record; /* as it came, opened if it was sealed; owned */
    size_t record_len;
    char *sealed; /* what is kept and published of it instead; NULL: itself */
    size_t sealed_len;
    struct measured *measured; /* NULL: nothing */
    bool misshapen;            /* its answer should be JSON of a schema, and is not */
    struct again *again;       /* NULL: its answers had their shape */
    struct guarded *guarded;   /* what guards say of it, see guards/guard.h; NULL: nothing */
    bool readable;
    struct task_doc doc; /* if readable; its body points into `record` */
    char *identity; /* job_id (16 bytes) and custom_id; NULL while it is not the one in charge */
    size_t identity_len;
    struct task *twins;

    struct sharing *sharing;              /* see sharing.h; NULL: it has its own call */
    struct task *group_prev, *group_next; /* tasks with the same request */
    struct saved *saved;                  /* what its answer did not cost; NULL: nothing */
    struct pack *pack;                    /* that shares a call; NULL: none */
    struct task *pack_prev, *pack_next;
    size_t pack_number;    /* of its item in the shared request, from 1 */
    int pack_failures;     /* calls of packs that it was in and that failed */
    bool alone;            /* its next call is its own */
    struct quota *quota;   /* limits that hold for it, see meters.h; NULL: none */
    struct meter *held_by; /* TASK_HELD: that it waits for */
    bool waited;           /* it did, and is next */

    const struct config_model *route; /* NULL: none fits */
    size_t candidate;
    int tries;          /* spent with this candidate: an outage spends none */
    bool asks_stream;   /* its body does */
    struct buf request; /* translated, from the choice of the task to its call */
    struct call *call;
    bool moderating;       /* that call asks about its answer */
    struct stream *stream; /* of that call, if its answer comes in pieces; else NULL */
    size_t gate;           /* before which it waits, or which it has passed */
    struct estimate *kind; /* of its calls, as to tokens; NULL: nothing depends on it */
    double reserved;       /* tokens that its call was thought to take */
    bool guessed;          /* for want of earlier calls */
    double called;         /* when, by the loop's clock */
    double failed;         /* when its call failed last; 0: never */
    bool may_take_back;    /* that attempt, if it turns out that an outage began with it */
    size_t key;            /* of the backend's, that the call was made with */
    size_t keys_refused;   /* for this try */
    bool probe;            /* the call is to show whether the backend is back */
    ev_timer timer;
    struct attempt *attempts;
    size_t attempt_count;

    enum task_status status;
    struct error error; /* if it is no success */
    long http_status;
    char *response;      /* JSON on one line; NULL: none; its own, unless it is borrowed */
    size_t response_len; /* as it came, also if the response was given up */
    int64_t finished_us;
    int64_t publication_id; /* of the dead letter or the parked copy to publish; 0: none */
    bool simplified;        /* the database refused the first form of the result */
};

/* `journey`: what the headers say (NULL: nothing); copied, as the record is. */
struct task *task_new(struct partition *p, int64_t offset, const void *record, size_t len,
                      const struct journey *journey);
void task_free(struct task *t);
/* Takes another text (copied) as its record, which is read. */
void task_read_record(struct task *t, const void *record, size_t len);
/* Its record as it may be kept where it can be read. */
const char *task_kept_record(const struct task *t, size_t *len);
size_t task_bytes(const struct task *t); /* what it is charged for in memory limits */

/* The candidate that the task is at. */
const struct config_candidate *task_candidate(const struct task *t);
/* The model's name there. */
const char *task_upstream_model(const struct task *t);
/* When its record was written, as far as that can be believed; of a copy, when the task was first
 * seen. */
int64_t task_begun_us(const struct task *t);
/* The attempt that answered it, or the last one to try; NULL: there was none. */
const struct attempt *task_last_attempt(const struct task *t);
/* Sets the final status; for other than success, fill t->error first. */
void task_finish(struct task *t, enum task_status status);
/* Its next call is the first of its kind. */
void task_forget_again(struct task *t);
/* It has no answer any more. */
void task_drop_response(struct task *t);
/* The task is to wait in the retry topic of this tier until `due_ms` (since 1970); t->error says
 * why. */
void task_park(struct task *t, int tier, int64_t due_ms);
#endif
