/* The guards themselves, for guard.c. */
#ifndef QUERN_GUARD_LIST_H
#define QUERN_GUARD_LIST_H
#include "guards/guard.h"
#include "guards/leak.h"
#include "guards/terms.h"

/* A rule, ready for use. */
struct guard_rule {
    const struct config_guard_rule *config;
    uint32_t kinds; /* of sensitive data */
    struct terms *terms;
};

/* What a check looks at. */
struct guard_text {
    const char *text;
    size_t len;
    struct text_place place;
    bool answer;
    const struct guarded *state;
    const struct task_doc *doc;
};

/* What checks need; made once. */
struct guard_tools {
    struct injection *injection;
    struct words words;
    struct leak_scratch leak;
};

struct guard {
    const char *name;
    unsigned actions; /* bits of enum guard_action */
    bool in, out;
    void (*check)(struct guard_tools *t, const struct guard_rule *r, const struct guard_text *text,
                  struct guard_finding *out);
};

extern const struct guard guard_list[GUARD_KINDS];

#define GUARD_SCORE_ONE 1e12 /* thresholds are in millionths of a millionth */

/* What users say and tools bring; not what the owner of the task and the model itself said. */
bool guard_is_untrusted(struct text_place place);
/* Keeps a verdict; `spans` (JSON) becomes the state's. */
void guarded_keep(struct guarded *s, const struct config_guard_rule *r, bool answer,
                  const struct guard_finding *f, char *spans);
void finding_reason(struct guard_finding *f, const char *reason);
/* Does this rule (NULL: no) put a text of its own into each task's instructions? */
bool guard_draws_canary(const struct guard_rule *r);
#endif
