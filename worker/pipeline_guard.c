/* Guards in the pipeline: what may be sent, what an answer may say, and what of a task may be kept
 * in clear. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "common/log.h"
#include "common/mem.h"
#include "degrade.h"
#include "guards/quality.h"
#include "pipeline_private.h"

enum { REWRITTEN_MAX = 4, REWRITTEN_MORE = 1 << 20, ANSWER_MAX = 64 << 20 };

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
    t->alone |= s->changed || s->mask.count > 0 || guards_moderation(p->guards, &t->doc, t->lane);
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
    buf_init(&out, ANSWER_MAX);
    const bool changed = guards_answer(p->guards, &t->doc, t->lane, t->guarded,
                                       json_root(t->response, t->response_len), &out);
    if (changed && out.overflow) {
        t->guarded->blocked = true;
        (void)snprintf(t->guarded->why, sizeof t->guarded->why,
                       "sensitive: the answer would be too long with the texts in it again");
    } else if (changed) {
        pipeline_keep_response(p, t, json_root(out.data, out.len));
    }
    buf_free(&out);
    if (!t->guarded->blocked)
        return true;
    pipeline_share_nothing(p, t);
    block(p, t);
    return false;
}

/* ---- moderation -------------------------------------------------------------------------------
 */

enum { MODERATION_URL_MAX = 4096 };

static void on_moderated(void *arg, const struct call_result *r)
{
    struct task *t = arg;
    struct pipeline *p = t->pipeline;
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    const struct config_guard_rule *rule = guards_moderation(p->guards, &t->doc, t->lane);
    struct error err = r->error;
    struct json said = {0};
    const bool answered = r->http_status == 200 && r->body && json_check(r->body, r->len, &err);
    t->call = NULL;
    t->moderating = false;
    a->http_status = r->http_status;
    if (answered)
        said = json_root(r->body, r->len);
    else if (r->http_status > 0 && r->http_status != 200)
        (void)error_set(&err, ERROR_RETRY, "moderation", "HTTP status %ld", r->http_status);
    attempt_end(a, answered ? NULL : &err);
    guards_moderated(t->guarded, rule, answered ? &said : NULL);
    if (!answered)
        log_warn("an answer could not be moderated", LOG_S("backend", a->backend),
                 LOG_S("error", err.message),
                 LOG_S("action", rule->action == GUARD_BLOCK ? "withheld" : "kept"));
    if (t->guarded->blocked) {
        pipeline_share_nothing(p, t);
        block(p, t);
    } else {
        pipeline_accept(p, t);
    }
    pipeline_dispatch(p);
}

/* {"input": TEXT}: of a masked task what the model said, with the texts in it again. */
static bool write_question(const struct task *t, struct buf *out)
{
    struct buf text;
    buf_init(&text, t->response_len * 2 + 64);
    quality_text(json_root(t->response, t->response_len), &text);
    buf_str(out, "{\"model\":\"\",\"input\":");
    buf_json(out, text.data ? text.data : "", text.len);
    buf_char(out, '}');
    const bool any = text.len > 0;
    buf_free(&text);
    return any && !out->overflow;
}

bool pipeline_moderate(struct pipeline *p, struct task *t)
{
    const struct config_guard_rule *rule =
        t->guarded && t->response ? guards_moderation(p->guards, &t->doc, t->lane) : NULL;
    if (!rule || t->partition->revoked)
        return false;
    struct buf question, url;
    const struct config_candidate asked = {.backend = rule->backend, .model = rule->model};
    const size_t backend = router_backend(p->router, &asked);
    const struct config_backend *b = p->config->backends.items;
    buf_init(&question, t->response_len * 8 + REWRITTEN_MORE);
    buf_init(&url, MODERATION_URL_MAX);
    buf_free(&t->request);
    buf_init(&t->request, t->response_len * 8 + REWRITTEN_MORE);
    struct request q = {.url = "/v1/moderations", .model = rule->model};
    bool good = write_question(t, &question);
    q.body = json_root(question.data, question.len);
    good =
        good && router_dialect(p->router, backend)->request(&q, &t->request, &t->error) == QUERN_OK;
    buf_free(&question);
    if (!good) {
        buf_free(&url);
        return false;
    }
    attempt_begin(t);
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    a->backend = rule->backend;
    a->model = rule->model;
    a->aside = true;
    a->cost = 0; /* services take nothing for it */
    router_url(p->router, backend, &q, &url);
    size_t key;
    const struct call_order order = {.endpoint = router_endpoint(p->router, backend, &key),
                                     .url = url.data,
                                     .body = &t->request,
                                     .token = a->token,
                                     .timeout = b[backend].timeout,
                                     .done = on_moderated,
                                     .arg = t};
    t->moderating = true;
    t->call = call_start(p->caller, &order);
    buf_free(&url);
    return true;
}

void pipeline_abort_moderation(struct task *t, const char *code, const char *why)
{
    struct error err;
    (void)error_set(&err, ERROR_RETRY, code, "%s", why);
    call_abort(t->call);
    t->call = NULL;
    t->moderating = false;
    attempt_end(&t->attempts[t->attempt_count - 1], &err);
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
    if (!task_status_is_success(t->status) && t->response)
        pipeline_keep_response(p, t, (struct json){0}); /* a peer's words about it */
    buf_init(&body, t->record_len * REWRITTEN_MAX + REWRITTEN_MORE);
    buf_init(&out, t->record_len * REWRITTEN_MAX + REWRITTEN_MORE);
    guards_rewrite(p->guards, &t->doc, t->lane, t->guarded, true, &body);
    if (!body.overflow && seal_doc(p->seal_key, json_root(t->record, t->record_len),
                                   json_root(body.data, body.len), &out)) {
        t->sealed = out.data;
        t->sealed_len = out.len;
    } else {
        log_error("a record could not be sealed; it is kept without its body",
                  LOG_S("custom_id", t->doc.custom_id));
        t->sealed = mem_string("{}");
        t->sealed_len = 2;
        buf_free(&out);
    }
    p->answer_bytes += t->sealed_len; /* it waits as the answer does */
    buf_free(&body);
}

/* What cannot be read is nobody's to call: what is sensitive in it goes. */
void pipeline_guard_unreadable(struct pipeline *p, struct task *t)
{
    if (p->guards)
        guards_scrub(p->guards, t->record, t->record_len);
}

/* A record that came back from a retry topic or from a dead letter. */
void pipeline_guard_open(const struct pipeline *p, struct task *t)
{
    struct buf opened;
    if (!t->readable || !t->doc.sealed)
        return;
    buf_init(&opened, t->record_len + REWRITTEN_MORE);
    if (seal_open(p->seal_key, json_root(t->record, t->record_len), &opened))
        task_read_record(t, opened.data, opened.len);
    else
        log_warn("a sealed record cannot be opened: the key has changed; its placeholders stay");
    buf_free(&opened);
}
