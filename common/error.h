/* How a fallible function tells what went wrong, and what should follow from it. */
#ifndef QUERN_ERROR_H
#define QUERN_ERROR_H
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

typedef enum { QUERN_OK = 0, QUERN_FAIL = -1 } quern_status;

/* What happens next, whoever sees the error. */
enum error_class {
    ERROR_RETRY,          /* the same again, later */
    ERROR_THROTTLED,      /* the same again, when the peer allows */
    ERROR_NEXT_KEY,       /* not with this key; perhaps with another, else elsewhere */
    ERROR_NEXT_CANDIDATE, /* not here, perhaps elsewhere */
    ERROR_PERMANENT,      /* never with this input */
    ERROR_FATAL,          /* the program cannot go on */
};

enum { ERROR_CODE_MAX = 32, ERROR_MESSAGE_MAX = 512 };

struct error {
    enum error_class class;
    char code[ERROR_CODE_MAX];       /* one of the documented codes, e.g. "rate_limit" */
    char message[ERROR_MESSAGE_MAX]; /* what was being done, to what, the value, what to do */
};

/* Fills `err` (which may be NULL) and returns QUERN_FAIL, so that a function can end with
 * `return error_set(...)`. `code` is copied. Too long a message is cut at a whole character. */
quern_status error_set(struct error *err, enum error_class class, const char *code, const char *fmt,
                       ...) PRINTF_LIKE(4, 5);

/* Puts "WHAT: " before the message of `err`: what the caller was doing. Returns QUERN_FAIL. */
quern_status error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
#endif
