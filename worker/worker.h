/* All the parts of a worker: main.c starts and ends them, wiring.c passes what one tells to
 * another, report.c says how they are. */
#ifndef QUERN_WORKER_H
#define QUERN_WORKER_H
#include "httpd.h"
#include "intake.h"
#include "lookup.h"
#include "outbound.h"
#include "pipeline.h"
#include "quota.h"
#include "settle.h"
#include "trace.h"
#include "upkeep.h"
#include "watch.h"
#include "webhook.h"

struct worker {
    struct ev_loop *loop;
    struct config *config;
    struct price_table *prices;
    struct caller *caller;
    struct router *router;
    struct pipeline *pipeline;
    struct lookup *lookup;
    struct settle *settle;
    struct outbound *outbound;
    struct watch *watch;
    struct quota_link *quota;
    struct webhook *webhook;
    struct upkeep *upkeep;
    struct trace *trace;   /* NULL: off */
    struct httpd *httpd;   /* NULL: none listens */
    struct guards *guards; /* NULL: none */
    struct intake *intakes[POOL_COUNT];
    int running; /* intakes not stopped yet */
    ev_signal term, intr, hup;
    ev_timer report, memory;
    int64_t reported, started_us;
    bool stopping, failed, short_of_memory;
};

/* In wiring.c; the argument of each is the worker. */
extern const struct sink_ops worker_sink_ops;
extern const struct sink_events worker_sink_events;
extern const struct watch_events worker_watch_events;
extern const struct intake_events worker_intake_events;
extern const struct source_ops worker_source_ops;
extern const struct quota_events worker_quota_events;
/* Takes nothing more; the loop ends when everything is given back. */
void worker_stop(struct worker *w);

/* In report.c. */
extern const struct upkeep_events worker_upkeep_events;
httpd_page worker_page;
/* A line in the log, if there is something to tell. */
void worker_log(struct worker *w);
/* Resident bytes of this process; 0: not known. */
int64_t worker_resident(void);
#endif
