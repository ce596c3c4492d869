/* What tokens cost. Pure: a table read from JSON in the format of LiteLLM's
 * model_prices_and_context_window.json (USD per token), and exact sums over it. */
#ifndef QUERN_PRICE_H
#define QUERN_PRICE_H
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/json.h"

/* Tokens of one call. cached and cache_write are parts of input, reasoning is a part of output,
 * whatever the provider's own convention is. */
struct usage {
    int64_t input, cached, cache_write, output, reasoning;
};

/* Atto-dollars per token; -1: the price file says nothing, the plain rate applies. */
struct rates {
    int64_t input, output, cached, cache_write, reasoning;
};

/* No answer has used more tokens than this: what claims more is taken as this. */
#define USAGE_MAX 1000000000000LL

enum { PRICE_VERSION_MAX = 17 };

struct price_table;

struct price_table *price_table_new(void);
void price_table_free(struct price_table *t);

/* Adds the models of a price file, replacing those already there. Entries without token prices are
 * skipped. On failure (no JSON object, a negative or malformed price) `err` names the model. */
MUST_CHECK quern_status price_table_read(struct price_table *t, const char *text, size_t len,
                                         struct error *err);
void price_table_set(struct price_table *t, const char *model, struct rates rates);

/* A name for what the table says: the same for the same prices, whatever file they came from; it
 * stands in the books beside what was computed with it. 16 hex digits; valid while the table is. */
const char *price_table_version(const struct price_table *t);

/* NULL if the model has no price. Valid until the next change of the table. */
const struct rates *price_find(const struct price_table *t, const char *model);

/* Pico-dollars, rounded once, half to even. Parts larger than their whole are taken as the whole:
 * a peer that lies cannot make the sum negative. */
int64_t price_cost(const struct rates *r, const struct usage *u);
#endif
