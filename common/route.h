/* From a task to the rule of `models` that says where it goes: the first that fits. Pure. */
#ifndef QUERN_ROUTE_H
#define QUERN_ROUTE_H
#include "common/config.h"
#include "common/task_doc.h"
#include "common/volume.h"

enum { ROUTE_SHARES = 10000 }; /* hundredths of a percent */

/* What rules look at. */
struct route_ask {
    const char *model, *tenant, *feature; /* the last two may be NULL */
    int lane;
    int64_t input_tokens;       /* estimated: four bytes of the body a token */
    enum complexity complexity; /* as given; NONE: to be estimated, if a rule asks */
    struct json body;           /* to estimate it from */
    unsigned share;             /* 0 to ROUTE_SHARES - 1; stable by task */
    struct volume today;        /* of the model's name */
};

/* `d` and `lane` describe the task; the texts and the body are borrowed from it. `today` may be
 * NULL: nothing was used yet. */
void route_ask(const struct task_doc *d, int lane, const struct volumes *today,
               struct route_ask *out);

/* How hard a request looks. Simple: under 500 tokens of input, at most two messages that are no
 * instructions, neither tools nor a schema. Complex: above 4,000 tokens, or tools with a schema, or
 * more than eight messages. Else moderate. */
enum complexity route_estimate(struct json body, int64_t input_tokens);
/* As given, else estimated. */
enum complexity route_complexity(const struct route_ask *a);

/* The name of the first condition that the task does not meet, e.g. "tenant"; NULL: it fits. */
const char *route_mismatch(const struct config_model *m, const struct route_ask *a);

/* The first rule that fits, or NULL. */
const struct config_model *route_find(const struct config *c, const struct route_ask *a);

/* The position of the first candidate, from `from` on, that may see the task: of a sensitive one
 * only those whose backend is private. The count of candidates if there is none. */
size_t route_candidate(const struct config *c, const struct config_model *m, size_t from,
                       bool sensitive);
#endif
