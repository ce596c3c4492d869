#include "common/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/hash.h"
#include "common/mem.h"
#include "common/money.h"

enum { ATTO = 18 };

struct entry {
    char *model;
    struct rates rates;
    UT_hash_handle hh;
};

struct price_table {
    struct entry *models;
    uint64_t hash; /* of everything that was set, in order */
    char version[PRICE_VERSION_MAX];
};

struct price_table *price_table_new(void)
{
    struct price_table *t = mem_zero(sizeof *t);
    t->hash = HASH_START;
    return t;
}

void price_table_free(struct price_table *t)
{
    struct entry *e, *next;
    if (!t)
        return;
    HASH_ITER (hh, t->models, e, next) {
        HASH_DEL(t->models, e); // NOLINT(clang-analyzer-unix.Malloc): e is not freed yet
        free(e->model);
        free(e);
    }
    free(t);
}

const char *price_table_version(const struct price_table *t)
{
    return t->version;
}

void price_table_set(struct price_table *t, const char *model, struct rates rates)
{
    struct entry *e;
    HASH_FIND_STR(t->models, model, e);
    if (!e) {
        e = mem_zero(sizeof *e);
        e->model = mem_string(model);
        HASH_ADD_KEYPTR(hh, t->models, e->model, strlen(e->model), e);
    }
    e->rates = rates;
    t->hash = hash_add(t->hash, model, strlen(model) + 1);
    t->hash = hash_add(t->hash, &rates, sizeof rates);
    (void)snprintf(t->version, sizeof t->version, "%016" PRIx64, t->hash);
}

const struct rates *price_find(const struct price_table *t, const char *model)
{
    struct entry *e;
    HASH_FIND_STR(t->models, model, e);
    return e ? &e->rates : NULL;
}

static bool read_rate(struct json model, const char *key, int64_t *out)
{
    struct json v = json_get(model, key);
    *out = -1;
    if (!v.p || json_is(v, 'n'))
        return true;
    /* Some entries are doubles printed whole (2.9999900000000002e-06): the 19th place is noise. */
    return json_is(v, '0') && money_parse_rounded(v.p, v.len, ATTO, out);
}

/* False if a price is malformed; *priced tells whether the entry has token prices at all. */
static bool read_model(struct json model, struct rates *r, bool *priced)
{
    if (!read_rate(model, "input_cost_per_token", &r->input) ||
        !read_rate(model, "output_cost_per_token", &r->output) ||
        !read_rate(model, "cache_read_input_token_cost", &r->cached) ||
        !read_rate(model, "cache_creation_input_token_cost", &r->cache_write) ||
        !read_rate(model, "output_cost_per_reasoning_token", &r->reasoning))
        return false;
    *priced = r->input >= 0 || r->output >= 0;
    return true;
}

quern_status price_table_read(struct price_table *t, const char *text, size_t len,
                              struct error *err)
{
    struct json_member m;
    size_t pos = 0;
    if (!json_check(text, len, err))
        return QUERN_FAIL;
    struct json root = json_root(text, len);
    if (!json_is(root, '{'))
        return error_set(err, ERROR_PERMANENT, "invalid_prices",
                         "a price file is an object of models, e.g. {\"gpt-4o-mini\": "
                         "{\"input_cost_per_token\": 1.5e-07}}");
    while (json_next_member(root, &pos, &m)) {
        struct rates r;
        bool priced;
        if (!json_is(m.value, '{') || json_equals(m.key, "sample_spec"))
            continue;
        char *name = json_string_dup(m.key);
        bool ok = read_model(m.value, &r, &priced);
        if (!ok)
            (void)error_set(err, ERROR_PERMANENT, "invalid_prices",
                            "model \"%s\": a price is negative or no number", name);
        else if (priced)
            price_table_set(t, name, r);
        free(name);
        if (!ok)
            return QUERN_FAIL;
    }
    return QUERN_OK;
}

static int64_t at_most(int64_t part, int64_t whole)
{
    return part < 0 ? 0 : part > whole ? whole : part;
}

static __int128 cost(int64_t tokens, int64_t rate, int64_t plain)
{
    if (rate < 0)
        rate = plain < 0 ? 0 : plain;
    return (__int128)tokens * rate;
}

int64_t price_cost(const struct rates *r, const struct usage *u)
{
    int64_t input = at_most(u->input, INT64_MAX), output = at_most(u->output, INT64_MAX);
    int64_t cached = at_most(u->cached, input);
    int64_t write = at_most(u->cache_write, input - cached);
    int64_t reasoning = at_most(u->reasoning, output);
    return money_round(cost(input - cached - write, r->input, 0) +
                       cost(cached, r->cached, r->input) + cost(write, r->cache_write, r->input) +
                       cost(output - reasoning, r->output, 0) +
                       cost(reasoning, r->reasoning, r->output));
}
