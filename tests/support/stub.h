/* A model service for tests and the demo: OpenAI-compatible, and by its path Anthropic's Messages
 * and Gemini's generateContent, whole or streamed; with latency and faults on demand.
 * Never a part of quern itself. */
#ifndef QUERN_STUB_H
#define QUERN_STUB_H
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"

/* What one call is answered with. Rules come from --fault, or from a marker in the prompt:
 * [[stub:KIND]] or [[stub:KIND:N]], N calls of that prompt and then no more. */
enum fault {
    FAULT_NONE,
    FAULT_429,   /* with Retry-After */
    FAULT_QUOTA, /* 429 insufficient_quota */
    FAULT_400,
    FAULT_401,
    FAULT_500,
    FAULT_503,
    FAULT_HANG,      /* never answers */
    FAULT_SLOW,      /* a byte at a time */
    FAULT_RESET,     /* closes with RST before an answer */
    FAULT_TRUNCATED, /* closes in the middle of the body */
    FAULT_MALFORMED, /* a body that is no JSON */
    FAULT_LENGTH,    /* Content-Length larger than the body, then closes */
    FAULT_HUGE,      /* a body of 64 MiB */
    FAULT_EMPTY,     /* 200 with an empty object */
    FAULT_STALL,     /* half an answer, and then nothing */
    FAULT_MIDWAY,    /* an error in the middle of a stream, after 200 */
    FAULT_NO_USAGE,  /* an answer that does not say what it used */
    FAULT_COUNT
};
extern const char *const fault_names[FAULT_COUNT];

enum { STUB_KEY_MAX = 256 };

struct stub_options {
    double latency, jitter; /* seconds: latency plus up to jitter */
    double gap;             /* seconds between the events of a stream */
    double fault_rate[FAULT_COUNT];
    int capacity, busy; /* calls at a time, above which there is 429; 0: any. Now being answered */
    int retry_after;    /* seconds in a 429 */
    FILE *log;          /* a line for each call that ended; NULL: none */
};

struct reply {
    enum fault fault;
    double delay;
    struct buf head, body;
    int status;
    bool streamed;
    int64_t input, output;  /* tokens billed */
    char key[STUB_KEY_MAX]; /* what the task is told by */
};

/* What the path says is spoken. */
enum speech { OPENAI, ANTHROPIC, GEMINI };

/* A piece of a streamed answer. */
struct stub_piece {
    enum { PIECE_BEGIN, PIECE_TEXT, PIECE_END } kind;
    const char *model, *text;
    size_t len;
};
/* Writes the events of an answer into r->body, a word each. */
void stub_stream(struct reply *r, enum speech speech, const char *model, const struct buf *text);

/* Decides and writes the answer to POST `path` with `body`. Counts the call by its last user
 * message. */
void stub_answer(const struct stub_options *o, const char *path, const char *body, size_t len,
                 struct reply *out);
/* "503=0.1": from now on this share of the calls fails so. False if there is no such fault. */
bool stub_set_fault(struct stub_options *o, const char *text);
/* GET /stub/calls: {"calls": N, "tasks": {"last user message": count, …}}. */
void stub_calls(struct buf *out);
void stub_calls_reset(void);

/* Listens on 127.0.0.1:port (0: any) and serves until the loop is broken. Returns the port, or -1
 * after saying why. */
int stub_listen(struct ev_loop *loop, struct stub_options *o, int port);
#endif
