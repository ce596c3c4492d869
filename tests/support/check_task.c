/* Reads task documents as the worker does: "ok FILE" or "bad FILE: why" for each argument. */
#include <stdio.h>

#include "common/file.h"
#include "common/task_doc.h"

enum { FILE_MAX_BYTES = 1 << 20 };

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct buf text;
        struct error err;
        struct task_doc d;
        buf_init(&text, FILE_MAX_BYTES);
        if (file_read(argv[i], &text, &err) == QUERN_OK &&
            task_doc_read(text.data ? text.data : "", text.len, &d, &err) == QUERN_OK) {
            (void)printf("ok %s\n", argv[i]);
            task_doc_free(&d);
        } else {
            (void)printf("bad %s: %s\n", argv[i], err.message);
        }
        buf_free(&text);
    }
    return 0;
}
