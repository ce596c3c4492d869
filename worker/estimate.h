/* How many tokens a call will take, learned from the calls before it: for each kind of tasks (the
 * model that answers, the endpoint, the feature) apart. Input is a line through size and usage by
 * least squares; output is a mean; both forget what is old. Pure. */
#ifndef QUERN_ESTIMATE_H
#define QUERN_ESTIMATE_H
#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "common/price.h"

enum { ESTIMATE_KINDS_MAX = 4096, ESTIMATE_KEY_MAX = 800 };

struct estimate {
    UT_hash_handle hh;
    char *key;
    double n, x, y, xx, xy; /* weighted sums: calls, bytes, input tokens, products */
    double output;          /* mean */
    double square;          /* mean of the squares of its errors */
    int calls;              /* up to a few: then it is trusted */
    double said, was;       /* tokens estimated and used, weighted likewise: the error */
    int told;               /* calls in them, up to a few */
};

struct estimates {
    struct estimate *by_key;
    struct estimate other; /* of kinds beyond the most */
};

void estimates_init(struct estimates *es);
void estimates_free(struct estimates *es);
/* The kind's own; made if there is none. Texts may be NULL but for the model. */
struct estimate *estimates_find(struct estimates *es, const char *model, const char *url,
                                const char *feature);
/* Tokens of input and output together, of a request of so many bytes whose answer has at most so
 * many tokens. */
double estimate_tokens(const struct estimate *e, size_t bytes, int64_t most_output);
/* What hardly any call of the kind exceeds: the estimate and three standard deviations of its
 * errors; before eight calls are known, and at most, the bound. */
double estimate_most(const struct estimate *e, size_t bytes, const struct usage *bound);
/* Have enough calls told? Before that, an estimate is a guess. */
bool estimate_is_known(const struct estimate *e);
/* It took so many; `said` were thought, or -1: that was a guess, and no error of the estimates. */
void estimate_learn(struct estimate *e, size_t bytes, const struct usage *u, double said);
/* How far the sums of the last hundred calls or so are apart: 0.05 is 5 percent; of fewer than 10
 * calls: -1, not known. */
double estimate_error(const struct estimate *e);
#endif
