/* Warnings told to a URL, signed as Standard Webhooks says (spec/standard-webhooks.md, 1.0.0). */
#ifndef QUERN_WEBHOOK_H
#define QUERN_WEBHOOK_H
#include "call.h"
#include "common/config.h"

struct webhook;

/* NULL: none is configured (`err` is clear then: code ""), or the secret cannot be read. */
struct webhook *webhook_new(struct caller *caller, const struct config *c, struct error *err);
void webhook_free(struct webhook *w); /* NULL: nothing */

/* Told once: did the receiver take the message (a status of 2xx)? */
typedef void webhook_done(void *arg, int64_t id, bool taken);

/* Posts a message: `data` is a JSON object. `id` makes the message's id, the same for each try. */
void webhook_send(struct webhook *w, int64_t id, const char *type, const char *data,
                  webhook_done *done, void *arg);

/* "v1," and base64 of HMAC-SHA256(key, "ID.TIMESTAMP.BODY"). `out` has WEBHOOK_SIGNATURE_MAX bytes.
 */
enum { WEBHOOK_SIGNATURE_MAX = 64 };
void webhook_sign(const unsigned char *key, size_t len, const char *id, int64_t timestamp,
                  const char *body, char *out);
/* A secret as it is written, "whsec_" and base64 (or any text), to the key's bytes. Returns how
 * many; `out` has strlen(secret) bytes. */
size_t webhook_key(const char *secret, unsigned char *out);
#endif
