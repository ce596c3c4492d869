/* Places where tests make the program die, wait, or make a mistake on purpose. Compiled in only
 * with -DQUERN_FAILPOINTS (the presets for development); in a release they cost nothing and do
 * nothing.
 *
 * QUERN_FAILPOINTS="after-call=kill@50,after-write=delay@200,plant-no-lookup=on": the process kills
 * itself (SIGKILL) at the 50th passage of `after-call`; waits 200 ms at each passage of
 * `after-write`; and FAILPOINT("plant-no-lookup") is true. */
#ifndef QUERN_FAILPOINT_H
#define QUERN_FAILPOINT_H
#include <stdbool.h>

#ifdef QUERN_FAILPOINTS
/* True if the point is `on`. The names in use are listed in docs/faults.md. */
bool failpoint(const char *name);
#define FAILPOINT(name) failpoint(name)
#else
#define FAILPOINT(name) false
#endif
#endif
