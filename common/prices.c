#include "common/prices.h"

#include "common/embed.h"
#include "common/file.h"

enum { PRICES_MAX = 64 << 20 };

static quern_status read_file(struct price_table *t, const char *path, struct error *err)
{
    struct buf b;
    buf_init(&b, PRICES_MAX);
    quern_status status = file_read(path, &b, err);
    if (status == QUERN_OK)
        status = price_table_read(t, b.data ? b.data : "", b.len, err);
    buf_free(&b);
    return status == QUERN_OK ? status : error_prefix(err, "prices.file %s", path);
}

struct price_table *prices_load(const struct config *c, struct error *err)
{
    struct price_table *t = price_table_new();
    quern_status status = price_table_read(t, embedded_prices[0].data, embedded_prices[0].len, err);
    if (status == QUERN_OK && c->prices.file)
        status = read_file(t, c->prices.file, err);
    if (status != QUERN_OK) {
        price_table_free(t);
        return NULL;
    }
    const struct config_price *p = c->prices.models.items;
    for (size_t i = 0; i < c->prices.models.count; i++)
        price_table_set(t, p[i].model,
                        (struct rates){.input = p[i].input,
                                       .output = p[i].output < 0 ? 0 : p[i].output,
                                       .cached = p[i].cached,
                                       .cache_write = -1,
                                       .reasoning = -1});
    return t;
}
