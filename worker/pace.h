/* Keeping to a rate, in the shares of it that this worker has leased. Pure; times in seconds.
 *
 * A lease is a stretch of time in which the whole rate is ours. Credit builds up while it passes; a
 * call may begin while there is credit, and takes what it uses, on credit if need be. What is not
 * used within PACE_LATE is gone: so no burst follows a pause, and in no minute more than the rate
 * and PACE_LATE seconds of it are used. */
#ifndef QUERN_PACE_H
#define QUERN_PACE_H
#include <stdbool.h>

enum { PACE_LEASES = 16 };
#define PACE_LATE 0.5
#define PACE_DEBT 60.0   /* more is forgiven: no absurd usage may close a limit for long */
#define PACE_HORIZON 1.0 /* leases reach so far ahead at most */

struct pace {
    double rate;   /* units a second; 0: there is no limit */
    double credit; /* seconds of the rate; below 0: debt */
    double clock;  /* until when leases have been turned to credit */
    int count;
    struct {
        double from, to;
    } leases[PACE_LEASES];
};

/* Turns what has passed of the leases into credit. */
void pace_advance(struct pace *p, double now);
/* May something begin, as of the last advance? */
bool pace_open(const struct pace *p);
void pace_take(struct pace *p, double units); /* below 0: gives back */
/* How many seconds of the rate to ask for, if so many units wait. */
double pace_want(const struct pace *p, double units);
void pace_lease(struct pace *p, double from, double seconds);
#endif
