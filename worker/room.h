/* How much of one kind of tasks is in memory, against its bounds. Pure. */
#ifndef QUERN_ROOM_H
#define QUERN_ROOM_H
#include <stdbool.h>
#include <stddef.h>

struct room {
    size_t tasks_max, bytes_max;
    size_t tasks, bytes;
    bool full;   /* it was, and has not yet fallen to seven eighths */
    bool narrow; /* an eighth of the bounds counts */
};

bool room_has(const struct room *r);
/* For what goes before its turn: as much again. */
bool room_has_ahead(const struct room *r);
void room_charge(struct room *r, size_t bytes);
/* True if it was full and has room again, with a margin: it is not worth waking intake for one
 * task. */
bool room_discharge(struct room *r, size_t bytes);
/* While memory is short: little is taken, but not nothing, for what was fetched and waits to be
 * taken goes in no other way. */
void room_narrow(struct room *r, bool narrow);
#endif
