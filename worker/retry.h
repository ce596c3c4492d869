/* What follows a failed attempt. Pure. */
#ifndef QUERN_RETRY_H
#define QUERN_RETRY_H
#include <stdint.h>

#include "common/config.h"
#include "common/error.h"

struct retry_policy {
    int attempts; /* short retries with one candidate */
    int64_t base_ms, max_ms, retry_after_max_ms;
};

enum retry_step { RETRY_AGAIN, RETRY_NEXT_CANDIDATE, RETRY_GIVE_UP };

/* `tries`: attempts with this candidate so far; below 1: none was spent. `retry_after_ms`: what the
 * backend asks for, or -1. `random`: any 64 bits, for the jitter. RETRY_AGAIN sets *delay_ms: base
 * * 2^(tries-1), at most max, plus or minus a quarter; never less than the backend asked for. */
enum retry_step retry_decide(const struct retry_policy *p, enum error_class class, int tries,
                             int64_t retry_after_ms, uint64_t random, int64_t *delay_ms);

/* The retry topic (0 to RETRY_TIERS - 1) for a wait: the shortest that is long enough; for more
 * than an hour, the hour. */
int retry_tier(int64_t wait_ms);
/* The retry topic of the n-th round (from 0) of a task whose attempts all failed. */
int retry_round_tier(int64_t round);
#endif
