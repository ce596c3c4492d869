/* Answers measured: how they ended, and whether their source bears them out. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/match.h"
#include "common/mem.h"
#include "guards/quality.h"
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

static void hold_against_source(struct task *t, struct json answer, struct measured *m)
{
    struct buf source, text;
    struct grounding g;
    buf_init(&source, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    quality_source(t->doc.body, &source);
    quality_text(answer, &text);
    if (source.len && text.len) {
        const struct relevance r = quality_relevance(source.data, source.len, text.data, text.len);
        grounding_read(source.data, source.len, text.data, text.len, &g);
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

bool pipeline_measure(struct pipeline *p, struct task *t)
{
    const struct config_quality_rule *r =
        p->config->quality.rules.count
            ? match_first(&p->config->quality.rules, sizeof *r, &t->doc, t->lane)
            : NULL;
    if (!r || r->never || !t->response)
        return true;
    const struct json answer = json_root(t->response, t->response_len);
    free(t->measured ? t->measured->unsupported : NULL);
    free(t->measured);
    struct measured *m = t->measured = mem_zero(sizeof *m);
    m->completion = (int)quality_completion(answer);
    if (r->source)
        hold_against_source(t, answer, m);
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
