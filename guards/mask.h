/* Sensitive data kept out of what is sent: placeholders in its place, and back again in the answer.
 * The map is in memory only. Pure. */
#ifndef QUERN_MASK_H
#define QUERN_MASK_H
#include <uthash.h>

#include "common/buf.h"
#include "common/json.h"

enum { MASK_MAX = 100000, MASK_NAME_MAX = 48 }; /* values of one task */

struct masked {
    UT_hash_handle hh;
    char *text;
    size_t len, number;
    char name[MASK_NAME_MAX]; /* "[EMAIL_1]"; "": it was only seen */
};

struct mask {
    struct masked *by_text;
    struct masked **items; /* by number, from `first` on */
    size_t count, named, first;
};

void mask_free(struct mask *m); /* wipes what it held */
/* The placeholder of a value: the same for the same value, and one that does not stand in `body`.
 * NULL: the map is full, and the value must not be sent. */
const char *mask_name(struct mask *m, const char *kind, const char *text, size_t len,
                      struct json body);
/* Was this value in the question? */
bool mask_knows(const struct mask *m, const char *text, size_t len);
/* Notes a value that is in the question as it is. */
void mask_note(struct mask *m, const char *text, size_t len);
/* Overwrites the values wherever they stand in a text, with asterisks; also one that is cut at its
 * end. */
void mask_scrub(const struct mask *m, char *text, size_t len);
/* Appends a text with the values in place of their placeholders. False: there is none of them, and
 * nothing was appended. */
bool mask_restore(const struct mask *m, const char *text, size_t len, struct buf *out);
#endif
