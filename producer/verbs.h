/* The verbs of `quern`, a file each. */
#ifndef QUERN_VERBS_H
#define QUERN_VERBS_H
#include "cli.h"
#include "job_store.h"

extern const struct verb submit_verb, status_verb, results_verb, jobs_verb, cancel_verb, retry_verb,
    dead_verb, topics_verb, migrate_verb, config_verb, route_verb, prices_verb, limits_verb,
    cache_verb, cost_verb, compress_verb, guards_verb, quality_verb, compare_verb, feedback_verb,
    queue_verb, errors_verb, task_verb, maintain_verb;

/* Waits until the job is done, with a progress bar. Returns EXIT_DONE, EXIT_FAILED_TASKS if a task
 * did not succeed, or what an interruption or error gives. */
int status_wait(PGconn *db, const struct job *job);
/* Prints where the job stands. Returns QUERN_FAIL with `err` if the database does. */
MUST_CHECK quern_status status_print(PGconn *db, const struct job *job, enum cli_format format,
                                     struct error *err);

/* Prints all rows of a result under its column names, as a table, JSON, JSONL or CSV. */
void table_print(const PGresult *r, enum cli_format format);
/* Prints a text of strangers: control characters but line breaks as \xNN, so that none commands the
 * terminal. */
void table_clean(const char *text);
#endif
