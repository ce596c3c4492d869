/* Kafka as the source of tasks: topics, their partitions, and the offsets that may be committed. A
 * worker has one for each pool, members of as many groups: for each lane, and for the retry topics,
 * so that each is shared out evenly. A lane has one queue; each partition of a retry topic has its
 * own, whose head waits until it is due. */
#ifndef QUERN_INTAKE_H
#define QUERN_INTAKE_H
#include "source.h"

struct intake;

/* What intake does with what it gets. */
struct intake_events {
    bool (*has_room)(void *arg, int pool);
    /* Is a task of this tenant welcome before those that came earlier? `low`: even at half of what
     * it may have here. */
    bool (*wants)(void *arg, int pool, const char *tenant, bool low);
    void (*receive)(void *arg, struct partition *p, int64_t offset, const void *data, size_t len,
                    const struct journey *journey);
    void (*revoke)(void *arg, struct partition *p);
    void (*abort)(void *arg, struct partition *p);
    void (*look)(void *arg, struct partition *p); /* once a second: is its head stuck? */
    /* By Kafka's latest answer, our tasks are ours until then (by the loop's clock). */
    void (*owned)(void *arg, int pool, double until);
    /* The consumer is of no use any more (fenced by another of the same kafka.instance_id): its
     * tasks are others'. The process is to stop. */
    void (*fatal)(void *arg);
    void (*stopped)(void *arg); /* after intake_stop(): everything is given back */
};

struct intake *intake_new(struct ev_loop *loop, const struct config *c, int pool,
                          const struct intake_events *events, void *arg, struct error *err);
void intake_free(struct intake *in);

/* Takes nothing more, lets what is in flight end for worker.shutdown_grace, commits, leaves the
 * group; then `stopped`. */
void intake_stop(struct intake *in);

/* Of all its partitions. */
struct intake_stats {
    int partitions;
    bool ready;                  /* Kafka has given it a share (which may be none), and answers */
    int64_t rebalances, waiting; /* waiting: records in Kafka that were not taken yet */
    size_t open;
    double fill;                      /* of the fullest window, 0 to 1 */
    int64_t head_age_us, task_age_us; /* of the oldest open task: here, and since its record */
};
void intake_stats(const struct intake *in, struct intake_stats *out);

extern const struct source_ops intake_source; /* for the pipeline; its argument is the intake */
#endif
