#include "common/prices.h"

#include <stdio.h>

#include "common/embed.h"
#include "common/file.h"
#include "common/price_read.h"

enum { PRICES_MAX = 64 << 20, PRICE_NAME_MAX = 512 };

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

static void set_own(struct price_table *t, const struct config_price *own)
{
    struct price p;
    price_init(&p);
    int64_t *rate = p.band[0].rate[TIER_STANDARD];
    rate[PART_INPUT] = own->input;
    rate[PART_OUTPUT] = own->output < 0 ? 0 : own->output;
    rate[PART_CACHED] = own->cached;
    rate[PART_CACHE_WRITE] = own->cache_write;
    rate[PART_CACHE_WRITE_1H] = own->cache_write_1h;
    rate[PART_REASONING] = own->reasoning;
    price_table_set(t, own->model, &p);
}

const struct price *prices_find(const struct price_table *t, const struct config_backend *b,
                                const char *model)
{
    char name[PRICE_NAME_MAX];
    const struct price *found = NULL;
    if (b && b->prices.prefix &&
        snprintf(name, sizeof name, "%s%s", b->prices.prefix, model) < (int)sizeof name)
        found = price_find(t, name);
    return found ? found : price_find(t, model);
}

enum price_tier prices_tier(const struct config_backend *b, const struct usage *u)
{
    return b && u->tier == TIER_STANDARD && !u->tier_told ? (enum price_tier)b->prices.tier
                                                          : u->tier;
}

int64_t prices_cost(const struct price *p, const struct config_backend *b, struct usage u)
{
    u.tier = prices_tier(b, &u);
    return price_cost(p, &u);
}

static int64_t typical_cost(const struct price_table *t, const struct config *c,
                            const struct config_model *m, const struct config_candidate *k)
{
    static const struct usage typical = {.input = 3000, .output = 1000};
    const struct config_backend *b = config_backend_find(c, k->backend);
    const struct price *p = prices_find(t, b, k->model ? k->model : m->name);
    return p ? prices_cost(p, b, typical) : INT64_MAX;
}

static void order_candidates(const struct price_table *t, struct config *c)
{
    struct config_model *m = c->models.items;
    for (size_t i = 0; i < c->models.count; i++) {
        struct config_candidate *k = m[i].candidates.items;
        /* By insertion: stable, and there are 16 at most. */
        for (size_t j = 1; m[i].order == ORDER_CHEAPEST && j < m[i].candidates.count; j++) {
            const struct config_candidate moved = k[j];
            const int64_t cost = typical_cost(t, c, &m[i], &moved);
            size_t at = j;
            for (; at > 0 && typical_cost(t, c, &m[i], &k[at - 1]) > cost; at--)
                k[at] = k[at - 1];
            k[at] = moved;
        }
    }
}

struct price_table *prices_load(struct config *c, struct error *err)
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
        set_own(t, &p[i]);
    order_candidates(t, c);
    return t;
}
