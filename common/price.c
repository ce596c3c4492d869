#include "common/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/hash.h"
#include "common/mem.h"
#include "common/money.h"

const char *const price_tier_names[TIER_COUNT] = {"standard", "batch", "priority", "flex"};

/* ---- one model ------------------------------------------------------------------------------ */

static void band_init(struct price_band *b, int64_t above)
{
    b->above = above;
    for (int tier = 0; tier < TIER_COUNT; tier++)
        for (int part = 0; part < PART_COUNT; part++)
            b->rate[tier][part] = -1;
}

void price_init(struct price *p)
{
    p->count = 1;
    band_init(&p->band[0], 0);
}

struct price_band *price_band(struct price *p, int64_t above)
{
    size_t i = 0;
    while (i < p->count && p->band[i].above < above)
        i++;
    if (i < p->count && p->band[i].above == above)
        return &p->band[i];
    if (p->count == PRICE_BANDS)
        return NULL;
    memmove(&p->band[i + 1], &p->band[i], (p->count++ - i) * sizeof *p->band);
    band_init(&p->band[i], above);
    return &p->band[i];
}

/* What stands for a part without a rate of its own. */
static const enum price_part wholes[PART_COUNT] = {
    [PART_INPUT] = PART_INPUT,      [PART_OUTPUT] = PART_OUTPUT,
    [PART_CACHED] = PART_INPUT,     [PART_CACHE_WRITE] = PART_INPUT,
    [PART_REASONING] = PART_OUTPUT, [PART_CACHE_WRITE_1H] = PART_CACHE_WRITE,
};

/* As the band says for the tier, or -1. Reasoning goes with the output beside it. */
static int64_t said(const struct price_band *b, enum price_tier tier, enum price_part part)
{
    int64_t own = b->rate[tier][part];
    return own < 0 && part == PART_REASONING ? b->rate[tier][PART_OUTPUT] : own;
}

/* In half atto-dollars a token, so that half a rate is a whole number too. */
static __int128 rate_of(const struct price *p, size_t band, enum price_tier tier,
                        enum price_part part)
{
    for (size_t i = band + 1; i-- > 0;) {
        int64_t own = said(&p->band[i], tier, part);
        int64_t plain = said(&p->band[i], TIER_STANDARD, part);
        if (own >= 0)
            return (__int128)own * 2;
        if (plain >= 0)
            return tier == TIER_BATCH ? plain : (__int128)plain * 2;
    }
    return wholes[part] == part ? 0 : rate_of(p, band, tier, wholes[part]);
}

static int64_t at_most(int64_t part, int64_t whole)
{
    return part < 0 ? 0 : part > whole ? whole : part;
}

int64_t price_cost(const struct price *p, const struct usage *u)
{
    int64_t input = at_most(u->input, USAGE_MAX), output = at_most(u->output, USAGE_MAX);
    int64_t cached = at_most(u->cached, input);
    int64_t write = at_most(u->cache_write, input - cached);
    int64_t kept = at_most(u->cache_write_1h, write);
    int64_t reasoning = at_most(u->reasoning, output);
    const int64_t tokens[PART_COUNT] = {
        [PART_INPUT] = input - cached - write,
        [PART_OUTPUT] = output - reasoning,
        [PART_CACHED] = cached,
        [PART_CACHE_WRITE] = write - kept,
        [PART_CACHE_WRITE_1H] = kept,
        [PART_REASONING] = reasoning,
    };
    __int128 sum = 0;
    size_t band = 0;
    while (band + 1 < p->count && input > p->band[band + 1].above)
        band++;
    for (int i = 0; i < PART_COUNT; i++)
        if (tokens[i])
            sum += tokens[i] * rate_of(p, band, u->tier, (enum price_part)i);
    return money_from_half_atto(sum);
}

/* ---- all models ----------------------------------------------------------------------------- */

struct entry {
    char *model;
    struct price *price; /* as long as its bands */
    uint64_t hash;
    UT_hash_handle hh;
};

struct price_table {
    struct entry *models;
    uint64_t hash; /* the sum of all entries' */
    char version[PRICE_VERSION_MAX];
};

struct price_table *price_table_new(void)
{
    return mem_zero(sizeof(struct price_table));
}

void price_table_free(struct price_table *t)
{
    struct entry *e, *next;
    if (!t)
        return;
    HASH_ITER (hh, t->models, e, next) {
        HASH_DEL(t->models, e); // NOLINT(clang-analyzer-unix.Malloc): e is not freed yet
        free(e->model);
        free(e->price);
        free(e);
    }
    free(t);
}

const char *price_table_version(const struct price_table *t)
{
    return t->version;
}

void price_table_set(struct price_table *t, const char *model, const struct price *price)
{
    struct entry *e;
    const size_t size = offsetof(struct price, band) + price->count * sizeof *price->band;
    HASH_FIND_STR(t->models, model, e);
    if (!e) {
        e = mem_zero(sizeof *e);
        e->model = mem_string(model);
        HASH_ADD_KEYPTR(hh, t->models, e->model, strlen(e->model), e);
    }
    e->price = mem_array(e->price, size, 1);
    memcpy(e->price, price, size);
    t->hash -= e->hash;
    e->hash = hash_add(hash_add(HASH_START, model, strlen(model) + 1), price, size);
    t->hash += e->hash;
    (void)snprintf(t->version, sizeof t->version, "%016" PRIx64, t->hash);
}

const struct price *price_find(const struct price_table *t, const char *model)
{
    struct entry *e;
    HASH_FIND_STR(t->models, model, e);
    return e ? e->price : NULL;
}

static int by_name(const struct entry *a, const struct entry *b)
{
    return strcmp(a->model, b->model);
}

void price_table_each(struct price_table *t,
                      void (*each)(void *arg, const char *model, const struct price *p), void *arg)
{
    struct entry *e, *next;
    HASH_SORT(t->models, by_name);
    HASH_ITER (hh, t->models, e, next)
        each(arg, e->model, e->price);
}
