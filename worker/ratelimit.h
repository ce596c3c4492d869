/* What the headers of an answer say about a rate limit that is used up: nothing is left, and when
 * there will be more. OpenAI's and what is compatible with it (x-ratelimit-remaining-requests, …),
 * Anthropic's (anthropic-ratelimit-requests-remaining, …) and the IETF draft's. Pure. */
#ifndef QUERN_RATELIMIT_H
#define QUERN_RATELIMIT_H
#include <stdbool.h>
#include <stdint.h>

enum { RATELIMIT_UNITS = 8 };

struct ratelimit {
    bool empty[RATELIMIT_UNITS];   /* none of the unit is left */
    double reset[RATELIMIT_UNITS]; /* seconds until all of it is there; 0: not said */
    double limit[RATELIMIT_UNITS]; /* all of it, where it fills up steadily; 0: not said */
};

/* Takes a header; those of other kinds are passed over. `now_us`: the wall clock. */
void ratelimit_header(struct ratelimit *r, const char *name, const char *value, int64_t now_us);
/* Seconds until a call of so many tokens makes sense again; 0: now. */
double ratelimit_wait(const struct ratelimit *r, double tokens);

/* Seconds from now on: "6m0s", "20ms", "1.5" (seconds), "2026-01-31T10:00:00Z", or seconds or
 * milliseconds since 1970. -1: none of these. RATELIMIT_WAIT_MAX at most. */
double ratelimit_parse_reset(const char *value, int64_t now_us);
#define RATELIMIT_WAIT_MAX 86400.0
#endif
