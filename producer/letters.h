/* Dead letters as the command line chooses them: by filters or by id. Blocking calls. */
#ifndef QUERN_LETTERS_H
#define QUERN_LETTERS_H
#include "cli.h"

/* NULL (or false): any. Texts are borrowed; `ids` and `statuses` are PostgreSQL arrays, such as
 * "{1,2}". */
struct letter_filter {
    const char *job;                     /* id */
    const char *reason, *tenant, *error; /* error: a regular expression, case ignored */
    char *since, *until;                 /* RFC 3339 */
    char *ids;
    const char *statuses;
};
enum { LETTER_PARAMETERS = 8 };

/* The condition on `dead_letters d`; its parameters are $1 to $8. */
extern const char letter_condition[];
void letter_parameters(const struct letter_filter *f, const char *values[LETTER_PARAMETERS]);

/* Sends the letters that are chosen, not replayed yet, and still their task's outcome, to their
 * lanes again, as a new generation; the job's counts turn back. *count: how many, also on failure.
 * Safe to repeat: what a crash left half done is completed, nothing is sent twice to be paid twice.
 */
MUST_CHECK quern_status letters_replay(PGconn *db, const struct config *c,
                                       const struct letter_filter *f, int64_t *count,
                                       struct error *err);
/* How many letters_replay() would send. */
MUST_CHECK quern_status letters_count(PGconn *db, const struct letter_filter *f, int64_t *count,
                                      struct error *err);
#endif
