#include "settle_saved.h"

#include <string.h>

#include "guards/guard.h"
#include "guards/quality.h"
#include "meters.h"
#include "sharing.h"

const struct borrowed *batch_borrowed(const struct task *t)
{
    return t->sharing && t->sharing->source != SOURCE_CALL ? t->sharing->borrowed : NULL;
}

/* `known`: the cost is, which may be less than nothing. */
static void add_saving(struct pgarray *s, const struct task *t, const char *kind, int64_t tokens,
                       int64_t cost, bool known)
{
    pgarray_uuid(&s[S_JOB_ID], &t->doc.job_id);
    pgarray_text(&s[S_CUSTOM_ID], t->doc.custom_id);
    pgarray_number(&s[S_GENERATION], t->doc.generation);
    pgarray_time(&s[S_FINISHED], t->finished_us);
    pgarray_text(&s[S_KIND], kind);
    pgarray_number(&s[S_TOKENS], tokens);
    pgarray_number_or_null(&s[S_COST], cost, known);
}

/* May the answer stand for others' requests later? Its own, by the model that gave it. */
static bool is_kept(const struct batch *b, const struct task *t, const struct attempt *last,
                    unsigned char key[CANON_DIGEST])
{
    return t->status == STATUS_SUCCEEDED && last && t->sharing->source == SOURCE_CALL &&
           t->sharing->rule->ttl > 0 && t->response && t->response_len <= b->entry_max &&
           sharing_is_whole(json_root(t->response, t->response_len)) &&
           (strcmp(last->model, t->sharing->model) == 0 ||
            sharing_key(t->sharing->config, t->sharing->rule, &t->doc, t->lane, last->model, key));
}

static void add_kept(struct batch *b, const struct task *t)
{
    struct pgarray *k = b->kept;
    unsigned char key[CANON_DIGEST];
    const struct sharing *s = t->sharing;
    const struct attempt *last = task_last_attempt(t);
    const struct usage none = {0}, *u = last ? &last->usage : &none;
    memcpy(key, s->key, sizeof key);
    const bool kept = is_kept(b, t, last, key);
    pgarray_bytes(&k[K_KEY], key, sizeof key);
    pgarray_bytes(&k[K_LEASED], s->key, sizeof s->key);
    pgarray_uuid(&k[K_JOB_ID], &t->doc.job_id);
    pgarray_text(&k[K_CUSTOM_ID], t->doc.custom_id);
    pgarray_number(&k[K_GENERATION], t->doc.generation);
    pgarray_time(&k[K_FINISHED], t->finished_us);
    pgarray_text(&k[K_TENANT], s->rule->scope == CACHE_TENANT ? t->doc.tenant : NULL);
    pgarray_number(&k[K_TTL], kept ? s->rule->ttl : 0);
    pgarray_number(&k[K_INPUT], u->input);
    pgarray_number(&k[K_CACHED], u->cached);
    pgarray_number(&k[K_OUTPUT], u->output);
    pgarray_number(&k[K_REASONING], u->reasoning);
    pgarray_number_or_null(&k[K_COST], last ? last->cost : -1, last && last->cost >= 0);
}

static void add_saved(struct pgarray *s, const struct task *t)
{
    const struct saved *x = t->saved;
    if (!x || !x->reckoned || t->status != STATUS_SUCCEEDED)
        return;
    if (x->has_baseline) {
        add_saving(s, t, "baseline", x->baseline_tokens, x->baseline, x->priced);
        add_saving(s, t, "routed", 0, x->routed, x->priced);
    }
    if (x->packed_tokens > 0)
        add_saving(s, t, "packed", x->packed_tokens, x->packed, x->priced);
    if (x->tokens > 0)
        add_saving(s, t, "compressed", x->tokens, x->compressed, x->priced);
}

void batch_add_shared(struct batch *b, const struct task *t)
{
    const struct borrowed *other = batch_borrowed(t);
    add_saved(b->savings, t);
    if (other && t->status == STATUS_SUCCEEDED)
        add_saving(b->savings, t, answer_source_names[t->sharing->source],
                   other->usage.input + other->usage.output, other->cost, other->cost >= 0);
    if (t->sharing && t->sharing->rule->ttl > 0 && t->sharing->source == SOURCE_CALL)
        add_kept(b, t);
}

void batch_add_charges(struct batch *b, const struct task *t)
{
    struct pgarray *a = b->charges;
    for (size_t i = 0; t->quota && i < t->quota->charge_count; i++) {
        const struct charge *x = &t->quota->charges[i];
        pgarray_uuid(&a[C_JOB_ID], &t->doc.job_id);
        pgarray_text(&a[C_CUSTOM_ID], t->doc.custom_id);
        pgarray_number(&a[C_TOKEN], (int64_t)x->token);
        pgarray_bytes(&a[C_NAME], x->meter->name, strcspn(x->meter->name, "\x1f"));
        pgarray_text(&a[C_SUBJECT], x->meter->subject);
        pgarray_number(&a[C_PERIOD], x->period_us);
        pgarray_number(&a[C_COST], x->pico);
    }
}

void batch_add_events(struct batch *b, const struct task *t)
{
    struct pgarray *e = b->events;
    for (size_t i = 0; t->guarded && i < t->guarded->event_count; i++) {
        const struct guard_event *x = &t->guarded->events[i];
        pgarray_uuid(&e[E_JOB_ID], &t->doc.job_id);
        pgarray_text(&e[E_CUSTOM_ID], t->doc.custom_id);
        pgarray_number(&e[E_GENERATION], t->doc.generation);
        pgarray_number(&e[E_NUMBER], (int64_t)i);
        pgarray_text(&e[E_DIRECTION], x->direction);
        pgarray_text(&e[E_GUARD], x->guard);
        pgarray_text(&e[E_ACTION], x->action);
        pgarray_number(&e[E_SCORE], (int64_t)(x->score * 1000 + 0.5));
        pgarray_text(&e[E_REASONS], x->reasons);
        pgarray_text(&e[E_SPANS], x->spans);
    }
}

static int64_t thousandths(double v)
{
    return (int64_t)(v * 1000 + 0.5);
}

void batch_add_quality(struct batch *b, const struct task *t)
{
    struct pgarray *q = b->quality;
    const struct measured *m = t->measured;
    if (!m || t->status != STATUS_SUCCEEDED)
        return;
    pgarray_uuid(&q[Q_JOB_ID], &t->doc.job_id);
    pgarray_text(&q[Q_CUSTOM_ID], t->doc.custom_id);
    pgarray_number(&q[Q_GENERATION], t->doc.generation);
    pgarray_text(&q[Q_COMPLETION], completion_names[m->completion]);
    pgarray_number_or_null(&q[Q_RELEVANCE], thousandths(m->relevance), m->source);
    pgarray_number_or_null(&q[Q_COVERAGE], thousandths(m->coverage), m->source);
    pgarray_number_or_null(&q[Q_GROUNDEDNESS], thousandths(m->groundedness), m->source);
    pgarray_number(&q[Q_CLAIMS], m->claims);
    pgarray_text(&q[Q_UNSUPPORTED], m->unsupported);
}
