/* Is an answer grounded in its source? Which of its numbers, dates, names and quotations the source
 * does not have. Pure; deterministic; time grows with the sum of both lengths. */
#ifndef QUERN_GROUNDING_H
#define QUERN_GROUNDING_H
#include "guards/glossary.h"
#include "guards/sensitive.h"

enum claim_kind { CLAIM_NUMBER, CLAIM_DATE, CLAIM_NAME, CLAIM_QUOTE, CLAIM_KINDS };
extern const char *const claim_names[CLAIM_KINDS];

struct grounding {
    size_t claims;            /* of the answer */
    struct spans unsupported; /* kinds: enum claim_kind; in the order of the kinds' checks */
    double score; /* share of its claims that the source has; 1: all, or it makes none */
};

void grounding_read(const struct glossary *g, const char *source, size_t source_len,
                    const char *answer, size_t answer_len, struct grounding *out);
void grounding_free(struct grounding *g);
#endif
