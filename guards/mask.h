/* Sensitive data kept out of what is sent: placeholders in its place, and back again in the answer.
 * The map is in memory only. Pure. */
#ifndef QUERN_MASK_H
#define QUERN_MASK_H
#include "common/buf.h"
#include "common/json.h"

enum { MASK_MAX = 1024, MASK_NAME_MAX = 40 }; /* values of one task */

struct masked {
    char *text;
    size_t len;
    char name[MASK_NAME_MAX]; /* "[EMAIL_1]" */
    bool sent;                /* in place of it; else it was only seen */
};

struct mask {
    struct masked *items;
    size_t count, number;
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
/* Overwrites the values wherever they stand in a text, with asterisks. */
void mask_scrub(const struct mask *m, char *text, size_t len);
/* Appends the JSON text `v` with the values in place of their placeholders, inside of its strings.
 * False: there is none of them, and nothing was appended. */
bool mask_restore(const struct mask *m, struct json v, struct buf *out);
#endif
