/* One form for all texts of the same JSON value, and the digest that a request is known by. Pure.
 */
#ifndef QUERN_CANON_H
#define QUERN_CANON_H
#include "common/buf.h"
#include "common/json.h"

enum { CANON_DIGEST = 32, CANON_MAX = 4 << 20 };

/* Appends a checked value: members sorted by name (bytes of the decoded names; the first of the
 * same name stays first), no white space, strings with the least of escapes, numbers of the same
 * value alike (1, 1.0 and 1e0; integers are kept digit by digit, fractions as the nearest double).
 * The members in `left_out` (ends with NULL; may be NULL) are not written; of the outermost object
 * only. */
void canon_write(struct json v, const char *const *left_out, struct buf *out);

/* What of a request does not shape its answer: model (the resolved one stands for it), stream,
 * stream_options, user, metadata, store, safety_identifier, prompt_cache_key, service_tier. */
extern const char *const canon_shapeless[]; /* ends with NULL */

/* SHA-256 (FIPS 180-4) of what makes the answer to a request: `scope` (whose answers it may share),
 * the URL, the model that answers, and the body without the members in `left_out` (ends with NULL).
 * False if the body is longer than CANON_MAX, or memory is out. */
MUST_CHECK bool canon_digest(const char *scope, const char *url, const char *model,
                             struct json body, const char *const *left_out,
                             unsigned char out[CANON_DIGEST]);
#endif
