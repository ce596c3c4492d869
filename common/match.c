#include "common/match.h"

static bool fits(const char *pattern, const char *value)
{
    return !pattern || (value && config_matches(pattern, value));
}

static bool fits_job(const char *pattern, const struct task_doc *d)
{
    char id[UUID_TEXT_LEN + 1];
    return !pattern || fits(pattern, d->job) ||
           config_matches(pattern, uuid_format(&d->job_id, id));
}

bool match_fits(const struct config_match *m, const struct task_doc *d, int lane)
{
    return (!m->lane || m->lane - 1 == lane) && fits(m->model, d->model) &&
           fits(m->tenant, d->tenant) && fits(m->feature, d->feature) && fits(m->user, d->user) &&
           fits_job(m->job, d);
}

const void *match_first(const struct config_list *rules, size_t size, const struct task_doc *d,
                        int lane)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct config_rule *r =
            (const struct config_rule *)((const char *)rules->items + i * size);
        if (match_fits(&r->when, d, lane))
            return r;
    }
    return NULL;
}
