#include "common/price_read.h"

#include <stdlib.h>
#include <string.h>

#include "common/money.h"

enum { ATTO = 18, THOUSAND = 1000 };

/* Keys of the file: a part, then `_above_200k_tokens` if it is a long input's, then the tier.
 * The longest name comes first. */
static const struct {
    const char *name;
    enum price_part part;
    bool alias; /* another key's word goes before */
} parts[] = {{"cache_creation_input_token_cost_above_1hr", PART_CACHE_WRITE_1H, false},
             {"cache_creation_input_token_cost", PART_CACHE_WRITE, false},
             {"cache_read_input_token_cost", PART_CACHED, false},
             {"input_cost_per_token_cache_hit", PART_CACHED, true},
             {"input_cost_per_token", PART_INPUT, false},
             {"output_cost_per_token", PART_OUTPUT, false},
             {"output_cost_per_reasoning_token", PART_REASONING, false}};
static const char *const tiers[TIER_COUNT] = {"", "_batches", "_priority", "_flex"};

struct key {
    enum price_part part;
    enum price_tier tier;
    int64_t above;
    bool alias;
};

static bool skip(const char **s, const char *prefix)
{
    size_t n = strlen(prefix);
    bool there = strncmp(*s, prefix, n) == 0;
    *s += there ? n : 0;
    return there;
}

/* "_above_200k_tokens": 200000; nothing of the kind: 0. False if it is malformed. */
static bool read_above(const char **s, int64_t *above)
{
    char *end;
    *above = 0;
    if (!skip(s, "_above_"))
        return true;
    const long long thousands = strtoll(*s, &end, 10);
    *s = end;
    if (thousands <= 0 || thousands > USAGE_MAX / THOUSAND)
        return false;
    *above = thousands * THOUSAND;
    return skip(s, "k_tokens");
}

/* False: not one of those that we know. */
static bool read_key(const char *s, struct key *out)
{
    size_t i = 0;
    while (i < sizeof parts / sizeof *parts && !skip(&s, parts[i].name))
        i++;
    if (i == sizeof parts / sizeof *parts || !read_above(&s, &out->above))
        return false;
    out->part = parts[i].part;
    out->alias = parts[i].alias;
    for (int tier = 0; tier < TIER_COUNT; tier++)
        if (strcmp(s, tiers[tier]) == 0) {
            out->tier = (enum price_tier)tier;
            return true;
        }
    return false;
}

static bool key_of(struct json_member m, struct key *out)
{
    char *name = json_string_dup(m.key);
    bool known = name && read_key(name, out);
    free(name);
    return known && !json_is(m.value, 'n');
}

/* `from`: what the rates of an entry of tiered_pricing are for. */
static quern_status read_rates(struct json object, int64_t from, struct price *out,
                               struct error *err)
{
    struct json_member m;
    struct key k;
    size_t pos = 0;
    while (json_next_member(object, &pos, &m)) {
        int64_t rate;
        if (!key_of(m, &k))
            continue;
        struct price_band *b = price_band(out, k.above ? k.above : from);
        if (!b)
            return error_set(err, ERROR_PERMANENT, "invalid_prices",
                             "more than %d lengths of input are priced apart", PRICE_BANDS);
        /* Some are doubles printed whole (2.9999900000000002e-06): the 19th place is noise. */
        if (!json_is(m.value, '0') || !money_parse_rounded(m.value.p, m.value.len, ATTO, &rate))
            return error_set(err, ERROR_PERMANENT, "invalid_prices",
                             "%.*s: the price is negative, too large, or no number", (int)m.key.len,
                             m.key.p);
        if (!k.alias || b->rate[k.tier][k.part] < 0)
            b->rate[k.tier][k.part] = rate;
    }
    return QUERN_OK;
}

/* "tiered_pricing": [{"range": [0, 256000], …}]: the range that holds the input's length prices the
 * whole call, its upper end included (Alibaba Model Studio's rule). */
static quern_status read_ranges(struct json list, struct price *out, struct error *err)
{
    struct json item, from;
    size_t pos = 0;
    while (json_is(list, '[') && json_next_item(list, &pos, &item)) {
        int64_t above;
        size_t first = 0;
        struct json range = json_get(item, "range");
        if (!json_is(range, '['))
            continue;
        if (!json_next_item(range, &first, &from) || !json_is(from, '0') ||
            !money_parse(from.p, from.len, 0, &above))
            return error_set(err, ERROR_PERMANENT, "invalid_prices",
                             "tiered_pricing: a range is two counts of tokens, e.g. [0, 256000]");
        if (read_rates(item, above, out, err) != QUERN_OK)
            return QUERN_FAIL;
    }
    return QUERN_OK;
}

static bool has_prices(const struct price *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->band[i].rate[TIER_STANDARD][PART_INPUT] >= 0 ||
            p->band[i].rate[TIER_STANDARD][PART_OUTPUT] >= 0)
            return true;
    return false;
}

quern_status price_read_model(struct json model, struct price *out, bool *priced, struct error *err)
{
    price_init(out);
    if (read_rates(model, 0, out, err) != QUERN_OK ||
        read_ranges(json_get(model, "tiered_pricing"), out, err) != QUERN_OK)
        return QUERN_FAIL;
    *priced = has_prices(out);
    return QUERN_OK;
}

quern_status price_read_file(const char *text, size_t len, price_each *each, void *arg,
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
        struct price p;
        bool priced = false;
        if (!json_is(m.value, '{') || json_equals(m.key, "sample_spec"))
            continue;
        char *name = json_string_dup(m.key);
        quern_status status = price_read_model(m.value, &p, &priced, err);
        if (status != QUERN_OK)
            (void)error_prefix(err, "model \"%s\"", name);
        else if (priced)
            each(arg, name, m.value, &p);
        free(name);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

static void add(void *arg, const char *model, struct json entry, const struct price *p)
{
    (void)entry;
    price_table_set(arg, model, p);
}

quern_status price_table_read(struct price_table *t, const char *text, size_t len,
                              struct error *err)
{
    return price_read_file(text, len, add, t, err);
}

/* `ranges`: the entry's own tiered_pricing, and a range in it, are kept too. */
static void compact(struct json object, bool ranges, struct buf *out)
{
    struct json_member m;
    struct json item;
    struct key k;
    size_t pos = 0;
    const char *comma = "";
    buf_char(out, '{');
    while (json_next_member(object, &pos, &m)) {
        bool list = ranges && json_equals(m.key, "tiered_pricing") && json_is(m.value, '[');
        if (!list && !key_of(m, &k) && !(!ranges && json_equals(m.key, "range")))
            continue;
        buf_printf(out, "%s%.*s: ", comma, (int)m.key.len, m.key.p);
        comma = ", ";
        if (!list) {
            buf_add(out, m.value.p, m.value.len);
            continue;
        }
        size_t at = 0;
        for (buf_char(out, '['); json_next_item(m.value, &at, &item);)
            compact(item, false, out), buf_char(out, ',');
        out->len -= out->data[out->len - 1] == ',';
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

void price_compact(struct json entry, struct buf *out)
{
    compact(entry, true, out);
}
