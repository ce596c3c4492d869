#include "common/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/units.h"
#include "common/utf8.h"

enum { LOG_LINE_MAX = 8192 };

static const char *const names[] = {"debug", "info", "warn", "error"};
static enum log_level threshold = LOG_INFO;
static bool as_json;

void log_setup(enum log_level level, enum log_format format)
{
    threshold = level;
    as_json = format == LOG_JSON || (format == LOG_AUTO && !isatty(STDERR_FILENO));
}

/* At most 1,000 bytes of a value: nobody's error page fills the log. */
static void add_text(struct buf *b, const char *s)
{
    char copy[1001];
    (void)snprintf(copy, sizeof copy, "%s", s);
    utf8_clean(copy, strlen(copy));
    if (as_json)
        buf_json(b, copy, strlen(copy));
    else if (strpbrk(copy, " \"=") || !*copy)
        buf_printf(b, "\"%s\"", copy);
    else
        buf_str(b, copy);
}

static void write_json(struct buf *b, enum log_level level, const char *message,
                       const struct log_field *f)
{
    char now[UNITS_TEXT_MAX];
    buf_printf(b,
               "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":", units_format_time(units_now_us(), now),
               names[level]);
    add_text(b, message);
    for (; f->key; f++) {
        buf_printf(b, ",\"%s\":", f->key);
        if (f->text)
            add_text(b, f->text);
        else
            buf_printf(b, "%" PRId64, f->number);
    }
    buf_char(b, '}');
}

static void write_text(struct buf *b, enum log_level level, const char *message,
                       const struct log_field *f)
{
    char now[UNITS_TEXT_MAX];
    buf_printf(b, "%.8s %-5s %s", units_format_time(units_now_us(), now) + 11, names[level],
               message);
    for (; f->key; f++) {
        buf_printf(b, " %s=", f->key);
        if (f->text)
            add_text(b, f->text);
        else
            buf_printf(b, "%" PRId64, f->number);
    }
}

void log_event(enum log_level level, const char *message, const struct log_field *fields)
{
    struct buf b;
    if (level < threshold)
        return;
    buf_init(&b, LOG_LINE_MAX);
    (as_json ? write_json : write_text)(&b, level, message, fields);
    buf_char(&b, '\n');
    if (b.data && write(STDERR_FILENO, b.data, b.len) < 0)
        b.len = 0; /* nowhere left to say it */
    buf_free(&b);
}
