/* What differs from one model API to another. A fourth dialect is one more file with one more const
 * struct, and its word in the configuration's schema.
 *
 * Tasks come in OpenAI's shape and results go out in OpenAI's shape. A dialect translates both ways
 * and loses nothing in silence: what it cannot say to its backend, it refuses by the field's name.
 */
#ifndef QUERN_DIALECT_H
#define QUERN_DIALECT_H
#include "common/buf.h"
#include "common/error.h"
#include "common/json.h"
#include "common/price.h"
#include "fold.h"

/* What a task asks for, and as which model there. */
struct request {
    const char *url;    /* of the task, e.g. "/v1/chat/completions" */
    const char *model;  /* upstream */
    struct json body;   /* checked */
    int64_t max_tokens; /* where the API wants a number and the task gives none */
    bool stream;        /* the answer is to come in pieces */
};

/* What a backend's answer came to. */
struct reply {
    bool success;
    struct error error; /* if it is none */
    struct usage usage; /* zeros where the answer has none */
    bool has_usage;
    bool unknown_use;       /* something may have been used, and nobody says how much */
    struct json body;       /* in OpenAI's shape; absent if the answer was no JSON object */
    struct json model;      /* the name that the answer gives, raw; may be absent */
    int64_t retry_after_ms; /* as the body asks; -1: it does not */
};

struct dialect {
    const char *name;
    const char *key_header;     /* what stands before the key, e.g. "Authorization: Bearer " */
    const char *const *headers; /* further ones; ends with NULL */
    /* Appends what follows base_url, e.g. "/chat/completions". */
    void (*path)(const struct request *r, struct buf *out);
    /* Appends the request's body, or refuses it: class NEXT_CANDIDATE, code "invalid_request". */
    quern_status (*request)(const struct request *r, struct buf *out, struct error *err);
    /* Takes one event of a streamed answer into `fold`, where the answer grows that the API would
     * have given unstreamed; an error in mid-stream likewise. Sets its `complete` and `closed`. */
    void (*event)(struct fold *fold, const char *name, struct json data);
    /* Reads an HTTP answer, or a folded stream. out->body and out->model borrow from `text`, or
     * from `translated` (initialised, empty), where the dialect writes what it translates. */
    void (*reply)(long http_status, const char *text, size_t len, struct buf *translated,
                  struct reply *out);
};

extern const struct dialect *const dialects[]; /* in the order of the config's `dialect` words */
extern const struct dialect dialect_openai, dialect_anthropic, dialect_gemini;
#endif
