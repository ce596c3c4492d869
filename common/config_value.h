/* One scalar of the configuration, to and from text. */
#ifndef QUERN_CONFIG_VALUE_H
#define QUERN_CONFIG_VALUE_H
#include <stdbool.h>

#include "common/config_schema.h"
#include "common/error.h"

/* Parses `text` into the struct at `base`; `err` says what is expected. Texts are copied. */
MUST_CHECK quern_status config_value_set(const struct config_key *key, void *base, const char *text,
                                         struct error *err);
/* The value as the file would have it, into `out`; false if it is unset. */
bool config_value_get(const struct config_key *key, const void *base, char *out, size_t size);
/* True if the file or a default gave a value. */
bool config_value_is_set(const struct config_key *key, const void *base);
/* Sets every default of `keys` (groups included) in the struct at `base`. */
void config_value_defaults(const struct config_key *keys, void *base);
/* Frees everything that the struct at `base` owns. */
void config_value_free(const struct config_key *keys, void *base);
/* The name in `keys` nearest to `name` (edit distance of a third of it at most), or NULL. */
const char *config_value_nearest(const struct config_key *keys, const char *name);
#endif
