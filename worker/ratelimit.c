#include "ratelimit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"

/* Source: OpenAI "Rate limits in headers", Anthropic "Rate limits: response headers", and
 * draft-ietf-httpapi-ratelimit-headers-03. OpenAI's and Anthropic's limits fill up steadily, and
 * their reset is when they are full again: with `limit`, it says how long the next call takes. The
 * draft's is the end of a window. */
static const struct {
    const char *remaining, *reset, *limit;
    bool tokens;
} units[RATELIMIT_UNITS] = {
    {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "x-ratelimit-limit-requests",
     false},
    {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", "x-ratelimit-limit-tokens", true},
    {"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset",
     "anthropic-ratelimit-requests-limit", false},
    {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset",
     "anthropic-ratelimit-tokens-limit", true},
    {"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset",
     "anthropic-ratelimit-input-tokens-limit", true},
    {"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset",
     "anthropic-ratelimit-output-tokens-limit", true},
    {"ratelimit-remaining", "ratelimit-reset", NULL, false},
    {"x-ratelimit-remaining", "x-ratelimit-reset", NULL, false}};

/* Go's form: "1h2m3.5s". -1: it is none. */
static double parse_duration(const char *s)
{
    static const struct {
        const char *name;
        double seconds;
    } names[] = {{"ms", 1e-3}, {"us", 1e-6}, {"µs", 1e-6}, {"ns", 1e-9},
                 {"h", 3600},  {"m", 60},    {"s", 1}};
    const size_t count = sizeof names / sizeof *names;
    double sum = 0;
    while (*s) {
        char *end;
        size_t i = 0;
        double n = strtod(s, &end);
        if (end == s || !(n >= 0))
            return -1;
        while (i < count && strncmp(end, names[i].name, strlen(names[i].name)) != 0)
            i++;
        if (i == count)
            return -1;
        sum += n * names[i].seconds;
        s = end + strlen(names[i].name);
    }
    return sum;
}

/* A time, as seconds from now; a number is one already, unless it is too large to be meant so. */
static bool parse_moment(const char *value, double now, double *out)
{
    const double epoch = 1e9, epoch_ms = 1e12;
    char *end;
    int64_t at;
    if (units_parse_time(value, &at)) {
        *out = fmax((double)at / 1e6 - now, 0);
        return true;
    }
    *out = strtod(value, &end);
    if (end == value || *end)
        return false;
    if (*out > epoch)
        *out = fmax((*out > epoch_ms ? *out / 1e3 : *out) - now, 0);
    return true;
}

double ratelimit_parse_reset(const char *value, int64_t now_us)
{
    double v;
    if (!parse_moment(value, (double)now_us / 1e6, &v))
        v = *value ? parse_duration(value) : -1;
    return v >= 0 ? fmin(v, RATELIMIT_WAIT_MAX) : -1; /* a NaN is refused too */
}

void ratelimit_header(struct ratelimit *r, const char *name, const char *value, int64_t now_us)
{
    char *end;
    for (int i = 0; i < RATELIMIT_UNITS; i++) {
        if (strcasecmp(name, units[i].remaining) == 0) {
            double left = strtod(value, &end);
            r->empty[i] = end != value && left <= 0;
        } else if (strcasecmp(name, units[i].reset) == 0) {
            r->reset[i] = ratelimit_parse_reset(value, now_us);
        } else if (units[i].limit && strcasecmp(name, units[i].limit) == 0) {
            r->limit[i] = strtod(value, &end);
        }
    }
}

double ratelimit_wait(const struct ratelimit *r, double tokens)
{
    double wait = 0;
    for (int i = 0; i < RATELIMIT_UNITS; i++) {
        double one = units[i].tokens ? tokens : 1; /* call takes of it */
        double part = r->limit[i] > one ? one / r->limit[i] : 1;
        if (r->empty[i])
            wait = fmax(wait, r->reset[i] * part);
    }
    return wait;
}
