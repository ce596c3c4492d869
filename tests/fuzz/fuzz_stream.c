#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "worker/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the dialect and the size of the pieces. However it is cut, a stream comes
 * to the same answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole[2], translated;
    struct error err;
    struct reply r;
    if (size == 0)
        return 0;
    const struct dialect *d = dialects[data[0] % 3];
    const size_t steps[2] = {1 + data[0] / 3, size};
    for (int i = 0; i < 2; i++) {
        struct stream *s = stream_new(d, 1 << 16);
        buf_init(&whole[i], 1 << 20);
        for (size_t at = 1; at < size; at += steps[i])
            (void)stream_feed(s, (const char *)data + at,
                              size - at < steps[i] ? size - at : steps[i]);
        (void)stream_end(s);
        buf_add(&whole[i], s->whole.data, s->whole.len);
        stream_free(s);
    }
    buf_init(&translated, whole[0].len * 8 + 4096);
    if (whole[0].len != whole[1].len || memcmp(whole[0].data, whole[1].data, whole[0].len) != 0)
        __builtin_trap();
    d->reply(200, whole[0].data, whole[0].len, &translated, &r);
    if (translated.overflow || (r.body.p && !json_check(r.body.p, r.body.len, &err)))
        __builtin_trap();
    buf_free(&whole[0]);
    buf_free(&whole[1]);
    buf_free(&translated);
    return 0;
}
