/* Circuit breakers, one a backend. Pure; times in seconds.
 *
 *   closed --failures in a row--> open --wait--> probes --a success--> closed
 *                                   ^--a failure--'
 *
 * A failure counts against the backend only if nothing has succeeded since that call was sent: one
 * bad request among good ones never opens it, however often it fails. */
#ifndef QUERN_BREAKER_H
#define QUERN_BREAKER_H
#include <stdbool.h>
#include <stdint.h>

struct breaker {
    int64_t threshold, probes; /* threshold 0: never opens */
    double wait_first, wait_max;
    bool open;
    double wait, until, since;          /* of this outage */
    int64_t failures, probing, allowed; /* allowed: probes at a time, now */
    const void *last;                   /* the task that failed last; compared only */
    double last_success,
        good_sent; /* when a call succeeded last; the latest start of one that did */
};

enum breaker_verdict {
    BREAKER_TASK, /* others succeed meanwhile, or it is too early to say: the task's own failure */
    BREAKER_OUTAGE, /* the backend is out */
};

void breaker_init(struct breaker *b, int64_t threshold, int64_t probes, double wait,
                  double wait_max);
/* May a call begin? While open, after the wait, `probes` calls at a time may. */
bool breaker_may_call(const struct breaker *b, double now);
/* Is it open, and the time for probes not come? */
bool breaker_waits(const struct breaker *b, double now);
/* A call begins; true: it is a probe. The same is told at its end. */
bool breaker_begin(struct breaker *b);
/* A call that began at `sent` succeeded. */
void breaker_success(struct breaker *b, bool probe, double sent, double now);
struct breaker_case {
    bool probe;
    double sent;      /* when the call began */
    double wait_min;  /* what the backend asked for, or 0 */
    const void *task; /* whose call it was; NULL: there was no connection, so no task is to blame */
    bool again;       /* it has failed before */
    bool sure;        /* the backend says itself that it serves nobody: one failure is enough */
};
/* A task that fails several times on end counts once: more than one must fail. When only tasks that
 * failed before are left to probe with, it may be they that are bad: then twice as many may try
 * each time, so that they come to their end. */
enum breaker_verdict breaker_failure(struct breaker *b, const struct breaker_case *c, double now);
/* The call ended by our own doing and says nothing. */
void breaker_forget(struct breaker *b, bool probe);
#endif
