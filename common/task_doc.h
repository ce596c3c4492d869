/* The task document: the value of a Kafka record (schemas/task.schema.json). */
#ifndef QUERN_TASK_DOC_H
#define QUERN_TASK_DOC_H
#include "common/buf.h"
#include "common/error.h"
#include "common/json.h"
#include "common/uuid.h"
#include "common/wishes.h"

enum {
    TASK_VERSION = 1,
    TASK_ID_MAX = 512,   /* bytes of a custom_id */
    TASK_NAME_MAX = 256, /* bytes of tenant, user, feature, model */
};

#define JUDGE_FEATURE "judge" /* of tasks that rate answers, see guards/judge.h */

struct task_doc {
    struct uuid job_id;
    char *custom_id, *url, *model; /* never NULL after a successful read */
    char *tenant, *user, *feature; /* NULL: not given */
    char *job;                     /* its job's name; NULL: not given */
    int64_t generation;
    int64_t deadline_us;  /* since 1970; 0: none */
    struct wishes wishes; /* borrowed likewise */
    struct json body;     /* borrowed from the text that was read */
    bool sealed;          /* its body is not whole, see guards/seal.h */
    char *strings;        /* owns the texts above, in one block */
};

/* Reads and checks a document. On failure (class PERMANENT; code "invalid_json" or
 * "invalid_task") `err` names the field, and nothing is to be freed. */
MUST_CHECK quern_status task_doc_read(const char *text, size_t len, struct task_doc *out,
                                      struct error *err);
void task_doc_free(struct task_doc *d);

/* Appends the document. */
void task_doc_write(const struct task_doc *d, struct buf *out);

/* Appends the key of its record: all that concerns one task goes to one partition. */
void task_doc_key(const struct task_doc *d, struct buf *out);
/* Does it rate another task's answer? */
bool task_doc_rates(const struct task_doc *d);

/* Appends a document that was read before, every member as it was written, with another generation.
 * Fails if it is no JSON object. */
MUST_CHECK quern_status task_doc_regenerate(const char *text, size_t len, int64_t generation,
                                            struct buf *out, struct error *err);

/* True if a task may ask for this path, e.g. "/v1/chat/completions". */
bool task_url_known(const char *url);
/* All of them, for messages: "/v1/chat/completions, …". */
const char *task_url_list(void);

/* A request body: an object with a model. `model` is set to the raw value. */
MUST_CHECK quern_status task_body_check(struct json body, struct json *model, struct error *err);
/* A tenant, user or feature (`what`): 1 to TASK_NAME_MAX bytes, no control characters. NULL is
 * none, and good. */
MUST_CHECK quern_status task_name_check(const char *what, const char *name, struct error *err);
/* A custom_id: 1 to TASK_ID_MAX bytes, no control characters. */
MUST_CHECK quern_status task_id_check(const char *id, size_t len, struct error *err);
#endif
