/* The first reading of an input: everything is checked, nothing is sent. */
#ifndef QUERN_PLAN_H
#define QUERN_PLAN_H
#include "common/config.h"
#include "common/price.h"
#include "common/uuid.h"
#include "input.h"

enum { DIGEST_TEXT = 65 };

/* What every task of a submission shares. Borrowed strings. */
struct submission {
    int lane;
    const char *tenant, *user, *feature;
    const char *job; /* its name; NULL while the input is only checked */
    int64_t deadline_us;
    struct wishes wishes; /* where an item has none of its own */
};

struct plan {
    int64_t tasks, bytes; /* good ones; of their records */
    int64_t errors;
    int64_t input_tokens, output_tokens; /* estimated: four bytes a token; the answer as long as
                                            max_tokens, else 256 */
    int64_t cost;                        /* pico-dollars, of what has a price */
    int64_t unpriced;                    /* tasks whose model has none */
    char digest[DIGEST_TEXT];            /* SHA-256 over all records, in hex */
};

/* The record of one item. Fails (class PERMANENT) if the item breaks a rule of the task document.
 */
MUST_CHECK quern_status plan_record(const struct submission *s, const struct uuid *job,
                                    const struct input_item *item, struct buf *out,
                                    struct error *err);

/* The same as a task document, for what must be decided before; borrows all of it. */
struct task_doc plan_doc(const struct submission *s, const struct uuid *job,
                         const struct input_item *item);
/* Tokens of input and output, estimated: four bytes a token; the answer as long as max_tokens, else
 * 256. */
struct usage plan_estimate(struct json body);

/* Reads the whole input. Mistakes go to stderr as "FILE:LINE: what", up to submit.errors_max.
 * Fails with code "invalid_input" if there was one, or if there is no task. */
MUST_CHECK quern_status plan_read(struct input *in, const struct submission *s, struct config *c,
                                  struct plan *out, struct error *err);
#endif
