/* How good an answer is, as far as it can be told without a model. Pure. */
#ifndef QUERN_QUALITY_H
#define QUERN_QUALITY_H
#include "common/json.h"
#include "guards/grounding.h"

enum completion {
    COMPLETE,
    COMPLETION_CUT,      /* the limit of tokens ended it */
    COMPLETION_FILTERED, /* the service did */
    COMPLETION_REFUSED,  /* it says that it will not answer */
    COMPLETION_EMPTY,
    COMPLETION_LOOP,      /* the same words over and over */
    COMPLETION_MISSHAPEN, /* it should be JSON of a schema, and is not */
    COMPLETIONS
};
extern const char *const completion_names[COMPLETIONS];

/* Of a chat completion, a completion or a response (checked JSON). */
enum completion quality_completion(struct json answer);
/* The text of an answer, of all choices; appended. */
void quality_text(struct json answer, struct buf *out);
/* The source that an answer is to be held against: what users and tools say; appended. */
void quality_source(struct json body, struct buf *out);

/* 0 to 1. Relevance: cosine of the words of both, weighted by 1 + log of how often they occur,
 * without the usual ones (Salton & Buckley 1988, without idf: there is one document). Coverage: how
 * many of the source's twenty most frequent words the answer has. */
struct relevance {
    double relevance, coverage;
};
struct relevance quality_relevance(const char *source, size_t source_len, const char *answer,
                                   size_t answer_len);
#endif
