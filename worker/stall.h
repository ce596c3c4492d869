/* How long a loop stood still lately (a frozen process, a suspended machine), told by a tick that
 * should come at short intervals. Pure; times in seconds. */
#ifndef QUERN_STALL_H
#define QUERN_STALL_H

#define STALL_MEMORY                                                                               \
    30.0 /* the longest pause counts this long: others take time to react to it                    \
          */

struct stall {
    double last, longest, seen;
};

void stall_init(struct stall *s, double now);
void stall_tick(struct stall *s, double now);
double stall_longest(const struct stall *s);
#endif
