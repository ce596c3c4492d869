/* Answers measured: how they ended, and whether their source bears them out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/match.h"
#include "common/mem.h"
#include "guards/quality.h"
#include "guards/shape.h"
#include "pipeline_private.h"

#define ONE 1e12 /* thresholds are in millionths of a millionth */

enum { TEXT_MAX = 16 << 20, UNSUPPORTED_MAX = 32 };

static char *unsupported_json(const struct grounding *g, const char *text)
{
    struct buf out;
    buf_init(&out, TEXT_MAX);
    buf_char(&out, '[');
    for (size_t i = 0; i < g->unsupported.count && i < UNSUPPORTED_MAX; i++) {
        const struct span s = g->unsupported.items[i];
        buf_printf(&out, "%s{\"kind\":\"%s\",\"text\":", i ? "," : "", claim_names[s.kind]);
        buf_json(&out, text + s.from, s.to - s.from);
        buf_char(&out, '}');
    }
    buf_char(&out, ']');
    return out.data;
}

static void hold_against_source(const struct glossary *glossary, struct task *t, struct json answer,
                                struct measured *m)
{
    struct buf source, text;
    struct grounding g;
    buf_init(&source, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    quality_source(t->doc.body, &source);
    quality_text(answer, &text);
    if (source.len && text.len) {
        const struct relevance r = quality_relevance(source.data, source.len, text.data, text.len);
        grounding_read(glossary, source.data, source.len, text.data, text.len, &g);
        m->source = true;
        m->relevance = r.relevance;
        m->coverage = r.coverage;
        m->groundedness = g.score;
        m->claims = (int64_t)g.claims;
        m->unsupported = unsupported_json(&g, text.data);
        grounding_free(&g);
    }
    buf_free(&source);
    buf_free(&text);
}

/* ---- shape ------------------------------------------------------------------------------------
 */

const struct config_quality_rule *pipeline_quality_rule(const struct pipeline *p,
                                                        const struct task *t)
{
    if (!p->config->quality.rules.count || task_doc_rates(&t->doc))
        return NULL;
    const struct config_quality_rule *r =
        match_first(&p->config->quality.rules, sizeof *r, &t->doc, t->lane);
    return r && !r->never ? r : NULL;
}

static struct json first_content(struct json answer)
{
    struct json choice = {0}, choices = json_get(answer, "choices");
    size_t pos = 0;
    if (json_is(choices, '['))
        (void)json_next_item(choices, &pos, &choice);
    return json_get(json_get(choice, "message"), "content");
}

/* Mends it where that is cheap. False: it has not the shape that was asked for; `why` says so. */
static bool has_shape(struct pipeline *p, struct task *t, char *text, struct error *why)
{
    struct buf mended, answer;
    bool repaired = false;
    buf_init(&mended, t->response_len * 2 + 4096);
    buf_init(&answer, t->response_len * 8 + 4096);
    const bool good =
        shape_check(shape_wanted(t->doc.body), text, strlen(text), &mended, &repaired, why);
    if (good && repaired) {
        shape_put_text(json_root(t->response, t->response_len), mended.data, mended.len, &answer);
        if (!answer.overflow)
            pipeline_keep_response(p, t, json_root(answer.data, answer.len));
    }
    buf_free(&mended);
    buf_free(&answer);
    return good;
}

/* The model is told, or the next one asked, or the task fails. */
static void ask_again(struct pipeline *p, struct task *t, const struct config_quality_rule *r,
                      const char *text, const char *why)
{
    if (!t->again)
        t->again = mem_zero(sizeof *t->again);
    free(t->again->answer);
    /* What was masked is in the answer by now, and stays here. */
    const bool clear = t->guarded && t->guarded->mask.count > 0;
    t->again->answer = mem_string(clear ? "(left out)" : text);
    (void)snprintf(t->again->why, sizeof t->again->why, "%s", why);
    pipeline_share_nothing(p, t);
    if (t->again->tries++ < r->shape_retries && !t->partition->revoked) {
        pipeline_leave(p, t);
        pipeline_ready(p, t);
        return;
    }
    (void)error_set(&t->error, ERROR_NEXT_CANDIDATE, "misshapen",
                    "backend \"%s\": the answer has not the shape that was asked for: %s",
                    task_candidate(t)->backend, why);
    if (pipeline_has_next(p, t))
        pipeline_next_candidate(p, t);
    else
        pipeline_fail(p, t);
}

bool pipeline_shape(struct pipeline *p, struct task *t)
{
    struct error why;
    const struct config_quality_rule *r = pipeline_quality_rule(p, t);
    t->misshapen = false;
    if (!r || r->shape == SHAPE_OFF || !t->response || !shape_wanted(t->doc.body).p)
        return true;
    char *text = json_string_dup(first_content(json_root(t->response, t->response_len)));
    t->misshapen = text && !has_shape(p, t, text, &why);
    const bool good = !t->misshapen || r->shape != SHAPE_RETRY;
    if (!good)
        ask_again(p, t, r, text, why.message);
    free(text);
    return good;
}

bool pipeline_again_body(const struct task *t, struct json body, struct buf *out)
{
    if (!t->again)
        return false;
    shape_ask_again(body, t->again->answer, t->again->why, out);
    return true;
}

/* ---- measures ---------------------------------------------------------------------------------
 */

bool pipeline_measure(struct pipeline *p, struct task *t)
{
    const struct config_quality_rule *r = pipeline_quality_rule(p, t);
    if (!r || !t->response)
        return true;
    const struct json answer = json_root(t->response, t->response_len);
    free(t->measured ? t->measured->unsupported : NULL);
    free(t->measured);
    struct measured *m = t->measured = mem_zero(sizeof *m);
    m->completion = (int)(t->misshapen ? COMPLETION_MISSHAPEN : quality_completion(answer));
    if (r->source)
        hold_against_source(p->glossary, t, answer, m);
    if (!m->unsupported)
        m->unsupported = mem_string("[]");
    if (t->guarded)
        mask_scrub(&t->guarded->mask, m->unsupported, strlen(m->unsupported));
    return t->partition->revoked || !(m->source && m->groundedness * ONE < (double)r->retry_below &&
                                      pipeline_has_next(p, t));
}

void pipeline_try_better(struct pipeline *p, struct task *t)
{
    (void)error_set(&t->error, ERROR_NEXT_CANDIDATE, "ungrounded",
                    "its source bears out %.0f %% of what the answer says; the next candidate is "
                    "asked",
                    100 * t->measured->groundedness);
    log_debug("an answer is not good enough", LOG_S("custom_id", t->doc.custom_id),
              LOG_S("error", t->error.message));
    pipeline_share_nothing(p, t);
    pipeline_next_candidate(p, t);
}
