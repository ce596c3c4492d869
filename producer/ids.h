/* The custom_ids of one input, to find repeated ones: at most 48 bytes each, whatever their
 * length. Keeps a 128-bit hash (XXH3 with a random seed) and the line. */
#ifndef QUERN_IDS_H
#define QUERN_IDS_H
#include <stdint.h>
#include <stddef.h>

struct ids;
struct ids *ids_new(void);
void ids_free(struct ids *s);
/* Adds an id. Returns 0 if it is new, else the line where it was seen first. */
int64_t ids_add(struct ids *s, const char *id, size_t len, int64_t line);
#endif
