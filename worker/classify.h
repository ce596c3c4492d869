/* From the failure that a backend tells to what follows: one table a dialect. Pure. */
#ifndef QUERN_CLASSIFY_H
#define QUERN_CLASSIFY_H
#include "dialect.h"

/* The first row that fits decides. */
struct failure_rule {
    long status;      /* 0: any */
    const char *code; /* the answer's word for it; NULL: any */
    const char *text; /* a part of the message, in any case of letters; NULL: any */
    const char *type; /* one of the documented error types */
    enum error_class class;
};

/* What the documented types of error say beyond their names. */
enum failure_trait {
    OF_KEY = 1,  /* the key or its owner was refused, or a quota is spent */
    OF_LOAD = 2, /* fewer calls at a time are asked for */
    OF_TASK = 4, /* the task itself may be what the backend stumbles over */
    UNUSED = 8,  /* refused before anything was used, whatever the HTTP status */
};
bool classify_is(const struct error *e, enum failure_trait trait);

/* What an answer says about its failure; the words raw, absent where it has none. */
struct failure {
    long status;
    struct json code, type; /* either may match a rule's code */
    struct json message;
};

/* Fills out->error. `rules`, the dialect's own, end with a row without a type; behind them stand
 * those that all services share, and what none fits is, below 500, the request's fault, and above,
 * the backend's. `text` is shown where there is no message. */
void classify_failure(const struct failure_rule *rules, const struct failure *f, const char *text,
                      size_t len, struct reply *out);

/* The status that a failure in mid-stream would have had: HTTP says 200 there, but the error's code
 * may be a number. */
long classify_status(long http, struct json code);

/* The answer came well, but its content was withheld: the prompt or the answer was filtered, or the
 * model refused. */
void classify_withheld(struct reply *out, const char *what, struct json detail);
/* An answer that is none. */
void classify_malformed(struct reply *out, long status, const char *why);

/* Checks and sets out->body if the text is a JSON object. Else false, and `err` says why. */
bool classify_parse(const char *text, size_t len, struct reply *out, struct error *err);
/* Do these members of a usage tell what was used? One is a count, and none is anything else. */
bool classify_counted(const struct json *members, size_t n);
/* A count of tokens: 0 if absent or absurd, USAGE_MAX at most. */
int64_t classify_number(struct json v);
int64_t classify_count(struct json object, const char *key);
/* The service tier of that name, where an answer tells it: else what is configured holds. */
void classify_tier(struct json name, struct usage *out);
#endif
