/* Does a JSON value fit a JSON Schema (draft 2020-12)? Of its vocabulary: type, enum, const,
 * properties, required, additionalProperties, items, minItems, maxItems, minLength, maxLength,
 * minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf, oneOf, allOf, not, $ref within the
 * document ("#", "#/$defs/…"). Other keywords are passed over. Pure. */
#ifndef QUERN_SCHEMA_H
#define QUERN_SCHEMA_H
#include "common/error.h"
#include "common/json.h"

enum { SCHEMA_STEPS_MAX = 200000 }; /* values held against schemas; beyond it the value fits */

/* Both are checked JSON. False: `err` says where and why, e.g. "items[2].price is no number". */
bool schema_fits(struct json schema, struct json value, struct error *err);
#endif
