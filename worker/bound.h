/* What a call may use at most, before it is made: budgets reserve it. Pure. */
#ifndef QUERN_BOUND_H
#define QUERN_BOUND_H
#include "common/config.h"
#include "common/json.h"
#include "common/prices.h"

enum {
    BOUND_OUTPUT =
        32768, /* tokens of an answer, if neither the request nor the price file limits it */
    BOUND_IMAGE = 50000 /* tokens of a picture or a file, whose size the request does not tell */
};

/* The most tokens that a request is billed for: a byte a token of input (tokenizers work on bytes,
 * and join them), BOUND_IMAGE for each part that is no text; the request's own limit of output
 * times its number of answers, or BOUND_OUTPUT. */
struct usage bound_usage(struct json body);

/* The most that it can cost at this price, in pico-dollars: whatever of the input is written to a
 * cache, and of the output is reasoning; in the backend's tier or the one that the request names.
 */
int64_t bound_cost(const struct price *p, const struct config_backend *b, struct json body);
#endif
