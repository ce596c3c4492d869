/* Texts inside of texts: runs of base64 (also twice), base32, hexadecimal, percent escapes, and of
 * characters by number (escapes, entities, bits), that hold readable text. Pure; linear. */
#ifndef QUERN_ENCODED_H
#define QUERN_ENCODED_H
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum { ENCODED_LEAST = 20, ENCODED_MAX = 4096 }; /* bytes of a run that are looked at */

/* The next run at or behind *at that decodes to text: its bytes from..to, the text in `out`
 * (cleared first). Moves *at behind it. False: there is none. */
bool encoded_next(const char *text, size_t len, size_t *at, size_t *from, size_t *to,
                  struct buf *out);
#endif
