#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "producer/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct input *in)
{
    struct input_item item;
    struct error err;
    enum input_result r;
    do
        r = in->ops->next(in, &item, &err);
    while (r == INPUT_ITEM || r == INPUT_BAD);
    in->ops->close(in);
}

/* The same bytes as batch lines, as CSV and as JSONL rows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct input_prompt prompt = {"{{text}}", "s", "m"};
    enum { LINE_LIMIT = 512 };
    char path[64];
    struct error err;
    int fd = memfd_create("input", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        __builtin_trap();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_all(input_batch_open(path, LINE_LIMIT, &err));
    read_all(input_csv_open(path, &prompt, LINE_LIMIT, &err));
    read_all(input_jsonl_open(path, &prompt, LINE_LIMIT, &err));
    close(fd);
    return 0;
}
