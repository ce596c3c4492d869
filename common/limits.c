#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#include "common/match.h"
#include "common/mem.h"

const char *const limit_kind_names[LIMIT_KINDS] = {"concurrency", "cost", "requests", "tokens",
                                                   "pending"};
const char *const limit_axis_names[LIMIT_AXES] = {"",    "tenant", "user", "feature",
                                                  "job", "model",  "lane"};

static char *text_of(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column)
               ? NULL
               : mem_copy(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

/* The column has a check: it is one of them. */
static int choice(const PGresult *r, int row, int column, const char *const *names, int count)
{
    const char *value = PQgetvalue(r, row, column); /* ends with a NUL, binary too */
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], value) == 0)
            return i;
    return 0;
}

static struct limit_rule read_rule(const PGresult *r, int row)
{
    return (struct limit_rule){
        .name = text_of(r, row, 0),
        .kind = (enum limit_kind)choice(r, row, 1, limit_kind_names, LIMIT_KINDS),
        .per = (enum limit_axis)choice(r, row, 2, limit_axis_names, LIMIT_AXES),
        .amount = strtoll(PQgetvalue(r, row, 3), NULL, 10),
        .span = text_of(r, row, 4),
        .park = strcmp(PQgetvalue(r, row, 5), "park") == 0,
        .when = {.tenant = text_of(r, row, 6),
                 .user = text_of(r, row, 7),
                 .feature = text_of(r, row, 8),
                 .job = text_of(r, row, 9),
                 .model = text_of(r, row, 10),
                 .lane =
                     PQgetisnull(r, row, 11) ? 0 : 1 + choice(r, row, 11, lane_names, LANE_COUNT)}};
}

struct limit_rule *limit_rules_read(const PGresult *r, size_t *count)
{
    *count = (size_t)PQntuples(r);
    struct limit_rule *rules = mem_zero((*count + 1) * sizeof *rules);
    for (size_t i = 0; i < *count; i++)
        rules[i] = read_rule(r, (int)i);
    return rules;
}

void limit_rules_free(struct limit_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config_match *w = &rules[i].when;
        free(rules[i].name);
        free(rules[i].span);
        free(w->model);
        free(w->feature);
        free(w->tenant);
        free(w->user);
        free(w->job);
    }
    free(rules);
}

static bool same_family(const struct limit_rule *a, const struct limit_rule *b)
{
    return a->kind == b->kind && a->per == b->per && strcmp(a->span, b->span) == 0;
}

/* What rates answers is the operator's: what a tenant or a user may use is not used up by it. */
static bool counts(const struct limit_rule *r, const struct task_doc *d)
{
    return r->when.feature || !task_doc_rates(d);
}

const struct limit_rule *limit_next(const struct limit_rule *rules, size_t count, size_t *at,
                                    const struct task_doc *d, int lane)
{
    while (*at < count) {
        const struct limit_rule *r = &rules[(*at)++];
        if (!match_fits(&r->when, d, lane) || !counts(r, d))
            continue;
        while (*at < count && same_family(r, &rules[*at]))
            ++*at;
        return r;
    }
    return NULL;
}

const char *limit_subject(const struct limit_rule *r, const struct task_doc *d, int lane,
                          char id[UUID_TEXT_LEN + 1])
{
    const char *const subjects[LIMIT_AXES] = {
        "",       d->tenant,       d->user, d->feature, uuid_format(&d->job_id, id),
        d->model, lane_names[lane]};
    return subjects[r->per] ? subjects[r->per] : "";
}
