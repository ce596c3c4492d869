/* Prompt templates: text with {{name}} for the fields of a row. Pure. */
#ifndef QUERN_TEMPLATE_H
#define QUERN_TEMPLATE_H
#include "common/buf.h"
#include "common/error.h"

/* The value of a field, in *len bytes, or NULL if there is none of that name. */
typedef const char *template_lookup(const void *row, const char *name, size_t len, size_t *value);

/* Appends `text` with each {{name}} (spaces around the name are allowed) replaced. Fails if a name
 * has no field, or braces do not close; values are never looked into. */
MUST_CHECK quern_status template_fill(const char *text, template_lookup *lookup, const void *row,
                                      struct buf *out, struct error *err);
/* The same, with each value between marks, and a word to the model before it all that what stands
 * there is data. The marks carry a number that nobody can foresee who writes a value: a hash of all
 * of them. So the same row makes the same prompt, and a job that was interrupted goes on. */
MUST_CHECK quern_status template_fill_data(const char *text, template_lookup *lookup,
                                           const void *row, struct buf *out, struct error *err);
/* The place of a name in a list that ends with NULL; -1: it is not there. */
int template_name(const char *const names[], const char *name, size_t len);
/* Fails as above if the template asks for a name that is not in the list, which ends with NULL. */
MUST_CHECK quern_status template_check(const char *text, const char *const names[],
                                       struct error *err);
#endif
