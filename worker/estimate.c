#include "estimate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define FIRST_TOKENS_PER_BYTE 0.25
#define FIRST_OUTPUT 256.0
#define MOST_TOKENS_PER_BYTE 1e3 /* an image's url is short, and its tokens are many */
#define MOST_OUTPUT 1e6
#define DEVIATIONS 3.0          /* a quantile of 0.999, were the errors normal */
#define KEEP (1.0 - 1.0 / 64.0) /* of the weight of older calls, at each new one */

enum { LINE_CALLS = 4, KNOWN_CALLS = 8, MEAN_CALLS = 64, TOLD_CALLS = 10 };

void estimates_init(struct estimates *es)
{
    *es = (struct estimates){.other = {.output = FIRST_OUTPUT}};
}

void estimates_free(struct estimates *es)
{
    struct estimate *e, *next;
    HASH_ITER (hh, es->by_key, e, next) {
        HASH_DEL(es->by_key, e); // NOLINT(clang-analyzer-unix.Malloc): e is not freed yet
        free(e->key);
        free(e);
    }
}

struct estimate *estimates_find(struct estimates *es, const char *model, const char *url,
                                const char *feature)
{
    char key[ESTIMATE_KEY_MAX];
    struct estimate *e;
    (void)snprintf(key, sizeof key, "%s\x1f%s\x1f%s", model, url ? url : "",
                   feature ? feature : "");
    HASH_FIND_STR(es->by_key, key, e);
    if (e)
        return e;
    if (HASH_COUNT(es->by_key) >= ESTIMATE_KINDS_MAX)
        return &es->other;
    e = mem_zero(sizeof *e);
    e->key = mem_string(key);
    e->output = FIRST_OUTPUT;
    HASH_ADD_KEYPTR(hh, es->by_key, e->key, strlen(e->key), e);
    return e;
}

/* A line through the points, never falling; through the origin while they are too few or alike. */
static double input_of(const struct estimate *e, double bytes)
{
    if (e->calls == 0 || e->x <= 0)
        return bytes * FIRST_TOKENS_PER_BYTE;
    const double spread = e->n * e->xx - e->x * e->x;
    double slope = spread > 1e-6 * e->xx * e->n ? (e->n * e->xy - e->x * e->y) / spread : -1;
    if (e->calls < LINE_CALLS || slope < 0)
        return bytes * e->y / e->x;
    return fmax(0, (e->y - slope * e->x) / e->n + slope * bytes);
}

double estimate_tokens(const struct estimate *e, size_t bytes, int64_t most_output)
{
    return input_of(e, (double)bytes) + fmin(e->output, (double)most_output);
}

double estimate_most(const struct estimate *e, size_t bytes, const struct usage *bound)
{
    const double most = (double)bound->input + (double)bound->output;
    if (e->calls < KNOWN_CALLS)
        return most;
    return fmin(most, estimate_tokens(e, bytes, bound->output) + DEVIATIONS * sqrt(e->square));
}

/* How far the estimates, as they are now, lie from what it took. */
static void learn_spread(struct estimate *e, size_t bytes, double was)
{
    const double error = was - estimate_tokens(e, bytes, INT64_MAX);
    if (e->calls >= LINE_CALLS)
        e->square += (error * error - e->square) / (e->calls - LINE_CALLS + 1);
}

bool estimate_is_known(const struct estimate *e)
{
    return e->calls >= KNOWN_CALLS;
}

void estimate_learn(struct estimate *e, size_t bytes, const struct usage *u, double said)
{
    if (bytes == 0)
        return;
    const double x = (double)bytes, y = fmin((double)u->input, x * MOST_TOKENS_PER_BYTE);
    const double output = fmin((double)u->output, MOST_OUTPUT);
    e->n = e->n * KEEP + 1;
    e->x = e->x * KEEP + x;
    e->y = e->y * KEEP + y;
    e->xx = e->xx * KEEP + x * x;
    e->xy = e->xy * KEEP + x * y;
    e->calls += e->calls < MEAN_CALLS;
    e->output += (output - e->output) / e->calls;
    learn_spread(e, bytes, y + output);
    if (said < 0)
        return;
    e->said = e->said * KEEP + said;
    e->was = e->was * KEEP + y + output;
    e->told += e->told < TOLD_CALLS;
}

double estimate_error(const struct estimate *e)
{
    return e->told < TOLD_CALLS || e->was <= 0 ? -1 : fabs(e->said - e->was) / e->was;
}
