#include "ids.h"

#include <stdlib.h>
#include <xxhash.h>

#include "common/mem.h"
#include "common/uuid.h"

enum { IDS_FIRST = 1024 };

struct slot {
    XXH128_hash_t hash;
    int64_t line; /* 0: empty */
};

struct ids {
    struct slot *slots;
    size_t cap, count; /* cap: a power of two */
    uint64_t seed;     /* ours alone: nobody can prepare collisions */
};

struct ids *ids_new(void)
{
    struct ids *s = mem_zero(sizeof *s);
    s->cap = IDS_FIRST;
    s->slots = mem_zero(s->cap * sizeof *s->slots);
    s->seed = random_u64();
    return s;
}

void ids_free(struct ids *s)
{
    if (s)
        free(s->slots);
    free(s);
}

/* The slot of this hash, or the empty one where it belongs. */
static struct slot *find(struct ids *s, XXH128_hash_t hash)
{
    size_t i = hash.low64 & (s->cap - 1);
    while (s->slots[i].line && !XXH128_isEqual(s->slots[i].hash, hash))
        i = (i + 1) & (s->cap - 1);
    return &s->slots[i];
}

static void grow(struct ids *s)
{
    struct slot *old = s->slots;
    size_t cap = s->cap;
    s->cap *= 2;
    s->slots = mem_zero(s->cap * sizeof *s->slots);
    for (size_t i = 0; i < cap; i++)
        if (old[i].line)
            *find(s, old[i].hash) = old[i];
    free(old);
}

int64_t ids_add(struct ids *s, const char *id, size_t len, int64_t line)
{
    if (s->count * 4 >= s->cap * 3)
        grow(s);
    XXH128_hash_t hash = XXH3_128bits_withSeed(id, len, s->seed);
    struct slot *slot = find(s, hash);
    if (slot->line)
        return slot->line;
    *slot = (struct slot){hash, line};
    s->count++;
    return 0;
}
