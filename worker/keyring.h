/* The keys of one backend: which is in use, which were refused. Pure but for wiping memory. */
#ifndef QUERN_KEYRING_H
#define QUERN_KEYRING_H
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum {
    KEYS_MAX = 16,      /* at a time */
    KEYRING_MAX = 128,  /* the present ones, and before them replaced ones, kept to be redacted */
    KEY_LEN_MAX = 4096, /* bytes */
    KEY_SECRET_MIN = 8, /* a shorter one is a placeholder ("ollama", "test"), no secret */
};

/* A key's position counts all that the process ever had; its slot is taken again by a later one. */
struct keyring {
    char *keys[KEYRING_MAX]; /* by slot */
    bool refused[KEYRING_MAX];
    size_t count, first; /* positions: the present ones are from `first` to below `count` */
    size_t now;          /* in use, if there are any */
};

/* Takes the keys of a text, between commas or line ends, in place of the present ones; the same
 * ones again are only trusted anew. True in *changed: there are others now. The text is wiped;
 * NULL: no keys. Fails, and changes nothing, if a key cannot be sent, there are too many, or none
 * where there were some. */
MUST_CHECK quern_status keyring_read(struct keyring *k, char *text, bool *changed,
                                     struct error *err);
void keyring_free(struct keyring *k); /* wipes */

size_t keyring_slot(size_t position);
/* NULL: there is none. */
const char *keyring_key(const struct keyring *k);
/* How many keys there are now. */
size_t keyring_size(const struct keyring *k);
/* The key at that position was refused: if it is the one in use, the next that was not is now. When
 * all were, they are tried in turn. */
void keyring_refuse(struct keyring *k, size_t position);
/* Overwrites all keys, old ones too, with asterisks where they stand in a text, as they are or with
 * JSON escapes. In an `answer` not what is shorter than KEY_SECRET_MIN: its words are wanted. */
void keyring_redact(const struct keyring *k, char *text, size_t len, bool answer);
#endif
