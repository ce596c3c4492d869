/* What differs from one model API to another. */
#ifndef QUERN_DIALECT_H
#define QUERN_DIALECT_H
#include "common/buf.h"
#include "common/error.h"
#include "common/json.h"
#include "common/price.h"

/* What a backend's answer came to. */
struct reply {
    bool success;
    struct error error; /* if it is none */
    struct usage usage; /* zeros where the answer has none */
    struct json body;   /* the answer, checked JSON, borrowed; absent if it is none */
    struct json model;  /* the name that the answer gives, raw; may be absent */
};

struct dialect {
    const char *name;
    /* Appends what follows base_url for a task's url, e.g. "/chat/completions". */
    void (*path)(const char *url, struct buf *out);
    /* Appends the header that carries the key, e.g. "Authorization: Bearer KEY". */
    void (*key_header)(const char *key, struct buf *out);
    /* Appends the request body: `body` (checked) for `model`. */
    void (*request)(struct json body, const char *model, struct buf *out);
    /* Reads an HTTP answer. */
    void (*reply)(long http_status, const char *body, size_t len, struct reply *out);
};

extern const struct dialect *const dialects[]; /* in the order of the config's `dialect` words */
extern const struct dialect dialect_openai;
#endif
