#include "bound.h"

#include <string.h>

#define OUTPUT_MOST 100000000LL

/* How often a text stands in the body. */
static int64_t count(struct json body, const char *needle)
{
    const char *at = body.p, *end = body.p + body.len;
    const size_t n = strlen(needle);
    int64_t found = 0;
    while (at && (at = memmem(at, (size_t)(end - at), needle, n)) != NULL) {
        found++;
        at += n;
    }
    return found;
}

static int64_t most_output(struct json body)
{
    static const char *const names[] = {"max_completion_tokens", "max_tokens", "max_output_tokens",
                                        "n"};
    struct json m[4];
    int64_t max = -1, answers = 1;
    json_get_all(body, names, m, 4);
    for (int i = 0; i < 3 && max < 0; i++)
        if (!json_int64(m[i], &max))
            max = -1;
    if (max < 0)
        max = BOUND_OUTPUT;
    if (!json_int64(m[3], &answers) || answers < 1)
        answers = 1;
    return max > OUTPUT_MOST / answers ? OUTPUT_MOST : max * answers;
}

struct usage bound_usage(struct json body)
{
    static const char *const parts[] = {"\"image_url\"", "\"input_image\"", "\"input_audio\"",
                                        "\"file\"", "\"input_file\""};
    int64_t others = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        others += count(body, parts[i]);
    return (struct usage){.input = (int64_t)body.len + others * BOUND_IMAGE,
                          .output = most_output(body)};
}

static enum price_tier tier_named(struct json body)
{
    struct json v = json_get(body, "service_tier");
    for (int i = 0; i < TIER_COUNT; i++)
        if (json_equals(v, price_tier_names[i]))
            return (enum price_tier)i;
    return TIER_STANDARD;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t bound_cost(const struct price *p, const struct config_backend *b, struct json body)
{
    struct usage u = bound_usage(body);
    const bool writes = count(body, "\"cache_control\"") > 0;
    const enum price_tier tiers[] = {prices_tier(b, &u), tier_named(body), TIER_STANDARD};
    int64_t most = 0;
    for (int tier = 0; tier < 3; tier++) {
        for (int variant = 0; variant < (writes ? 6 : 2); variant++) {
            struct usage v = u;
            v.tier = tiers[tier];
            v.tier_told = true;
            v.reasoning = variant % 2 ? v.output : 0;
            v.cache_write = variant / 2 ? v.input : 0;
            v.cache_write_1h = variant / 2 == 2 ? v.input : 0;
            most = larger(most, price_cost(p, &v));
        }
    }
    return most;
}
