#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

static void set_text(char *out, size_t size, const char *fmt, va_list args)
{
    if (vsnprintf(out, size, fmt, args) < 0)
        out[0] = '\0';
    utf8_clean(out, strlen(out)); /* the cut, or a peer's text, may have left half a character */
}

quern_status error_set(struct error *err, enum error_class class, const char *code, const char *fmt,
                       ...)
{
    if (!err)
        return QUERN_FAIL;
    err->class = class;
    (void)snprintf(err->code, sizeof err->code, "%s", code);
    va_list args;
    va_start(args, fmt);
    set_text(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return QUERN_FAIL;
}

quern_status error_prefix(struct error *err, const char *fmt, ...)
{
    if (!err)
        return QUERN_FAIL;
    char rest[ERROR_MESSAGE_MAX];
    (void)snprintf(rest, sizeof rest, "%s", err->message);
    va_list args;
    va_start(args, fmt);
    set_text(err->message, sizeof err->message, fmt, args);
    va_end(args);
    size_t used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof err->message - used, ": %s", rest);
    utf8_clean(err->message, strlen(err->message));
    return QUERN_FAIL;
}
