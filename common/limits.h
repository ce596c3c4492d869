/* The limits of the database as programs see them: rows of `limits`, and which of them hold for a
 * task. Pure, but for reading a PostgreSQL result. */
#ifndef QUERN_LIMITS_H
#define QUERN_LIMITS_H
#include <libpq-fe.h>

#include "common/config.h"
#include "common/task_doc.h"

enum limit_kind {
    LIMIT_CONCURRENCY,
    LIMIT_COST,
    LIMIT_REQUESTS,
    LIMIT_TOKENS,
    LIMIT_PENDING,
    LIMIT_KINDS
};
extern const char *const limit_kind_names[LIMIT_KINDS];
/* What a limit counts apart. */
enum limit_axis {
    AXIS_ALL,
    AXIS_TENANT,
    AXIS_USER,
    AXIS_FEATURE,
    AXIS_JOB,
    AXIS_MODEL,
    AXIS_LANE,
    LIMIT_AXES
};
extern const char *const limit_axis_names[LIMIT_AXES];

enum { LIMITS_MAX = 1024, LIMIT_NAME_MAX = 100 };

struct limit_rule {
    char *name;
    enum limit_kind kind;
    enum limit_axis per;
    struct config_match when;
    int64_t amount; /* requests, tokens, calls, tasks; pico-dollars */
    char *span;     /* "60000" (ms), "day", "": limits that differ in it hold side by side */
    bool park;      /* at the limit of a budget; else the task fails */
};

/* Selects rules in the order in which they are tried; `where` is a condition. All columns are text.
 */
#define LIMIT_RULES_SQL(where)                                                                     \
    "SELECT name, kind, per, (CASE kind WHEN 'cost' THEN trunc(amount * 1000000000000) "           \
    " ELSE amount END)::numeric(30)::text, coalesce(window_ms::text, period, ''), on_limit, "      \
    " tenant, \"user\", feature, job, model, lane "                                                \
    "FROM limits WHERE " where " ORDER BY kind, per, 5, rank, name LIMIT 1024"

/* The rows of such a query, whether they came as text or binary; the caller frees them. */
struct limit_rule *limit_rules_read(const PGresult *r, size_t *count);
void limit_rules_free(struct limit_rule *rules, size_t count);

/* The first of each family (kind, per and span) that fits a task. Begin with *at = 0; NULL: no
 * more.
 */
const struct limit_rule *limit_next(const struct limit_rule *rules, size_t count, size_t *at,
                                    const struct task_doc *d, int lane);
/* Whose count it is; "" for what the task does not name. `id` is room for a job's id. */
const char *limit_subject(const struct limit_rule *r, const struct task_doc *d, int lane,
                          char id[UUID_TEXT_LEN + 1]);
#endif
