/* What makes calls cheaper, and what that has saved, against the declared baseline. */
#include <stdlib.h>

#include "common/compress.h"
#include "common/match.h"
#include "common/mem.h"
#include "common/prices.h"
#include "pipeline_private.h"

static struct saved *saved_of(struct task *t)
{
    if (!t->saved)
        t->saved = mem_zero(sizeof *t->saved);
    return t->saved;
}

/* Vectors and verdicts are of the text as it is. */
static bool may_compress(const char *url)
{
    return strcmp(url, "/v1/embeddings") != 0 && strcmp(url, "/v1/moderations") != 0;
}

bool pipeline_compress(struct pipeline *p, struct task *t, struct json body, struct buf *out)
{
    const struct config_compress_rule *r =
        match_first(&p->config->compress.rules, sizeof *r, &t->doc, t->lane);
    if (!r || r->never || !may_compress(t->doc.url))
        return false;
    const bool gained = compress_body(r, &p->config->compress.short_forms, body, out);
    if (gained || t->saved)
        saved_of(t)->cut = gained ? body.len - out->len : 0;
    return gained;
}

static const struct price *price_of(const struct pipeline *p, const struct task *t)
{
    const struct config_backend *b = p->config->backends.items;
    b += pipeline_backend(p, t);
    return prices_find(p->prices, b, task_upstream_model(t));
}

/* What compression took is known in bytes; how many of them a token has, from what was sent. */
static int64_t tokens_cut(const struct task *t, const struct saved *s, const struct usage *u)
{
    const size_t sent = t->doc.body.len - s->cut;
    return sent ? (int64_t)((double)u->input / (double)sent * (double)s->cut + 0.5) : 0;
}

void pipeline_packed(struct task *t, int64_t tokens)
{
    saved_of(t)->packed_tokens = tokens;
}

/* baseline = routed + compressed + packed + what the call cost: exactly, in whole pico-dollars. */
void pipeline_reckon(struct pipeline *p, struct task *t, const struct usage *u, int64_t cost)
{
    const char *baseline = p->config->savings.baseline;
    if (!baseline && (!t->saved || (t->saved->cut == 0 && t->saved->packed_tokens == 0)))
        return;
    struct saved *s = saved_of(t);
    struct usage whole = *u;
    const struct price *own = price_of(p, t),
                       *base = baseline ? prices_find(p->prices, NULL, baseline) : own;
    s->tokens = tokens_cut(t, s, u);
    s->has_baseline = baseline != NULL;
    s->baseline_tokens = u->input + s->packed_tokens + s->tokens + u->output;
    s->priced = own && base && cost >= 0;
    s->reckoned = true;
    if (!s->priced)
        return;
    whole.input += s->packed_tokens;
    const int64_t apart = s->packed_tokens ? price_cost(own, &whole) : cost;
    whole.input += s->tokens;
    const int64_t full = s->tokens ? price_cost(own, &whole) : apart;
    const struct usage plain = {.input = whole.input, .output = whole.output};
    s->packed = apart - cost;
    s->compressed = full - apart;
    s->baseline = baseline ? price_cost(base, &plain) : full;
    s->routed = s->baseline - full;
}
