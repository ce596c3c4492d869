/* What is committed, and what Kafka's answers tell: whether we are still a member. */
#include <utlist.h>

#include "common/failpoint.h"
#include "common/log.h"
#include "intake_private.h"

#define COMMIT_EVERY 1.0 /* seconds */

static int64_t offset_of(const struct slot *s)
{
    if (FAILPOINT("plant-highest-offset"))
        return s->last < 0 ? -1 : s->last + 1;
    return window_watermark(&s->p.window);
}

/* The offsets that may be committed; without `all`, only those that Kafka has not. NULL: none. */
static rd_kafka_topic_partition_list_t *due_offsets(struct intake *in, bool revoked, bool all)
{
    rd_kafka_topic_partition_list_t *due = rd_kafka_topic_partition_list_new(8);
    struct slot *s;
    DL_FOREACH (in->slots, s) {
        int64_t mark = offset_of(s);
        if (s->p.released || s->p.revoked != revoked || mark < 0 || (mark == s->committed && !all))
            continue;
        rd_kafka_topic_partition_list_add(due, s->p.topic, s->p.number)->offset = mark;
    }
    if (due->cnt)
        return due;
    rd_kafka_topic_partition_list_destroy(due);
    return NULL;
}

bool commits_send(struct intake *in, bool revoked, bool all)
{
    rd_kafka_topic_partition_list_t *due = due_offsets(in, revoked, all);
    in->commit_refused = false;
    if (!due)
        return false;
    (void)FAILPOINT("before-commit");
    in->commit_sent = ev_now(in->loop);
    rd_kafka_resp_err_t r = rd_kafka_commit_queue(in->rk, due, in->group, NULL, NULL);
    rd_kafka_topic_partition_list_destroy(due);
    in->commit_running = r == RD_KAFKA_RESP_ERR_NO_ERROR;
    in->commit_refused = !in->commit_running;
    if (in->commit_refused)
        log_warn("cannot commit offsets", LOG_S("error", rd_kafka_err2str(r)));
    return in->commit_running;
}

/* Kafka that is silent for longer may soon think us gone, or we were frozen and it has done so. */
static double silence_max(const struct intake *in)
{
    return (double)in->config->kafka.session_timeout / 3000.0 + COMMIT_EVERY;
}

void commits_contact(struct intake *in, double at)
{
    if (at > in->contact)
        in->contact = at;
    in->events->owned(in->arg, in->pool, in->contact + silence_max(in));
}

void commits_answered(struct intake *in, rd_kafka_event_t *e)
{
    rd_kafka_resp_err_t r = rd_kafka_event_error(e);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(e);
    (void)FAILPOINT("after-commit");
    in->commit_running = false;
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR)
        commits_contact(in, in->commit_sent);
    in->commit_refused = r != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (in->commit_refused)
        log_warn("offsets were not committed", LOG_S("error", rd_kafka_err2str(r)));
    for (int i = 0; list && i < list->cnt; i++) {
        struct slot *s = intake_find(in, list->elems[i].topic, list->elems[i].partition);
        if (s && r == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[i].err == r)
            s->committed = list->elems[i].offset;
    }
    if (!in->commit_refused) /* else at the next tick */
        intake_soon(in);
}

/* Every second, even if nothing has changed: so we know that Kafka is there, and the offsets of
 * idle partitions do not expire (after 7 days). */
void commits_go_on(struct intake *in)
{
    if (in->phase > ABORTED || in->commit_running || ev_now(in->loop) < in->next_commit)
        return;
    int64_t joining = join_watch_ms(&in->join);
    if (joining >= 0) { /* Kafka waits for the others to join, and holds our place so long */
        if (!in->dark && joining < in->config->kafka.session_timeout / 2)
            commits_contact(in, in->served);
        return;
    }
    in->next_commit = ev_now(in->loop) + COMMIT_EVERY;
    if (!commits_send(in, false, true) && !in->commit_refused && !in->dark)
        commits_contact(in, in->served); /* nothing of ours is at stake. If it is dark,
                                            the first record brings an offset to commit */
}

static bool holds_tasks(const struct intake *in)
{
    const struct slot *s;
    DL_FOREACH (in->slots, s)
        if (s->p.tasks)
            return true;
    return false;
}

void commits_watch(struct intake *in)
{
    in->dark = ev_now(in->loop) - in->contact > silence_max(in);
    bool tell = in->dark ? !in->told_dark && holds_tasks(in) : in->told_dark;
    if (!tell)
        return;
    in->told_dark = in->dark;
    log_warn(in->dark ? "Kafka does not answer; no new calls until it does" : "Kafka answers again",
             LOG_S("of", intake_name(in)));
}
