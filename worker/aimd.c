#include "aimd.h"

#include <math.h>

#define DECREASE 0.9

void aimd_init(struct aimd *a, int64_t min, int64_t max, int64_t start)
{
    bool adapts = min > 0 && min < max;
    bool starts = adapts && start > 0 && start < max;
    *a = (struct aimd){.min = (double)(adapts ? min : max),
                       .max = (double)max,
                       .limit = (double)(!starts       ? max
                                         : start > min ? start
                                                       : min),
                       .starting = starts,
                       .decreased = -1};
}

bool aimd_has_room(const struct aimd *a)
{
    return (double)a->in_flight < floor(a->limit);
}

void aimd_good(struct aimd *a, double sent)
{
    bool reached = (double)a->in_flight >= floor(a->limit);
    if (!reached || sent <= a->decreased)
        return;
    a->limit = fmin(a->max, a->limit + (a->starting ? 1.0 : 1.0 / a->limit));
}

bool aimd_bad(struct aimd *a, double sent, double now, bool refused, const char *reason)
{
    double in_flight = (double)a->in_flight;
    if (sent <= a->decreased && refused && in_flight >= floor(a->limit))
        a->limit = fmax(a->min, fmin(a->limit, in_flight - 1.0));
    a->starting = false;
    if (sent <= a->decreased || a->limit <= a->min)
        return false;
    a->limit = fmax(a->min, fmin(a->limit, in_flight) * DECREASE);
    a->decreased = now;
    a->reason = reason;
    return true;
}
