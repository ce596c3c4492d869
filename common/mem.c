#include "common/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p, size_t size)
{
    if (!p) {
        (void)fprintf(stderr, "quern: out of memory: cannot get %zu bytes\n", size);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return check(malloc(size ? size : 1), size);
}

void *mem_zero(size_t size)
{
    return check(calloc(1, size ? size : 1), size);
}

void *mem_resize(void *p, size_t size)
{
    return check(realloc(p, size ? size : 1), size);
}

void *mem_array(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        check(NULL, SIZE_MAX);
    return mem_resize(p, bytes);
}

char *mem_copy(const char *s, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *mem_string(const char *s)
{
    return s ? mem_copy(s, strlen(s)) : NULL;
}

char *mem_format(const char *fmt, ...)
{
    char *out = NULL;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&out, fmt, args) < 0)
        out = NULL;
    va_end(args);
    return check(out, 0);
}
