/* What a task may say about how it is to be treated, beside its request. Pure. */
#ifndef QUERN_WISHES_H
#define QUERN_WISHES_H
#include "common/buf.h"
#include "common/error.h"
#include "common/json.h"

enum complexity { COMPLEXITY_NONE, COMPLEXITY_SIMPLE, COMPLEXITY_MODERATE, COMPLEXITY_COMPLEX };
extern const char *const complexity_names[]; /* ends with NULL; [COMPLEXITY_NONE] is "" */

enum { FALLBACK_SENTENCES_MAX = 100, WISH_TIMEOUT_MAX = 24 * 3600 * 1000 /* ms */ };

struct wishes {
    int64_t timeout_ms;         /* of one call, whole; 0: as the model or the backend says */
    enum complexity complexity; /* NONE: to be estimated where a rule asks */
    bool sensitive;             /* only backends marked private may see it */
    bool no_cache;              /* its answer is neither kept nor another's */
    struct json fallback;       /* the last answer, without a model; borrowed, may be absent */
};

/* What a fallback's template can ask for: fields of the task, and the last message of the user. */
enum fallback_field {
    F_CUSTOM_ID,
    F_MODEL,
    F_TENANT,
    F_USER,
    F_FEATURE,
    F_PROMPT,
    FALLBACK_FIELDS
};
extern const char *const fallback_fields[FALLBACK_FIELDS + 1]; /* ends with NULL */

/* The members that say them, in the order of wishes_read(). */
enum { WISHES = 5 };
extern const char *const wish_names[WISHES];

/* Reads and checks the members (absent ones and nulls say nothing). `err`: class PERMANENT, code
 * "invalid_task", names the field. */
MUST_CHECK quern_status wishes_read(const struct json m[WISHES], struct wishes *out,
                                    struct error *err);
/* Appends `,"name":value` for each that is there. */
void wishes_write(const struct wishes *w, struct buf *out);
/* COMPLEXITY_NONE if there is none of that name. */
enum complexity complexity_parse(const char *name);
#endif
