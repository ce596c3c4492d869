#include "stall.h"

void stall_init(struct stall *s, double now)
{
    *s = (struct stall){.last = now, .seen = now};
}

void stall_tick(struct stall *s, double now)
{
    double pause = now - s->last;
    s->last = now;
    if (pause > s->longest || now - s->seen > STALL_MEMORY) {
        s->longest = pause;
        s->seen = now;
    }
}

double stall_longest(const struct stall *s)
{
    return s->longest;
}
