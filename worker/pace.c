#include "pace.h"

#include <math.h>

void pace_advance(struct pace *p, double now)
{
    int kept = 0;
    for (int i = 0; i < p->count; i++) {
        double from = fmax(p->leases[i].from, p->clock), to = fmin(p->leases[i].to, now);
        if (to > from)
            p->credit += to - from;
        if (p->leases[i].to > now)
            p->leases[kept++] = p->leases[i];
    }
    p->count = kept;
    p->credit = fmin(p->credit, PACE_LATE);
    p->clock = fmax(p->clock, now);
}

bool pace_open(const struct pace *p)
{
    return p->rate <= 0 || p->credit > 0;
}

void pace_take(struct pace *p, double units)
{
    if (p->rate > 0)
        p->credit = fmax(fmin(p->credit - units / p->rate, PACE_LATE), -PACE_DEBT);
}

double pace_want(const struct pace *p, double units)
{
    double want = p->rate > 0 && units > 0 ? units / p->rate - p->credit : 0;
    for (int i = 0; i < p->count; i++)
        want -= p->leases[i].to - fmax(p->leases[i].from, p->clock);
    return fmin(fmax(want, 0), PACE_HORIZON);
}

void pace_lease(struct pace *p, double from, double seconds)
{
    if (p->count == PACE_LEASES || seconds <= 0)
        return;
    p->leases[p->count].from = from;
    p->leases[p->count++].to = from + seconds;
}
