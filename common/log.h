/* Structured logs on standard error: one line an event, text on a terminal, JSON otherwise.
 * Any thread may write: each line is one write(2). Values are cleaned of control characters;
 * secrets are never passed here. */
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

#define LOG_S(k, v)                                                                                \
    {                                                                                              \
        .key = (k), .text = (v)                                                                    \
    }
#define LOG_N(k, v)                                                                                \
    {                                                                                              \
        .key = (k), .number = (int64_t)(v)                                                         \
    }

void log_setup(enum log_level level, enum log_format format);
void log_event(enum log_level level, const char *message, const struct log_field *fields);

/* A list of LOG_S and LOG_N as an argument. */
#define LOG_FIELDS(...)                                                                            \
    (const struct log_field[])                                                                     \
    {                                                                                              \
        __VA_ARGS__, LOG_END                                                                       \
    }
#define LOG_END                                                                                    \
    {                                                                                              \
        .key = 0                                                                                   \
    }
#define LOG_CALL(level, message, ...)                                                              \
    log_event(level, message, (const struct log_field[]){__VA_ARGS__})

/* log_info("message", LOG_S("key", text), LOG_N("key", number) ...) */
#define log_debug(...) LOG_CALL(LOG_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...) LOG_CALL(LOG_INFO, __VA_ARGS__, LOG_END)
#define log_warn(...) LOG_CALL(LOG_WARN, __VA_ARGS__, LOG_END)
#define log_error(...) LOG_CALL(LOG_ERROR, __VA_ARGS__, LOG_END)
#endif
