/* Looks ahead in the partitions of a lane for tenants whose turn it is, while the tasks of others
 * fill the room. A second consumer, in no group, reads on from where the first one has to wait, in
 * passes; what nobody wants yet is left to the first, or to a later pass. The window of the
 * partition knows who has taken what, so that each record is taken once, and watermarks are what
 * they are without a scout. */
#ifndef QUERN_SCOUT_H
#define QUERN_SCOUT_H
#include <uthash.h>

#include "common/config.h"
#include "common/error.h"

struct intake;
struct slot;
struct passed;
struct scout;

/* How far a partition was looked at. */
struct scan {
    bool on;     /* a pass is running */
    bool joined; /* it has come to `from`, a record that the window knows */
    int64_t from;
    double began, again;   /* by the loop's clock: its first record (0: none yet); the next pass */
    struct passed *passed; /* of each tenant the first record that was left, by name */
};

/* For a lane; wakes the loop through `fd`. NULL: `err` says why. */
struct scout *scout_new(const struct config *c, int lane, int fd, struct error *err);
void scout_free(struct scout *s);
/* Goes on with passes, and begins those that are due. */
void scout_serve(struct intake *in);
/* The partition is going away. */
void scout_forget(struct intake *in, struct slot *s);
#endif
