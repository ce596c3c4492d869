/* Names of a text, and whether another text has them. Pure; time grows with the sum of both
 * lengths. */
#ifndef QUERN_NAMES_H
#define QUERN_NAMES_H
#include "guards/tokens.h"

/* What a text has that names can be held against. */
struct name_index;

/* The tokens must stay until names_free(). */
struct name_index *names_new(const struct tokens *source);
void names_free(struct name_index *n);
/* Is the token a name that the text uses as one? */
bool names_is_claim(const struct tokens *t, size_t at);
/* Has the source this word, in an inflected form too, or what it abbreviates? */
bool names_has(struct name_index *n, const struct tokens *t, size_t at);
/* Stands another name before this one in the source: a first name, before its last? */
bool names_has_first(const struct name_index *n, const struct tokens *t, size_t at);
/* Has the source the initials of these words as a word? */
bool names_has_initials(const struct name_index *n, const struct tokens *t, size_t first,
                        size_t last);
/* Has the source this code (A100, v5.3.1) in digits and letters? */
bool names_has_code(const struct name_index *n, const struct tokens *t, size_t at);
#endif
