#include "guards/guard_list.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 2048 }; /* bytes of a value that its name tells something about */

void finding_reason(struct guard_finding *f, const char *reason)
{
    const size_t n = strlen(f->reasons);
    if (strstr(f->reasons, reason))
        return;
    (void)snprintf(f->reasons + n, sizeof f->reasons - n, "%s%s", n ? ", " : "", reason);
}

bool guard_is_untrusted(struct text_place place)
{
    return place.prose && (place.role == TEXT_USER || place.role == TEXT_TOOL);
}

static void check_injection(struct guard_tools *tools, const struct guard_rule *r,
                            const struct guard_text *t, struct guard_finding *out)
{
    struct injection_verdict v;
    (void)r;
    if (!guard_is_untrusted(t->place))
        return;
    injection_read(tools->injection, t->text, t->len, &v);
    out->score = v.score;
    for (size_t i = 0; i < v.count; i++) {
        finding_reason(out, v.findings[i].family);
        spans_add(&out->spans, 0, v.findings[i].from, v.findings[i].to);
    }
}

/* {"password": "hunter2"}: of data, the name in front tells what it is. */
static void read_value(uint32_t kinds, const struct guard_text *t, struct spans *out)
{
    enum { NAMED_MAX = 8192 };
    struct buf whole;
    size_t kept = 0;
    buf_init(&whole, NAMED_MAX);
    (void)json_string(t->place.name, &whole);
    buf_str(&whole, ": ");
    const size_t before = whole.len;
    buf_add(&whole, t->text, t->len);
    if (!whole.overflow)
        sensitive_read(kinds, whole.data, whole.len, out);
    for (size_t i = 0; i < out->count; i++) {
        struct span x = out->items[i];
        if (x.to <= before)
            continue;
        x.from = x.from > before ? x.from - (uint32_t)before : 0;
        x.to -= (uint32_t)before;
        out->items[kept++] = x;
    }
    out->count = kept;
    buf_free(&whole);
}

/* In answers only what was not in the question. */
static void check_sensitive(struct guard_tools *tools, const struct guard_rule *r,
                            const struct guard_text *t, struct guard_finding *out)
{
    size_t kept = 0;
    (void)tools;
    sensitive_read(r->kinds, t->text, t->len, &out->spans);
    if (out->spans.count == 0 && t->place.values && t->place.name.p && t->len <= VALUE_MAX)
        read_value(r->kinds, t, &out->spans);
    for (size_t i = 0; i < out->spans.count; i++) {
        const struct span s = out->spans.items[i];
        if (t->answer && mask_knows(&t->state->mask, t->text + s.from, s.to - s.from))
            continue;
        finding_reason(out, sensitive_names[s.kind]);
        out->spans.items[kept++] = s;
    }
    out->spans.count = kept;
    out->score = kept > 0;
}

static void check_terms(struct guard_tools *tools, const struct guard_rule *r,
                        const struct guard_text *t, struct guard_finding *out)
{
    if (!r->terms)
        return;
    terms_find(r->terms, &tools->words, t->text, t->len, &out->spans);
    out->score = out->spans.count > 0;
    if (out->spans.count)
        finding_reason(out, r->config->name ? r->config->name : "term");
}

bool guard_draws_canary(const struct guard_rule *r)
{
    return r && r->config->canary && strcmp(r->config->canary, "random") == 0;
}

/* A run of words of the instructions, or the canary. */
static void check_leak(struct guard_tools *tools, const struct guard_rule *r,
                       const struct guard_text *t, struct guard_finding *out)
{
    const char *canary = guard_draws_canary(r) ? t->state->canary : r->config->canary;
    canary = canary && *canary ? canary : NULL;
    const char *at = canary ? memmem(t->text, t->len, canary, strlen(canary)) : NULL;
    size_t from, to;
    if (at) {
        finding_reason(out, "canary");
        spans_add(&out->spans, 0, (size_t)(at - t->text), (size_t)(at - t->text) + strlen(canary));
    }
    if (leak_find(&tools->leak, t->text, t->len, &from, &to)) {
        finding_reason(out, "instructions");
        if (!at)
            spans_add(&out->spans, 0, from, to);
    }
    out->score = out->spans.count > 0;
}

#define DO(action) (1U << GUARD_##action)

const struct guard guard_list[GUARD_KINDS] = {
    [GUARD_INJECTION] = {"injection", DO(FLAG) | DO(STRIP) | DO(WRAP) | DO(BLOCK) | DO(PRIVATE),
                         true, false, check_injection},
    [GUARD_SENSITIVE] = {"sensitive", DO(FLAG) | DO(STRIP) | DO(MASK) | DO(BLOCK) | DO(PRIVATE),
                         true, true, check_sensitive},
    [GUARD_TERMS] = {"terms", DO(FLAG) | DO(STRIP) | DO(MASK) | DO(BLOCK) | DO(PRIVATE), true, true,
                     check_terms},
    [GUARD_LEAK] = {"leak", DO(FLAG) | DO(STRIP) | DO(BLOCK), false, true, check_leak},
    [GUARD_SIZE] = {"size", DO(FLAG) | DO(BLOCK) | DO(PRIVATE), true, false, NULL},
    [GUARD_MODERATION] = {"moderation", DO(FLAG) | DO(BLOCK), false, true, NULL}};
