#include <stddef.h>
#include <stdint.h>

#include "common/price_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *arg, const char *model, struct json entry, const struct price *p)
{
    const struct usage u = {.input = 300000, .cached = 7, .output = 9, .tier = TIER_BATCH};
    struct price again;
    struct error err;
    struct buf compact;
    bool priced = false;
    (void)arg;
    (void)model;
    buf_init(&compact, 1 << 20);
    price_compact(entry, &compact);
    if (!json_check(compact.data, compact.len, &err) ||
        price_read_model(json_root(compact.data, compact.len), &again, &priced, &err) != QUERN_OK ||
        !priced || price_cost(p, &u) < 0 || price_cost(p, &u) != price_cost(&again, &u))
        __builtin_trap();
    buf_free(&compact);
}

/* Whatever a price file holds, what is kept of it costs the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    (void)price_read_file((const char *)data, size, check, NULL, &err);
    return 0;
}
