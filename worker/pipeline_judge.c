/* A sample of the answers is rated by a model: each becomes a task of its own. */
#include <string.h>

#include "common/log.h"
#include "guards/guard.h"
#include "guards/judge.h"
#include "pipeline_private.h"

enum { REQUEST_MAX = 1 << 20, RECORD_MAX = 2 << 20 };

/* Its texts may be sent on: no guard found anything in them, and nothing in it is sealed. */
static bool is_clean(const struct task *t)
{
    return !t->sealed &&
           (!t->guarded || (t->guarded->event_count == 0 && t->guarded->mask.count == 0));
}

static bool is_chosen(const struct pipeline *p, const struct task *t)
{
    if (!p->config->quality.judge.model || t->status != STATUS_SUCCEEDED || !t->response)
        return false;
    const struct config_quality_rule *r = pipeline_quality_rule(p, t);
    return r && judge_chooses(t->doc.custom_id, r->judge) && is_clean(t);
}

/* Who asked stays: rules say by that who may see it. Limits go by the feature alone (limit_next()).
 */
static void write_task(const struct pipeline *p, const struct task *t, struct json body,
                       struct buf *key, struct buf *record)
{
    char version[JUDGE_VERSION + 1];
    judge_version(p->config->quality.judge.model, p->config->quality.judge.rubric, version);
    const struct task_doc d = {.job_id = judge_job(&t->doc.job_id, version),
                               .custom_id = t->doc.custom_id,
                               .generation = t->doc.generation,
                               .url = (char *)(uintptr_t) "/v1/chat/completions",
                               .tenant = t->doc.tenant,
                               .user = t->doc.user,
                               .feature = (char *)(uintptr_t)JUDGE_FEATURE,
                               .wishes = {.sensitive = t->doc.wishes.sensitive, .no_cache = true},
                               .body = body};
    task_doc_write(&d, record);
    task_doc_key(&d, key);
}

void pipeline_judge(struct pipeline *p, const struct task *t)
{
    if (!is_chosen(p, t))
        return;
    struct buf body, key, record;
    const struct judge_order o = {.model = p->config->quality.judge.model,
                                  .rubric = p->config->quality.judge.rubric,
                                  .max_tokens = p->config->quality.judge.max_tokens,
                                  .mark = random_u64()};
    buf_init(&body, REQUEST_MAX);
    buf_init(&record, RECORD_MAX);
    buf_init(&key, UUID_TEXT_LEN + 1 + TASK_ID_MAX);
    if (judge_request(&o, t->doc.body, json_root(t->response, t->response_len), &body)) {
        write_task(p, t, json_root(body.data, body.len), &key, &record);
        if (!body.overflow && !record.overflow)
            p->sink->submit(p->sink_arg, &key, &record);
        else
            log_warn("an answer is too long to be rated", LOG_S("custom_id", t->doc.custom_id));
    }
    buf_free(&body);
    buf_free(&record);
    buf_free(&key);
}
