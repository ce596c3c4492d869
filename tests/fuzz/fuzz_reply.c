#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"
#include "worker/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the HTTP status and the dialect. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long status[] = {200, 400, 401, 429, 500, 302};
    struct reply r;
    struct error err;
    struct buf translated;
    if (size == 0)
        return 0;
    buf_init(&translated, size * 8 + 4096);
    dialects[data[0] / 6 % 3]->reply(status[data[0] % 6], (const char *)data + 1, size - 1,
                                     &translated, &r);
    if (translated.overflow || (r.body.p && !json_check(r.body.p, r.body.len, &err)))
        __builtin_trap();
    if (r.usage.input < 0 || r.usage.output < 0 ||
        (!r.success && !utf8_valid(r.error.message, strlen(r.error.message), NULL)))
        __builtin_trap();
    buf_free(&translated);
    return 0;
}
