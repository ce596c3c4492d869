#include "room.h"

enum { NARROW = 8 };

/* Is it filled up to so many eighths of its bounds? */
static bool reaches(const struct room *r, size_t eighths)
{
    size_t part = r->narrow ? NARROW : 1;
    return r->tasks > r->tasks_max / part / 8 * eighths ||
           r->bytes > r->bytes_max / part / 8 * eighths;
}

bool room_has(const struct room *r)
{
    size_t part = r->narrow ? NARROW : 1;
    return r->tasks < (r->tasks_max + part - 1) / part && r->bytes < r->bytes_max / part;
}

bool room_has_ahead(const struct room *r)
{
    return !r->narrow && r->tasks < 2 * r->tasks_max && r->bytes < 2 * r->bytes_max;
}

void room_charge(struct room *r, size_t bytes)
{
    r->tasks++;
    r->bytes += bytes;
    r->full = r->full || !room_has(r);
}

bool room_discharge(struct room *r, size_t bytes)
{
    r->tasks--;
    r->bytes -= bytes;
    if (!r->full || reaches(r, 7))
        return false;
    r->full = false;
    return true;
}

void room_narrow(struct room *r, bool narrow)
{
    r->narrow = narrow;
    r->full = r->full || !room_has(r);
}
