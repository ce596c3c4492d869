/* What a call may use at most, before it is made: budgets reserve it. Pure. */
#ifndef QUERN_BOUND_H
#define QUERN_BOUND_H
#include "common/config.h"
#include "common/json.h"
#include "common/prices.h"

enum {
    BOUND_OUTPUT =
        32768, /* tokens of an answer, if neither the request nor the price file limits it */
    BOUND_IMAGE = 50000,  /* tokens of a picture or a file, whose size the request does not tell */
    BOUND_STORED = 200000 /* tokens of what the service has stored and the request names */
};

/* The most tokens that a request is billed for: a byte a token of input (tokenizers work on bytes,
 * and join them), BOUND_IMAGE for each part that is no text, BOUND_STORED for an earlier response
 * or a stored prompt; the limit of output that its endpoint knows (`url`) times its number of
 * answers and prompts, or BOUND_OUTPUT. */
struct usage bound_usage(const char *url, struct json body);

/* The most that so much use can cost at this price, in pico-dollars: whatever of the input is
 * written to a cache, and of the output is reasoning; in the backend's tier or the one that the
 * request names.
 */
int64_t bound_cost(const struct price *p, const struct config_backend *b, struct json body,
                   struct usage most);
#endif
