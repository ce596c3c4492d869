#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "worker/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a task's body is: a translation is JSON, or a refusal that names a field. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct buf out;
    const char *text = (const char *)data;
    if (!json_check(text, size, &err) || !json_is(json_root(text, size), '{'))
        return 0;
    for (int i = 0; i < 3; i++) {
        const struct request q = {"/v1/chat/completions", "m", json_root(text, size), 4096, true};
        buf_init(&out, size * 8 + 8192);
        quern_status status = dialects[i]->request(&q, &out, &err);
        if (out.overflow || (status == QUERN_OK && !json_check(out.data, out.len, &err)) ||
            (status != QUERN_OK && strcmp(err.code, "invalid_request") != 0))
            __builtin_trap();
        buf_free(&out);
    }
    return 0;
}
