/* What has been used today, by the model's name that tasks asked for: what rules with a volume look
 * at. Kept in PostgreSQL (attempt_days); a copy of it here. */
#ifndef QUERN_VOLUME_H
#define QUERN_VOLUME_H
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"

struct volume {
    int64_t requests, tokens, cost; /* cost in pico-dollars */
};

enum { VOLUMES_MAX = 1024 }; /* names; the busiest count */

/* Has a rule such a condition? */
bool volumes_wanted(const struct config *c);
/* Reads the names and their volume: four columns, names as text, numbers as int8. */
extern const char volumes_query[];

struct volumes;
struct volumes *volumes_new(void);
void volumes_free(struct volumes *v);
void volumes_clear(struct volumes *v);
/* `name` is copied. */
void volumes_set(struct volumes *v, const char *name, struct volume volume);
/* Zeros for a name without one; `v` may be NULL. */
struct volume volumes_get(const struct volumes *v, const char *name);
#endif
