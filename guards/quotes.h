/* Quotations of a text that are long enough to be held against another. Pure; linear in the text's
 * length. */
#ifndef QUERN_QUOTES_H
#define QUERN_QUOTES_H
#include "guards/sensitive.h"

enum { QUOTES_MAX = 200 }; /* of one text; others are no claims */

/* The bytes between quotation marks, of several words each. JSON has none. */
void quotes_read(const char *text, size_t len, struct spans *out);
/* Has the source these words, whatever stands between them? An ellipsis may leave some out. */
bool quotes_has(const char *squeezed, size_t squeezed_len, const char *quote, size_t len);
/* A text's letters and digits alone, in lower case: writes at most `len` bytes. */
size_t quotes_squeeze(const char *text, size_t len, char *out);
#endif
