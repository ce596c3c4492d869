#include "once.h"

#include <string.h>

#include "common/hash.h"

bool once(struct once *o, const char *name)
{
    uint64_t h = hash_add(HASH_START, name, strlen(name));
    for (size_t i = 0; i < o->count; i++)
        if (o->seen[i] == h)
            return false;
    if (o->count == ONCE_MAX)
        return false;
    o->seen[o->count++] = h;
    return true;
}
