/* Answers rated by a model: which ones, how it is asked, and as which task. Pure. */
#ifndef QUERN_JUDGE_H
#define QUERN_JUDGE_H
#include "common/json.h"
#include "common/task_doc.h"
#include "common/uuid.h"

enum { JUDGE_VERSION = 8 /* hexadecimal digits */, JUDGE_TEXT_MAX = 48 << 10 /* bytes */ };

struct judge_order {
    const char *model, *rubric;
    int64_t max_tokens; /* of what it says; 0: as many as it likes */
    uint64_t mark;      /* random: no text that it judges can have it */
};

/* Of the tasks of one custom_id all are chosen or none, whatever their jobs: so that two jobs can
 * be compared. `share`: 10^12 is all of them. */
bool judge_chooses(const char *custom_id, int64_t share);

/* The name of a model with a rubric: another one of either has another version. */
void judge_version(const char *model, const char *rubric, char out[JUDGE_VERSION + 1]);

/* The job that the ratings of a job's answers are tasks of: of the same time, so it is kept as
 * long; its last four bytes are "judg". As judge_job() in PostgreSQL. */
struct uuid judge_job(const struct uuid *job, const char *version);

/* Appends a chat request that has the answer (checked JSON, as `body`) rated from 1 to 5. Of texts
 * longer than JUDGE_TEXT_MAX the middle is left out. False, and nothing appended: it has no texts.
 */
bool judge_request(const struct judge_order *o, struct json body, struct json answer,
                   struct buf *out);
#endif
