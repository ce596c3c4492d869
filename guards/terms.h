/* Names and phrases of a list, wherever they stand in a text, whatever their case, accents and
 * dress (words.h). Pure but for reading the file. */
#ifndef QUERN_TERMS_H
#define QUERN_TERMS_H
#include "common/error.h"
#include "guards/sensitive.h"
#include "guards/words.h"

enum { TERMS_MAX = 100000, TERM_WORDS_MAX = 16, TERMS_FILE_MAX = 16 << 20 };

struct terms;

/* Reads a list, a term a line; empty lines and those that begin with # do not count. */
MUST_CHECK struct terms *terms_read(const char *path, struct error *err);
void terms_free(struct terms *t);
/* Adds a span for each that is there; `words` is scratch. */
void terms_find(const struct terms *t, struct words *words, const char *text, size_t len,
                struct spans *out);
#endif
