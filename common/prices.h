/* The price table of a configuration: the built-in file, prices.file, prices.models. */
#ifndef QUERN_PRICES_H
#define QUERN_PRICES_H
#include "common/config.h"
#include "common/price.h"

/* Also puts the candidates of rules with `order: cheapest` into that order: by what 3,000 tokens of
 * input and 1,000 of output cost. Those without a price come last; equals stay as listed.
 * NULL: `err` says which file is wrong. Free it with price_table_free(). */
struct price_table *prices_load(struct config *c, struct error *err);

/* The price of a model at a backend: under the backend's prefix, else as it is; NULL: none.
 * `b` may be NULL here and below: nobody knows where. */
const struct price *prices_find(const struct price_table *t, const struct config_backend *b,
                                const char *model);
/* The tier that holds: what the answer tells, else the backend's. */
enum price_tier prices_tier(const struct config_backend *b, const struct usage *u);
/* What that costs, in pico-dollars, in that tier. */
int64_t prices_cost(const struct price *p, const struct config_backend *b, struct usage u);
#endif
