/* FNV-1a, 64 bits: for names and shares, never against an adversary.
 * Source: draft-eastlake-fnv. */
#ifndef QUERN_HASH_H
#define QUERN_HASH_H
#include <stddef.h>
#include <stdint.h>

#define HASH_START 14695981039346656037ULL
/* The hash of what `h` is the hash of, with these bytes behind it. */
uint64_t hash_add(uint64_t h, const void *bytes, size_t len);
#endif
