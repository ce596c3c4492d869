/* How many calls a backend takes at a time, found by trying: additive increase, multiplicative
 * decrease (TCP's congestion avoidance, RFC 5681). Pure; times in seconds.
 *
 * A decrease counts once a flight: what was sent before it says nothing about the new limit. The
 * limit grows by one a flight, and only by calls that were sent after the last decrease while the
 * limit was reached: an idle backend proves nothing. A refusal of an older flight only takes away
 * its own place, if the limit is reached: what was accepted then stays. From an explicit start it
 * doubles each flight until the first decrease. */
#ifndef QUERN_AIMD_H
#define QUERN_AIMD_H
#include <stdbool.h>
#include <stdint.h>

struct aimd {
    double min, max, limit;
    int64_t in_flight;
    bool starting;      /* no decrease yet, and the start was explicit */
    double decreased;   /* when last; -1: never */
    const char *reason; /* of the last decrease; static text */
};

/* min 0: always the maximum. start 0: begins there. */
void aimd_init(struct aimd *a, int64_t min, int64_t max, int64_t start);
/* May one more call begin? */
bool aimd_has_room(const struct aimd *a);
/* A call that was sent then, and is still counted in in_flight, ended well. */
void aimd_good(struct aimd *a, double sent);
/* It was refused, or came too late. True: the limit fell by a tenth. `reason`: static text. */
bool aimd_bad(struct aimd *a, double sent, double now, bool refused, const char *reason);
#endif
