/* Saying a thing about a name once, however often it happens. Pure. */
#ifndef QUERN_ONCE_H
#define QUERN_ONCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ONCE_MAX = 256 };

struct once {
    uint64_t seen[ONCE_MAX]; /* hashes of names */
    size_t count;
};

/* True the first time for this name; false for all names once ONCE_MAX are known. */
bool once(struct once *o, const char *name);
#endif
