/* Inside of the search for secrets: what a value looks like, and the marks of services. */
#ifndef QUERN_SECRETS_PRIVATE_H
#define QUERN_SECRETS_PRIVATE_H
#include <stdbool.h>
#include <stddef.h>

#include "guards/bytes.h"

enum { SECRET_MAX = 4096 };

extern const byte_set secret_word, secret_dotted; /* letters, digits, '-' and '_'; '.' too */

enum { SECRET_MARKED_LEAST = 11 }; /* bytes of a mark with what is behind it */

/* In secret_marks.c. A key that its service's mark tells begins here: its length. */
bool secret_marked_at(const char *s, size_t len, size_t *n);

/* In secret_looks.c. */
/* Bits a character. */
double secret_entropy(const char *s, size_t n);
/* Of lower case, capitals, digits and other characters: how many kinds there are. */
int secret_kinds(const char *s, size_t n);
bool secret_has_digit(const char *s, size_t n);
/* Does it look drawn, and not written? */
bool secret_is_random(const char *s, size_t n);
/* Does it look as if somebody had chosen it: "hunter2"? */
bool secret_is_chosen(const char *s, size_t n);
bool secret_is_path(const char *s, size_t n);
/* What stands where a password's kind does: "sha256", "128-bit". */
bool secret_is_kind(const char *s, size_t n);
#endif
