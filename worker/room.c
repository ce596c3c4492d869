#include "room.h"

bool room_has(const struct room *r)
{
    return r->tasks < r->tasks_max && r->bytes < r->bytes_max;
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
    if (!r->full || r->tasks > r->tasks_max / 8 * 7 || r->bytes > r->bytes_max / 8 * 7)
        return false;
    r->full = false;
    return true;
}
