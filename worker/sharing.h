/* Answers without a call of one's own: what a task's request is known by, and the answer that it
 * borrows. A task has it if a rule of `cache` is for it. Pure. */
#ifndef QUERN_SHARING_H
#define QUERN_SHARING_H
#include "common/canon.h"
#include "common/config.h"
#include "common/json.h"
#include "common/price.h"
#include "common/task_doc.h"

enum answer_source { SOURCE_CALL, SOURCE_CACHED, SOURCE_SHARED };
extern const char *const answer_source_names[]; /* as in results.source; [SOURCE_CALL] is NULL */

/* An answer that several tasks hold. */
struct borrowed {
    size_t holders;
    char *text; /* JSON on one line */
    size_t len;
    char *backend, *model,
        *answer_of;     /* that gave it, and for which task; the first two may be NULL */
    struct usage usage; /* of that call */
    int64_t cost;       /* pico-dollars; -1: unknown */
};

struct task;
struct group;

struct sharing {
    const struct config *config;
    const struct config_cache_rule *rule;
    unsigned char key[CANON_DIGEST];
    const char *model; /* that the key stands for; borrowed from the configuration or the task */
    struct group *group;
    enum answer_source source;
    struct borrowed *borrowed; /* NULL: none; a holder */
};

/* The rule for this task, or NULL: none, or it must be called each time (a rule says never, the
 * task cache: false, it is sensitive, its temperature is above the rule's). */
const struct config_cache_rule *sharing_rule(const struct config *c, const struct task_doc *d,
                                             int lane);
/* The key of a task under a rule, if `model` answers it. Tasks whose prompts are compressed or
 * packed in different ways have different ones. False: it has none. */
MUST_CHECK bool sharing_key(const struct config *c, const struct config_cache_rule *rule,
                            const struct task_doc *d, int lane, const char *model,
                            unsigned char key[CANON_DIGEST]);
/* Is a successful answer (checked JSON) whole: not empty, cut off, withheld or refused, so that it
 * may stand for others? */
bool sharing_is_whole(struct json answer);

/* Takes over `text`; the other strings are copied. The caller is its one holder. */
struct borrowed *borrowed_new(char *text, size_t len, const char *backend, const char *model,
                              const char *answer_of);
void borrowed_drop(struct borrowed *b); /* NULL: nothing */
#endif
