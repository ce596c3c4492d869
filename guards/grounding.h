/* Is an answer grounded in its source? Which of its numbers, dates, names and quotations the source
 * does not have. Pure; deterministic; time grows with the product of the claims of both at most,
 * which are bounded. */
#ifndef QUERN_GROUNDING_H
#define QUERN_GROUNDING_H
#include "guards/claims.h"
#include "guards/sensitive.h"

struct grounding {
    size_t claims;            /* of the answer */
    struct spans unsupported; /* kinds: enum claim_kind */
    double score; /* share of its claims that the source has; 1: all, or it makes none */
};

void grounding_read(const char *source, size_t source_len, const char *answer, size_t answer_len,
                    struct grounding *out);
void grounding_free(struct grounding *g);
#endif
