#include "breaker.h"

#include <stddef.h>

enum { PROBES_MAX = 1024 };

void breaker_init(struct breaker *b, int64_t threshold, int64_t probes, double wait,
                  double wait_max)
{
    *b = (struct breaker){.threshold = threshold,
                          .probes = probes,
                          .wait_first = wait,
                          .wait_max = wait_max < wait ? wait : wait_max,
                          .last_success = -1,
                          .good_sent = -1};
}

bool breaker_waits(const struct breaker *b, double now)
{
    return b->open && now < b->until;
}

bool breaker_may_call(const struct breaker *b, double now)
{
    return !b->open || (now >= b->until && b->probing < b->allowed);
}

bool breaker_begin(struct breaker *b)
{
    b->probing += b->open;
    return b->open;
}

void breaker_forget(struct breaker *b, bool probe)
{
    b->probing -= probe;
}

void breaker_success(struct breaker *b, bool probe, double sent, double now)
{
    breaker_forget(b, probe);
    b->open = false;
    b->failures = 0;
    b->last = NULL;
    b->last_success = now;
    b->good_sent = sent > b->good_sent ? sent : b->good_sent;
}

static void wait_again(struct breaker *b, double now, double wait_min)
{
    b->until = now + (b->wait > wait_min ? b->wait : wait_min);
    b->wait = b->wait * 2 < b->wait_max ? b->wait * 2 : b->wait_max;
}

static void probe_failed(struct breaker *b, const struct breaker_case *c, double now)
{
    if (now < b->until) /* not the first of several */
        return;
    wait_again(b, now, c->wait_min);
    b->allowed = !c->again ? b->probes : b->allowed < PROBES_MAX ? b->allowed * 2 : PROBES_MAX;
}

static void open_up(struct breaker *b, const struct breaker_case *c, double now)
{
    b->open = true;
    b->since = now;
    b->wait = b->wait_first;
    b->allowed = b->probes;
    wait_again(b, now, c->wait_min);
}

enum breaker_verdict breaker_failure(struct breaker *b, const struct breaker_case *c, double now)
{
    breaker_forget(b, c->probe);
    if (b->threshold == 0 || (c->sure ? b->good_sent : b->last_success) >= c->sent)
        return BREAKER_TASK;
    if (b->open) {
        if (c->probe)
            probe_failed(b, c, now);
        return BREAKER_OUTAGE;
    }
    bool same = c->task && c->task == b->last;
    b->last = c->task;
    b->failures += !same || b->failures == 0;
    if (b->failures < b->threshold && !c->sure)
        return BREAKER_TASK;
    open_up(b, c, now);
    return BREAKER_OUTAGE;
}
