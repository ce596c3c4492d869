/* Is a task what a rule of a stage is for? Pure. */
#ifndef QUERN_MATCH_H
#define QUERN_MATCH_H
#include "common/config.h"
#include "common/task_doc.h"

bool match_fits(const struct config_match *m, const struct task_doc *d, int lane);

/* The first rule of a list that fits; `size` is that of one, and each begins with a struct
 * config_rule. NULL: none. */
const void *match_first(const struct config_list *rules, size_t size, const struct task_doc *d,
                        int lane);
#endif
