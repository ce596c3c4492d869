#include "task.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/mem.h"
#include "common/units.h"
#include "guards/guard.h"
#include "sharing.h"

const char *const task_status_names[] = {"none",    "succeeded", "failed",  "cancelled",
                                         "expired", "degraded",  "blocked", "parked"};

bool task_status_is_final(enum task_status s)
{
    return s != STATUS_NONE && s != STATUS_PARKED;
}

bool task_status_is_success(enum task_status s)
{
    return s == STATUS_SUCCEEDED || s == STATUS_DEGRADED || s == STATUS_BLOCKED;
}

static void set_identity(struct task *t)
{
    size_t len = strlen(t->doc.custom_id);
    t->identity_len = sizeof t->doc.job_id + len;
    t->identity = mem_alloc(t->identity_len);
    memcpy(t->identity, &t->doc.job_id, sizeof t->doc.job_id);
    memcpy(t->identity + sizeof t->doc.job_id, t->doc.custom_id, len);
}

void task_read_record(struct task *t, const void *record, size_t len)
{
    if (t->readable)
        task_doc_free(&t->doc);
    free(t->identity);
    free(t->record);
    t->identity = NULL;
    t->record = mem_copy(record, len);
    t->record_len = len;
    t->readable = task_doc_read(t->record, len, &t->doc, &t->error) == QUERN_OK;
    if (t->readable)
        set_identity(t);
}

struct task *task_new(struct partition *p, int64_t offset, const void *record, size_t len,
                      const struct journey *journey)
{
    struct task *t = mem_zero(sizeof *t);
    t->partition = p;
    t->offset = offset;
    t->received_us = units_now_us();
    t->journey = journey ? *journey : (struct journey){.lane = -1};
    if (t->journey.first_seen_ms == 0)
        t->journey.first_seen_ms = t->received_us / 1000;
    t->tries = (int)t->journey.tries;
    t->lane = p->lane >= 0 ? p->lane : t->journey.lane >= 0 ? t->journey.lane : LANE_NORMAL;
    t->number = window_add(&p->window, offset);
    task_read_record(t, record, len);
    DL_APPEND2(p->tasks, t, partition_prev, partition_next);
    return t;
}

void task_free(struct task *t)
{
    DL_DELETE2(t->partition->tasks, t, partition_prev, partition_next);
    for (size_t i = 0; i < t->attempt_count; i++)
        free(t->attempts[i].error);
    free(t->attempts);
    if (t->readable)
        task_doc_free(&t->doc);
    free(t->record);
    free(t->sealed);
    guarded_free(t->guarded);
    task_forget_again(t);
    free(t->measured ? t->measured->unsupported : NULL);
    free(t->measured);
    free(t->identity);
    buf_free(&t->request);
    task_drop_response(t);
    free(t->sharing);
    free(t->saved);
    free(t);
}

const char *task_kept_record(const struct task *t, size_t *len)
{
    *len = t->sealed ? t->sealed_len : t->record_len;
    return t->sealed ? t->sealed : t->record;
}

size_t task_bytes(const struct task *t)
{
    return sizeof *t + t->record_len;
}

const struct config_candidate *task_candidate(const struct task *t)
{
    return (const struct config_candidate *)t->route->candidates.items + t->candidate;
}

const char *task_upstream_model(const struct task *t)
{
    const struct config_candidate *c = task_candidate(t);
    return c->model ? c->model : t->doc.model;
}

int64_t task_begun_us(const struct task *t)
{
    const int64_t told = t->journey.seq ? t->journey.first_seen_ms : t->journey.recorded_ms;
    return told > 0 && told * 1000 < t->received_us ? told * 1000 : t->received_us;
}

const struct attempt *task_last_attempt(const struct task *t)
{
    size_t n = t->attempt_count;
    while (n > 0 && t->attempts[n - 1].aside)
        n--;
    return n ? &t->attempts[n - 1] : NULL;
}

void task_forget_again(struct task *t)
{
    if (t->again)
        free(t->again->answer);
    free(t->again);
    t->again = NULL;
}

void task_drop_response(struct task *t)
{
    if (t->sharing && t->sharing->borrowed) {
        borrowed_drop(t->sharing->borrowed);
        t->sharing->borrowed = NULL;
        t->sharing->source = SOURCE_CALL;
    } else {
        free(t->response);
    }
    t->response = NULL;
}

void task_finish(struct task *t, enum task_status status)
{
    t->status = status;
    t->finished_us = units_now_us();
}

void task_park(struct task *t, int tier, int64_t due_ms)
{
    t->status = STATUS_PARKED;
    t->tier = tier;
    t->copy = t->journey;
    t->copy.seq++;
    t->copy.tries = t->tries;
    t->copy.attempts += (int64_t)t->attempt_count;
    t->copy.due_ms = due_ms;
    t->copy.lane = t->lane;
    task_drop_response(t);
}
