#include "common/volume.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/mem.h"

/* The day is UTC's, and so the same for all workers. 9e6 USD is what fits. */
const char volumes_query[] =
    "SELECT asked, sum(attempts)::bigint, "
    " least(sum(input_tokens::numeric + output_tokens), 9e18)::bigint, "
    " (least(sum(cost_usd), 9000000) * 1000000000000)::bigint FROM attempt_days "
    "WHERE day = (now() AT TIME ZONE 'UTC')::date GROUP BY asked ORDER BY 2 DESC LIMIT 1024";

struct entry {
    char *name;
    struct volume volume;
    UT_hash_handle hh;
};

struct volumes {
    struct entry *entries;
};

bool volumes_wanted(const struct config *c)
{
    const struct config_model *m = c->models.items;
    for (size_t i = 0; i < c->models.count; i++)
        if (m[i].when.day_requests || m[i].when.day_tokens || m[i].when.day_cost)
            return true;
    return false;
}

struct volumes *volumes_new(void)
{
    return mem_zero(sizeof(struct volumes));
}

void volumes_clear(struct volumes *v)
{
    struct entry *e = v->entries, *next;
    HASH_CLEAR(hh, v->entries);
    for (; e; e = next) {
        next = e->hh.next;
        free(e->name);
        free(e);
    }
}

void volumes_free(struct volumes *v)
{
    if (v)
        volumes_clear(v);
    free(v);
}

void volumes_set(struct volumes *v, const char *name, struct volume volume)
{
    struct entry *e;
    HASH_FIND_STR(v->entries, name, e);
    if (!e && HASH_COUNT(v->entries) < VOLUMES_MAX) {
        e = mem_zero(sizeof *e);
        e->name = mem_string(name);
        HASH_ADD_KEYPTR(hh, v->entries, e->name, strlen(e->name), e);
    }
    if (e)
        e->volume = volume;
}

struct volume volumes_get(const struct volumes *v, const char *name)
{
    struct entry *e = NULL;
    if (v)
        HASH_FIND_STR(v->entries, name, e);
    return e ? e->volume : (struct volume){0};
}
