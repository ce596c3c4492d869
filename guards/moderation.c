/* What a service says of an answer, as a verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/guard_list.h"

/* The score from which on this category counts; above 1: it does not. */
static double border_of(const struct config_guard_rule *r, const char *name, bool flagged)
{
    const size_t n = strlen(name);
    if (!r->categories)
        return flagged ? 0 : (double)r->threshold / GUARD_SCORE_ONE;
    for (const char *p = r->categories; *p; p += strcspn(p, ","), p += *p == ',') {
        p += strspn(p, " ");
        if (strncmp(p, name, n) == 0 && p[n] == ':')
            return strtod(p + n + 1, NULL);
    }
    return 2;
}

static void read_scores(const struct config_guard_rule *r, struct json result,
                        struct guard_finding *f)
{
    struct json_member m;
    size_t pos = 0;
    struct json scores = json_get(result, "category_scores");
    while (json_is(scores, '{') && json_next_member(scores, &pos, &m)) {
        char *name = json_string_dup(m.key), *shown = NULL;
        const double score = json_is(m.value, '0') ? strtod(m.value.p, NULL) : 0;
        const struct json flag = json_get(json_get(result, "categories"), name);
        if (score >= border_of(r, name, json_is(flag, 't') && flag.p[0] == 't')) {
            shown = mem_format("%s %.2f", name, score);
            finding_reason(f, shown);
            f->score = score > f->score ? score : f->score;
        }
        free(shown);
        free(name);
    }
}

void guards_moderated(struct guarded *state, const struct config_guard_rule *rule,
                      const struct json *said)
{
    struct guard_finding f = {.score = 0};
    struct json result = {0}, results = said ? json_get(*said, "results") : (struct json){0};
    size_t pos = 0;
    const bool answered = json_is(results, '[') && json_next_item(results, &pos, &result);
    if (answered)
        read_scores(rule, result, &f);
    else
        finding_reason(&f, "no answer of the service");
    if (!f.reasons[0])
        return;
    guarded_keep(state, rule, true, &f, mem_string("[]"));
    if (rule->action != GUARD_BLOCK)
        return;
    (void)snprintf(state->why, sizeof state->why, "moderation: %s", f.reasons);
    state->blocked = true;
}
