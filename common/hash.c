#include "common/hash.h"

uint64_t hash_add(uint64_t h, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ ((const unsigned char *)bytes)[i]) * 1099511628211ULL;
    return h;
}
