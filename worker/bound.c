#include "bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MOST 1e8

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

/* The largest number of this name: services differ in which they take if it is there twice. What
 * is no number counts as the most; `none` if it is not there. */
static double largest(struct json body, const char *name, double none)
{
    struct json_member m;
    size_t pos = 0;
    double most = -1;
    while (json_is(body, '{') && json_next_member(body, &pos, &m)) {
        if (!json_equals(m.key, name) || json_is(m.value, 'n'))
            continue;
        const double v = json_is(m.value, '0') ? strtod(m.value.p, NULL) : OUTPUT_MOST;
        most = fmax(most, v);
    }
    return most < 0 ? none : fmin(most, OUTPUT_MOST);
}

/* Of a completion's prompts: texts, or lists of tokens, each of which is answered. */
static double prompts_of(struct json body)
{
    struct json prompt = json_get(body, "prompt"), item;
    size_t pos = 0;
    double count = 0;
    while (json_is(prompt, '[') && json_next_item(prompt, &pos, &item))
        count += !json_is(item, '0');
    return fmax(1, count);
}

static int64_t most_output(const char *url, struct json body)
{
    const bool responses = strcmp(url, "/v1/responses") == 0;
    const double old = responses ? -1 : largest(body, "max_tokens", -1),
                 own = largest(body, responses ? "max_output_tokens" : "max_completion_tokens", -1),
                 max = fmax(old, own) < 0 ? BOUND_OUTPUT : fmax(old, own);
    const double answers =
        responses ? 1 : fmax(largest(body, "n", 1), largest(body, "best_of", 1)) * prompts_of(body);
    return (int64_t)fmin(ceil(max * fmax(1, answers)), OUTPUT_MOST);
}

static bool names_stored(struct json body)
{
    return json_get(body, "previous_response_id").p || json_get(body, "conversation").p ||
           json_is(json_get(body, "prompt"), '{');
}

struct usage bound_usage(const char *url, struct json body)
{
    static const char *const parts[] = {"\"image_url\"", "\"input_image\"", "\"input_audio\"",
                                        "\"file\"", "\"input_file\""};
    int64_t others = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        others += count(body, parts[i]);
    return (struct usage){.input = (int64_t)body.len + others * BOUND_IMAGE +
                                   (names_stored(body) ? BOUND_STORED : 0),
                          .output = most_output(url, body)};
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

int64_t bound_cost(const struct price *p, const struct config_backend *b, struct json body,
                   struct usage most_use)
{
    struct usage u = most_use;
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
