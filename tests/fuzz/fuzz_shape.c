/* A schema and an answer, a line each; a request that holds both. */
#include <string.h>

#include "common/texts.h"
#include "guards/schema.h"
#include "guards/seal.h"
#include "guards/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy(void *arg, struct text_place place, struct json v, struct buf *out)
{
    (void)arg;
    (void)place;
    buf_add(out, v.p, v.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *line = memchr(text, '\n', size);
    static const unsigned char key[SEAL_KEY];
    struct error err;
    struct buf out;
    bool repaired;
    if (!line || !json_check(text, (size_t)(line - text), &err))
        return 0;
    const struct json schema = json_root(text, (size_t)(line - text));
    buf_init(&out, 1 << 20);
    (void)shape_check(schema, line + 1, size - (size_t)(line + 1 - text), &out, &repaired, &err);
    buf_clear(&out);
    texts_rewrite(schema, copy, NULL, &out);
    if (!json_check(out.data, out.len, &err))
        __builtin_trap(); /* what is written is JSON again */
    buf_clear(&out);
    if (json_is(schema, '{')) {
        (void)shape_wanted(schema);
        (void)seal_open(key, schema, &out);
    }
    buf_free(&out);
    return 0;
}
