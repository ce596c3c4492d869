/* The price table of a configuration: the built-in file, prices.file, prices.models. */
#ifndef QUERN_PRICES_H
#define QUERN_PRICES_H
#include "common/config.h"
#include "common/price.h"

/* NULL: `err` says which file is wrong. Free it with price_table_free(). */
struct price_table *prices_load(const struct config *c, struct error *err);
#endif
