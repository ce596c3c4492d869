/* What guards read: any text. */
#include <stdlib.h>
#include <string.h>

#include "common/compress.h"
#include "common/mem.h"
#include "guards/grounding.h"
#include "guards/injection.h"
#include "guards/quality.h"
#include "guards/sensitive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spans(const struct spans *s, size_t size)
{
    size_t last = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].from < last || s->items[i].to <= s->items[i].from || s->items[i].to > size)
            abort(); /* in order, without overlaps, within the text */
        last = s->items[i].to;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct injection *in;
    static struct glossary *glossary;
    static const struct config_compress_rule all = {
        .whitespace = true, .html = true, .repeats = true, .verbose = true};
    struct injection_verdict v;
    struct grounding g;
    struct spans found;
    struct buf out;
    char *text = mem_alloc(size ? size : 1); /* without a NUL: none may be needed */
    memcpy(text, data, size);
    if (!in) {
        in = injection_new();
        glossary = glossary_new();
    }
    injection_read(in, text, size, &v);
    if (v.score < 0 || v.score > 1)
        abort();
    spans_init(&found);
    sensitive_read(UINT32_MAX, text, size, &found);
    check_spans(&found, size);
    spans_free(&found);
    grounding_read(glossary, text, size / 2, text + size / 2, size - size / 2, &g);
    grounding_free(&g);
    (void)quality_relevance(text, size / 2, text + size / 2, size - size / 2);
    buf_init(&out, 1 << 20);
    compress_text(&all, text, size, &out);
    buf_free(&out);
    free(text);
    return 0;
}
