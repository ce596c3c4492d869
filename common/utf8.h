/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef QUERN_UTF8_H
#define QUERN_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* Length in bytes (1-4) of the valid sequence at `s` (at most `len` bytes), or 0. */
size_t utf8_sequence(const char *s, size_t len);

/* Appends a character. */
void utf8_append(struct buf *out, uint32_t code);

/* True if all `len` bytes are valid; else *bad (may be NULL) is the offset of the first that is
 * not. */
bool utf8_valid(const char *s, size_t len, size_t *bad);

/* Replaces, in place, every byte that is not part of valid UTF-8, and every control character but
 * tab and newline, by '?'. What a peer sent becomes fit for logs and for a text column. */
void utf8_clean(char *s, size_t len);
#endif
