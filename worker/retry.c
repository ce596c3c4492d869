#include "retry.h"

static int64_t backoff(const struct retry_policy *p, int tries, uint64_t random)
{
    int64_t delay = p->base_ms;
    for (int i = 1; i < tries && delay < p->max_ms; i++)
        delay *= 2;
    if (delay > p->max_ms)
        delay = p->max_ms;
    int64_t spread = delay / 2; /* from -1/4 to +1/4 */
    return delay - spread / 2 + (spread ? (int64_t)(random % (uint64_t)(spread + 1)) : 0);
}

enum retry_step retry_decide(const struct retry_policy *p, enum error_class class, int tries,
                             int64_t retry_after_ms, uint64_t random, int64_t *delay_ms)
{
    if (class == ERROR_PERMANENT || class == ERROR_FATAL)
        return RETRY_GIVE_UP;
    if (class == ERROR_NEXT_KEY || class == ERROR_NEXT_CANDIDATE || tries > p->attempts ||
        retry_after_ms > p->retry_after_max_ms)
        return RETRY_NEXT_CANDIDATE;
    *delay_ms = backoff(p, tries, random);
    if (retry_after_ms > *delay_ms) /* later than asked by up to a tenth: not all at once */
        *delay_ms = retry_after_ms + (int64_t)(random % (uint64_t)(retry_after_ms / 10 + 1));
    return RETRY_AGAIN;
}

int retry_tier(int64_t wait_ms)
{
    int tier = 0;
    while (tier < RETRY_TIERS - 1 && retry_tier_ms[tier] < wait_ms)
        tier++;
    return tier;
}

int retry_round_tier(int64_t round)
{
    return round < RETRY_TIERS ? (int)round : RETRY_TIERS - 1;
}
