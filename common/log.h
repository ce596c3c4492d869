/* Structured logs on standard error: one line an event, text on a terminal, JSON otherwise.
 * Any thread may write: each line is one write(2). Values are cleaned of control characters; secrets are never passed here. */
#ifndef QUERN_LOG_H
#define QUERN_LOG_H
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON };

struct log_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the number counts */
    int64_t number;
};

#define LOG_S(k, v) {.key = (k), .text = (v)}
#define LOG_N(k, v) {.key = (k), .number = (int64_t)(v)}

void log_setup(enum log_level level, enum log_format format);
void log_event(enum log_level level, const char *message, const struct log_field *fields);

#define LOG_FIELDS(...)                                                                            \
    (const struct log_field[])                                                                     \
    {                                                                                              \
        __VA_ARGS__ __VA_OPT__(, ) { .key = 0 }                                                    \
    }
#define log_debug(message, ...) log_event(LOG_DEBUG, message, LOG_FIELDS(__VA_ARGS__))
#define log_info(message, ...) log_event(LOG_INFO, message, LOG_FIELDS(__VA_ARGS__))
#define log_warn(message, ...) log_event(LOG_WARN, message, LOG_FIELDS(__VA_ARGS__))
#define log_error(message, ...) log_event(LOG_ERROR, message, LOG_FIELDS(__VA_ARGS__))
#endif
