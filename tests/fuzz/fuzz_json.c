#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct json v, int depth)
{
    struct json_member m;
    struct json item;
    size_t pos = 0;
    int64_t n;
    struct buf out;
    buf_init(&out, v.len + 1);
    (void)json_string(v, &out);
    (void)json_int64(v, &n);
    buf_clear(&out);
    json_minify(v, &out);
    buf_free(&out);
    if (depth > 3)
        return;
    if (json_is(v, '{'))
        while (json_next_member(v, &pos, &m))
            walk(m.value, depth + 1);
    else if (json_is(v, '['))
        while (json_next_item(v, &pos, &item))
            walk(item, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    if (json_check((const char *)data, size, &err))
        walk(json_root((const char *)data, size), 0);
    return 0;
}
