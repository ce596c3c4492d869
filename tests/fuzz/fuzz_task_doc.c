#include <stddef.h>
#include <stdint.h>

#include "common/task_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read can be written, and what was written can be read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct task_doc d, again;
    struct buf out;
    if (task_doc_read((const char *)data, size, &d, &err) != QUERN_OK)
        return 0;
    buf_init(&out, 8 * size + 1024);
    task_doc_write(&d, &out);
    if (task_doc_read(out.data, out.len, &again, &err) != QUERN_OK)
        __builtin_trap();
    task_doc_free(&again);
    task_doc_free(&d);
    buf_free(&out);
    return 0;
}
