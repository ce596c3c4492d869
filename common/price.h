/* What tokens cost. Pure: a table of prices by model, and exact sums over it. price_read.h fills it
 * from files. */
#ifndef QUERN_PRICE_H
#define QUERN_PRICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What providers price apart. */
enum price_part {
    PART_INPUT,
    PART_OUTPUT,
    PART_CACHED,         /* input that was read from a cache */
    PART_CACHE_WRITE,    /* input that was written to one */
    PART_CACHE_WRITE_1H, /* and is kept there for an hour */
    PART_REASONING,      /* output that nobody sees */
    PART_COUNT
};

/* How a call is served, which changes what it costs. */
enum price_tier { TIER_STANDARD, TIER_BATCH, TIER_PRIORITY, TIER_FLEX, TIER_COUNT };
extern const char *const price_tier_names[TIER_COUNT];

/* Tokens of one call. cached and cache_write are parts of input, cache_write_1h of cache_write,
 * reasoning of output, whatever the provider's own convention is. */
struct usage {
    int64_t input, cached, cache_write, output, reasoning, cache_write_1h;
    enum price_tier tier;
    bool tier_told; /* by the answer: even if it is the standard one, no other holds */
};

/* No answer has used more tokens than this: what claims more is taken as this. */
#define USAGE_MAX 1000000000000LL

enum { PRICE_VERSION_MAX = 17, PRICE_BANDS = 8 };

/* Prices of calls whose input is longer than so many tokens. Atto-dollars a token; -1: not said. */
struct price_band {
    int64_t above;
    int64_t rate[TIER_COUNT][PART_COUNT];
};

/* What a model costs: bands from the shortest input on, the first above 0. */
struct price {
    size_t count;
    struct price_band band[PRICE_BANDS];
};

/* One band, in which nothing is said. */
void price_init(struct price *p);
/* The band above so many tokens, made if there is none. NULL: there are PRICE_BANDS already. */
struct price_band *price_band(struct price *p, int64_t above);

/* Pico-dollars, rounded once, half to even. The input's length chooses one band for all tokens of
 * the call. What a band does not say, the one below it does; what a tier does not say, the standard
 * does (halved for batches); cached and written tokens without a rate cost as input, reasoning as
 * output. Parts larger than their whole are taken as the whole: a peer that lies cannot make the
 * sum negative. */
int64_t price_cost(const struct price *p, const struct usage *u);

struct price_table;

struct price_table *price_table_new(void);
void price_table_free(struct price_table *t);
/* Replaces what the table said of the model. `price` is copied. */
void price_table_set(struct price_table *t, const char *model, const struct price *price);
/* NULL if the model has no price. Valid until the next change of the table. */
const struct price *price_find(const struct price_table *t, const char *model);
/* Calls back for each model, sorted by name. */
void price_table_each(struct price_table *t,
                      void (*each)(void *arg, const char *model, const struct price *p), void *arg);

/* A name for what the table says: the same for the same prices, whatever files they came from; it
 * stands in the books beside what was computed with it. 16 hex digits; valid while the table is. */
const char *price_table_version(const struct price_table *t);
#endif
