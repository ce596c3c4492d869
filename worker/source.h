/* Where tasks come from, as the pipeline sees it. Kafka is behind it (intake.c); tests have their
 * own. The source calls pipeline_receive() while pipeline_has_room(). */
#ifndef QUERN_SOURCE_H
#define QUERN_SOURCE_H
#include "task.h"

struct source_ops {
    /* There is room for this pool again. */
    void (*room)(void *source, int pool);
    /* A task of this partition has left the pipeline. If the window moved, an offset can be
     * committed; if the partition is revoked and has no tasks left, it can be given back. */
    void (*left)(void *source, struct partition *p);
};
#endif
