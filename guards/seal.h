/* Task documents whose body must not be read in clear where they are kept (dead letters, retry
 * topics): the body has placeholders, and the true one is beside it, sealed. AES-256-GCM (NIST SP
 * 800-38D), a random nonce each. Pure. */
#ifndef QUERN_SEAL_H
#define QUERN_SEAL_H
#include "common/buf.h"
#include "common/json.h"

enum { SEAL_KEY = 32, SEAL_MAX = 64 << 20 };

/* Appends the document with `body` in place of its body, and the true one in a member `sealed`. Of
 * a body that makes it too long for Kafka only the model stays. */
MUST_CHECK bool seal_doc(const unsigned char key[SEAL_KEY], struct json doc, struct json body,
                         struct buf *out);
/* Appends the document with its true body. False: it was sealed with another key, or changed. */
MUST_CHECK bool seal_open(const unsigned char key[SEAL_KEY], struct json doc, struct buf *out);
#endif
