/* Prices from a file in the format of LiteLLM's model_prices_and_context_window.json, which
 * everyone maintains: USD a token. Pure. */
#ifndef QUERN_PRICE_READ_H
#define QUERN_PRICE_READ_H
#include "common/error.h"
#include "common/json.h"
#include "common/price.h"

/* What one entry says. *priced: it has prices of text tokens. On failure `err` names the key. */
MUST_CHECK quern_status price_read_model(struct json model, struct price *out, bool *priced,
                                         struct error *err);

/* Calls `each` for every priced model of a file, with its entry. Stops at the first mistake (no
 * JSON object, a negative or malformed price), and `err` names the model. */
typedef void price_each(void *arg, const char *model, struct json entry, const struct price *p);
MUST_CHECK quern_status price_read_file(const char *text, size_t len, price_each *each, void *arg,
                                        struct error *err);

/* Adds the models of a file to a table, replacing those already there. */
MUST_CHECK quern_status price_table_read(struct price_table *t, const char *text, size_t len,
                                         struct error *err);

/* Writes what is read of an entry, as a JSON object. */
void price_compact(struct json entry, struct buf *out);
#endif
