#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"
#include "worker/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the HTTP status. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long status[] = {200, 400, 401, 429, 500, 302};
    struct reply r;
    if (size == 0)
        return 0;
    dialect_openai.reply(status[data[0] % 6], (const char *)data + 1, size - 1, &r);
    if (r.usage.input < 0 || r.usage.output < 0 ||
        (!r.success && !utf8_valid(r.error.message, strlen(r.error.message), NULL)))
        __builtin_trap();
    return 0;
}
