/* Inside intake: intake.c has the records and the group, commits.c the offsets, handback.c the
 * giving back of partitions, scout.c what is taken ahead of its turn.
 */
#ifndef QUERN_INTAKE_PRIVATE_H
#define QUERN_INTAKE_PRIVATE_H
#include <librdkafka/rdkafka.h>

#include "consumer.h"
#include "intake.h"
#include "scout.h"
#include "stall.h"

/* A partition of ours, or one that is released and still has tasks. */
struct slot {
    struct slot *prev, *next;
    struct partition p;
    int64_t committed;        /* what Kafka has; -1: not known */
    int64_t last;             /* the newest offset that was taken; -1: none */
    bool paused;              /* the window was full */
    rd_kafka_queue_t *queue;  /* its own: of a retry topic, or for its first record; else NULL */
    rd_kafka_message_t *held; /* of a retry topic: the head, which is not due yet */
    struct scan scan;
};

enum phase { RUNNING, DRAINING, ABORTED, COMMITTING, CLOSING, CLOSED };

struct intake {
    struct ev_loop *loop;
    const struct config *config;
    const struct intake_events *events;
    void *arg;
    int pool; /* which group: a lane, or the retry topics */
    rd_kafka_t *rk;
    struct scout *scout; /* NULL: none looks ahead */
    struct join_watch join;
    rd_kafka_queue_t *group, *lane; /* what happens; records (of a lane) */
    size_t prefetch, taken; /* bytes, since librdkafka was told last that its queue is empty */
    int wake_fd;
    ev_io wake;
    ev_timer tick, again;                     /* again: soon, not from inside a callback */
    struct slot *slots;                       /* assigned, and released ones with tasks left */
    enum phase phase;                         /* of what is being given back */
    rd_kafka_topic_partition_list_t *leaving; /* that librdkafka waits for; NULL at shutdown */
    bool stopping, fatal, commit_running, commit_refused; /* refused: the last one */
    bool assigned;                                        /* at least once */
    int64_t rebalances;
    double deadline, next_commit, next_complaint, next_look;
    double served; /* when the last turn ended: before a freeze, if there was one since */
    double commit_sent;
    double contact;     /* what Kafka acknowledged last was sent then, or nothing was at stake */
    bool dark;          /* that is too long ago */
    bool told_dark;     /* and it was said, for tasks wait */
    struct stall stall; /* of the loop itself */
};

/* The lane or "retries", for logs. */
const char *intake_name(const struct intake *in);
/* The slot of a partition that is ours, or NULL. */
struct slot *intake_find(struct intake *in, const char *topic, int32_t number);
void intake_free_slot(struct intake *in, struct slot *s);
/* Hands a record that is to be taken now to the pipeline. */
void intake_receive(struct intake *in, struct slot *s, const rd_kafka_message_t *m);
/* Looks at everything again in a moment, not from inside a callback. */
void intake_soon(struct intake *in);
/* Logs and destroys an error of librdkafka; NULL: none. */
void intake_check(rd_kafka_error_t *e, const char *doing);

/* In commits.c. Commits the watermarks of the partitions that are ours, or of those that are being
 * given back. True if an answer is to come. `all`: also those that Kafka has already. */
bool commits_send(struct intake *in, bool revoked, bool all);
void commits_answered(struct intake *in, rd_kafka_event_t *e);
/* At each turn: sends them once a second. */
void commits_go_on(struct intake *in);
/* At `at` we were a member of the group for certain: when the request was sent that has been
 * answered, not when the answer is read. */
void commits_contact(struct intake *in, double at);
/* Says when Kafka falls silent, and when it is back. */
void commits_watch(struct intake *in);

/* In handback.c. */
void handback_revoked(struct intake *in, const rd_kafka_topic_partition_list_t *list);
/* Others have our old partitions now: their calls are ended. */
void handback_abort_lost(struct intake *in);
void handback_all(struct intake *in);
/* Takes the giving back one step on, if something has changed or the time is up. */
void handback_advance(struct intake *in);
#endif
