#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/config.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_report report;
    char *text = mem_copy((const char *)data, size);
    struct config *c = config_parse(text, size, "fuzz", &report);
    config_free(c);
    config_report_free(&report);
    free(text);
    return 0;
}
