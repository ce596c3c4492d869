/* Guards in the pipeline: what may be sent, what an answer may say, and what of a task may be kept
 * in clear. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "degrade.h"
#include "pipeline_private.h"

enum { REWRITTEN_MAX = 4, REWRITTEN_MORE = 1 << 20 };

void pipeline_set_guards(struct pipeline *p, struct guards *guards, const unsigned char *key)
{
    p->guards = guards;
    memcpy(p->seal_key, key, SEAL_KEY);
}

void pipeline_guard_ask(struct pipeline *p, struct task *t)
{
    if (!p->guards)
        return;
    struct guarded *s = mem_zero(sizeof *s);
    guards_ask(p->guards, &t->doc, t->lane, s);
    if (s->event_count == 0 && s->mask.count == 0 && !s->changed && !s->blocked && !s->private &&
        !guards_watch_answers(p->guards, &t->doc, t->lane)) {
        guarded_free(s);
        return;
    }
    t->guarded = s;
    t->doc.wishes.sensitive |= s->private;
    t->doc.wishes.no_cache |= s->mask.count > 0; /* what it says is about one person */
    t->alone |= s->changed;
}

/* No call, or no answer: what is said instead is the configuration's. */
static void block(struct pipeline *p, struct task *t)
{
    struct buf answer;
    const char *text = p->config->guards.refusal;
    buf_init(&answer, REWRITTEN_MORE);
    (void)error_set(&t->error, ERROR_PERMANENT, "blocked", "guard %s", t->guarded->why);
    if (degrade_answer(t, "quern-blocked", text, strlen(text), &answer))
        pipeline_keep_response(p, t, json_root(answer.data, answer.len));
    else
        pipeline_keep_response(p, t, (struct json){0});
    buf_free(&answer);
    t->http_status = 200;
    pipeline_finish(p, t, STATUS_BLOCKED);
}

bool pipeline_guard_blocks(struct pipeline *p, struct task *t)
{
    if (!t->guarded || !t->guarded->blocked)
        return false;
    block(p, t);
    return true;
}

bool pipeline_guard_body(struct pipeline *p, struct task *t, struct buf *out)
{
    if (!t->guarded || !t->guarded->changed)
        return false;
    guards_rewrite(p->guards, &t->doc, t->lane, t->guarded, false, out);
    return true;
}

bool pipeline_guard_answer(struct pipeline *p, struct task *t)
{
    struct buf out;
    if (!t->guarded || !t->response)
        return true;
    buf_init(&out, t->response_len * REWRITTEN_MAX + REWRITTEN_MORE);
    if (guards_answer(p->guards, &t->doc, t->lane, t->guarded,
                      json_root(t->response, t->response_len), &out) &&
        !out.overflow)
        pipeline_keep_response(p, t, json_root(out.data, out.len));
    buf_free(&out);
    if (!t->guarded->blocked)
        return true;
    pipeline_share_nothing(p, t);
    block(p, t);
    return false;
}

void pipeline_guard_error(const struct task *t, char *message)
{
    if (t->guarded)
        mask_scrub(&t->guarded->mask, message, strlen(message));
}

/* Its record, as dead letters and retry topics may have it. */
void pipeline_guard_seal(struct pipeline *p, struct task *t)
{
    struct buf body, out;
    if (!t->guarded || t->guarded->mask.count == 0 || t->sealed)
        return;
    pipeline_guard_error(t, t->error.message);
    if (t->response)
        mask_scrub(&t->guarded->mask, t->response, t->response_len);
    buf_init(&body, t->record_len * REWRITTEN_MAX + REWRITTEN_MORE);
    buf_init(&out, t->record_len * REWRITTEN_MAX + REWRITTEN_MORE);
    guards_rewrite(p->guards, &t->doc, t->lane, t->guarded, true, &body);
    if (seal_doc(p->seal_key, json_root(t->record, t->record_len), json_root(body.data, body.len),
                 &out)) {
        t->sealed = out.data;
        t->sealed_len = out.len;
    } else {
        log_error("a record could not be sealed; it is kept without its body",
                  LOG_S("custom_id", t->doc.custom_id));
        t->sealed = mem_string("{}");
        t->sealed_len = 2;
        buf_free(&out);
    }
    buf_free(&body);
}

/* A record that came back from a retry topic or from a dead letter. */
bool pipeline_guard_open(const struct pipeline *p, const void *record, size_t len, struct buf *out)
{
    struct error err;
    if (!seal_is(record, len) || !json_check(record, len, &err))
        return false;
    buf_init(out, len + REWRITTEN_MORE);
    if (seal_open(p->seal_key, json_root(record, len), out))
        return true;
    log_warn("a sealed record cannot be opened: the key has changed; its placeholders stay");
    buf_free(out);
    return false;
}
