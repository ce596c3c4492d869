#include "guards/guard.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/match.h"
#include "common/mem.h"
#include "guards/guard_private.h"

enum { TEXT_MAX = 64 << 20, BYTES_PER_TOKEN = 4, SPANS_TEXT_MAX = 8192 };

static const char *const action_names[] = {"none", "flag",          "strip", "mask",
                                           "wrap", "route_private", "block"};

/* What the profile `standard` adds behind the rules. */
static const struct config_guard_rule standard[] = {
    {.guard = GUARD_INJECTION,
     .direction = GUARD_IN,
     .action = GUARD_FLAG,
     .threshold = 600000000000},
    {.guard = GUARD_SENSITIVE,
     .direction = GUARD_IN,
     .action = GUARD_MASK,
     .kinds = (char *)(uintptr_t) "all"},
    {.guard = GUARD_SENSITIVE,
     .direction = GUARD_OUT,
     .action = GUARD_FLAG,
     .kinds = (char *)(uintptr_t) "all"},
    {.guard = GUARD_LEAK, .direction = GUARD_OUT, .action = GUARD_BLOCK, .leak_words = 12}};

/* ---- rules ------------------------------------------------------------------------------------
 */

static bool kinds_of(const char *names, uint32_t *mask, struct error *err)
{
    *mask = 0;
    if (!names || strcmp(names, "all") == 0) {
        *mask = (1U << SENSITIVE_KINDS) - 1;
        return true;
    }
    while (*names) {
        const size_t n = strcspn(names, ", ");
        int k = 0;
        while (k < SENSITIVE_KINDS &&
               (strlen(sensitive_names[k]) != n || memcmp(sensitive_names[k], names, n) != 0))
            k++;
        if (n && k == SENSITIVE_KINDS)
            return error_set(err, ERROR_FATAL, "config",
                             "guards.rules: kinds: \"%.*s\" is none of email, phone, card, iban, "
                             "national_id, ip, api_key, private_key",
                             (int)n, names) == QUERN_OK;
        *mask |= n ? 1U << k : 0;
        names += n + (names[n] != '\0');
    }
    return true;
}

static bool add_rule(struct guards *g, const struct config_guard_rule *c, struct error *err)
{
    const struct guard *guard = &guard_list[c->guard];
    struct guard_rule r = {.config = c};
    if (c->action != GUARD_NONE && !(guard->actions & 1U << c->action))
        return error_set(err, ERROR_FATAL, "config",
                         "guards.rules (line %d): the guard \"%s\" cannot %s", c->rule.line,
                         guard->name, action_names[c->action]) == QUERN_OK;
    if (c->guard == GUARD_TERMS && !c->terms_file)
        return error_set(err, ERROR_FATAL, "config",
                         "guards.rules (line %d): terms needs terms_file",
                         c->rule.line) == QUERN_OK;
    if (c->guard == GUARD_MODERATION && !c->backend)
        return error_set(err, ERROR_FATAL, "config",
                         "guards.rules (line %d): moderation needs backend",
                         c->rule.line) == QUERN_OK;
    if (!kinds_of(c->kinds, &r.kinds, err) ||
        (c->terms_file && (r.terms = terms_read(c->terms_file, err)) == NULL))
        return false;
    g->rules = mem_array(g->rules, g->count + 1, sizeof *g->rules);
    g->rules[g->count++] = r;
    return true;
}

struct guards *guards_new(const struct config *c, struct error *err)
{
    const struct config_guard_rule *rules = c->guards.rules.items;
    const size_t more = c->guards.profile ? sizeof standard / sizeof *standard : 0;
    *err = (struct error){0};
    if (c->guards.rules.count + more == 0)
        return NULL;
    struct guards *g = mem_zero(sizeof *g);
    g->tools.injection = injection_new();
    g->tools.leak.empty = lexicon_new();
    words_init(&g->tools.words);
    words_init(&g->tools.leak.words);
    buf_init(&g->text, TEXT_MAX);
    buf_init(&g->next, TEXT_MAX);
    for (size_t i = 0; i < c->guards.rules.count + more; i++) {
        const size_t own = c->guards.rules.count;
        if (!add_rule(g, i < own ? &rules[i] : &standard[i - own], err)) {
            guards_free(g);
            return NULL;
        }
    }
    return g;
}

void guards_free(struct guards *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->count; i++)
        terms_free(g->rules[i].terms);
    free(g->rules);
    injection_free(g->tools.injection);
    lexicon_free(g->tools.leak.empty);
    words_free(&g->tools.words);
    words_free(&g->tools.leak.words);
    buf_free(&g->text);
    buf_free(&g->next);
    free(g);
}

/* The rule of each guard for this task and direction; NULL: none. */
static void choose(const struct guards *g, const struct task_doc *d, int lane, bool answer,
                   const struct guard_rule *chosen[GUARD_KINDS])
{
    memset(chosen, 0, GUARD_KINDS * sizeof *chosen);
    for (size_t i = 0; i < g->count; i++) {
        const struct config_guard_rule *c = g->rules[i].config;
        const struct guard *guard = &guard_list[c->guard];
        const bool here = (answer ? guard->out : guard->in) &&
                          (c->direction == GUARD_BOTH || (c->direction == GUARD_OUT) == answer ||
                           guard->in != guard->out);
        if (here && !chosen[c->guard] && match_fits(&c->rule.when, d, lane))
            chosen[c->guard] = &g->rules[i];
    }
    for (int i = 0; i < GUARD_KINDS; i++)
        if (chosen[i] && chosen[i]->config->action == GUARD_NONE)
            chosen[i] = NULL;
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

/* Of a job's own: the same text has the same hash within it, and tells nothing outside of it. */
static void hash_span(const struct task_doc *d, const char *text, size_t len, char out[17])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(c, d->job_id.bytes, sizeof d->job_id.bytes) != 1 ||
        EVP_DigestUpdate(c, text, len) != 1 || EVP_DigestFinal_ex(c, digest, NULL) != 1)
        memset(digest, 0, sizeof digest);
    EVP_MD_CTX_free(c);
    for (int i = 0; i < 8; i++)
        (void)snprintf(out + (size_t)i * 2, 3, "%02x", digest[i]);
}

static char *spans_json(const struct task_doc *d, const struct guard_text *t, enum guard_kind kind,
                        const struct spans *s)
{
    struct buf out;
    char hash[17];
    buf_init(&out, SPANS_TEXT_MAX);
    buf_char(&out, '[');
    for (size_t i = 0; i < s->count && i < GUARD_SPANS_MAX; i++) {
        const struct span x = s->items[i];
        hash_span(d, t->text + x.from, x.to - x.from, hash);
        buf_printf(&out, "%s{\"from\":%u,\"to\":%u,\"hash\":\"%s\"", i ? "," : "", x.from, x.to,
                   hash);
        if (kind == GUARD_SENSITIVE)
            buf_printf(&out, ",\"kind\":\"%s\"", sensitive_names[x.kind]);
        buf_char(&out, '}');
    }
    buf_char(&out, ']');
    return out.data;
}

void guarded_keep(struct guarded *s, const struct config_guard_rule *r, bool answer,
                  const struct guard_finding *f, char *spans)
{
    if (s->event_count == GUARD_EVENTS_MAX) {
        free(spans);
        return;
    }
    s->events = mem_array(s->events, s->event_count + 1, sizeof *s->events);
    s->events[s->event_count++] = (struct guard_event){.guard = guard_list[r->guard].name,
                                                       .action = action_names[r->action],
                                                       .direction = answer ? "out" : "in",
                                                       .score = f->score,
                                                       .reasons = mem_string(f->reasons),
                                                       .spans = spans};
}

void guard_keep_event(struct guarded *s, const struct guard_rule *r, const struct guard_text *t,
                      const struct guard_finding *f)
{
    guarded_keep(s, r->config, t->answer, f,
                 spans_json(t->doc, t, (enum guard_kind)r->config->guard, &f->spans));
}

void guarded_free(struct guarded *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->event_count; i++) {
        free(s->events[i].reasons);
        free(s->events[i].spans);
    }
    free(s->events);
    mask_free(&s->mask);
    free(s);
}

/* ---- requests and answers ---------------------------------------------------------------------
 */

/* Parts that are pictures, sounds or files. */
static size_t count_media(struct json v)
{
    static const char *const types[] = {"image_url", "input_image", "input_audio", "file",
                                        "input_file"};
    struct json_member m;
    struct json item;
    size_t pos = 0, found = 0;
    while (json_is(v, '[') && json_next_item(v, &pos, &item))
        found += count_media(item);
    while (json_is(v, '{') && json_next_member(v, &pos, &m)) {
        if (json_is(m.value, '{') || json_is(m.value, '['))
            found += count_media(m.value);
        for (size_t i = 0; json_equals(m.key, "type") && i < sizeof types / sizeof *types; i++)
            found += json_equals(m.value, types[i]);
    }
    return found;
}

static size_t messages_of(struct json body)
{
    struct json list = json_get(body, "messages"), item;
    size_t pos = 0, count = 0;
    list = list.p ? list : json_get(body, "input");
    while (json_is(list, '[') && json_next_item(list, &pos, &item))
        count++;
    return count;
}

static void check_size(struct pass *p)
{
    const struct guard_rule *r = p->chosen[GUARD_SIZE];
    const struct json body = p->doc->body;
    struct guard_finding f = {.score = 0};
    if (!r)
        return;
    const struct {
        const char *reason;
        size_t is, most;
    } sizes[] = {{"messages", messages_of(body), (size_t)r->config->max_messages},
                 {"tokens", body.len / BYTES_PER_TOKEN, (size_t)r->config->max_tokens},
                 {"images", count_media(body), (size_t)r->config->max_images}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i].most == 0 || sizes[i].is <= sizes[i].most)
            continue;
        f.score = 1;
        finding_reason(&f, sizes[i].reason);
    }
    if (f.score == 0)
        return;
    if (!p->rewrites)
        guard_keep_event(p->state, r, &(struct guard_text){.doc = p->doc, .text = ""}, &f);
    guard_act(p, r, &f);
}

static bool walk(struct pass *p, struct json v, int lane, struct buf *out)
{
    choose(p->g, p->doc, lane, true, p->chosen);
    p->marks = !p->answer && !p->kept && guard_draws_canary(p->chosen[GUARD_LEAK]);
    choose(p->g, p->doc, lane, p->answer, p->chosen);
    bool any = p->marks;
    for (int i = 0; i < GUARD_KINDS; i++)
        any |= p->chosen[i] != NULL;
    if (!any)
        return false;
    if (!p->answer)
        check_size(p);
    texts_rewrite_data(v, false, guard_on_text, p, out);
    return p->changed;
}

void guards_ask(struct guards *g, const struct task_doc *d, int lane, struct guarded *out)
{
    struct pass p = {.g = g, .doc = d, .state = out};
    struct buf nothing;
    buf_init(&nothing, TEXT_MAX);
    out->changed = walk(&p, d->body, lane, &nothing);
    out->looked = p.chosen[GUARD_SENSITIVE] != NULL;
    if (nothing.data)
        explicit_bzero(nothing.data, nothing.len);
    buf_free(&nothing);
}

void guards_rewrite(struct guards *g, const struct task_doc *d, int lane, struct guarded *state,
                    bool kept, struct buf *out)
{
    struct pass p = {
        .g = g, .doc = d, .state = state, .rewrites = true, .kept = kept, .mark = random_u64()};
    (void)walk(&p, d->body, lane, out);
}

bool guards_watch_answers(const struct guards *g, const struct task_doc *d, int lane)
{
    const struct guard_rule *chosen[GUARD_KINDS];
    bool any = false;
    choose(g, d, lane, true, chosen);
    for (int i = 0; i < GUARD_KINDS; i++)
        any |= chosen[i] != NULL;
    return any;
}

static void note_text(void *arg, struct text_place place, struct json v, struct buf *out)
{
    struct pass *p = arg;
    struct buf *text = &p->g->next; /* the other one is being looked at */
    struct spans found;
    (void)place;
    (void)out;
    buf_clear(text);
    (void)json_string(v, text);
    spans_init(&found);
    sensitive_read(UINT32_MAX, text->data ? text->data : "", text->len, &found);
    for (size_t i = 0; i < found.count; i++)
        mask_note(&p->state->mask, text->data + found.items[i].from,
                  found.items[i].to - found.items[i].from);
    spans_free(&found);
}

void guard_note_question(struct pass *p)
{
    struct buf nothing;
    buf_init(&nothing, TEXT_MAX);
    texts_rewrite_data(p->doc->body, false, note_text, p, &nothing);
    buf_free(&nothing);
    p->state->noted = true;
}

bool guards_answer(struct guards *g, const struct task_doc *d, int lane, struct guarded *state,
                   struct json answer, struct buf *out)
{
    struct pass p = {.g = g, .doc = d, .state = state, .answer = true};
    choose(g, d, lane, true, p.chosen);
    if (p.chosen[GUARD_SENSITIVE] && !state->looked && !state->noted)
        guard_note_question(&p); /* who keeps or rates the task must know */
    if (p.chosen[GUARD_LEAK])
        leak_begin(&g->tools.leak, d->body, (size_t)p.chosen[GUARD_LEAK]->config->leak_words);
    texts_rewrite_data(answer, false, guard_on_text, &p, out);
    leak_end(&g->tools.leak);
    return p.changed;
}

void guards_scrub(struct guards *g, char *text, size_t len)
{
    struct spans found;
    bool any = false;
    for (size_t i = 0; i < g->count; i++)
        any |= g->rules[i].config->guard == GUARD_SENSITIVE;
    if (!any)
        return;
    spans_init(&found);
    sensitive_read(UINT32_MAX, text, len, &found);
    for (size_t i = 0; i < found.count; i++)
        memset(text + found.items[i].from, '*', found.items[i].to - found.items[i].from);
    spans_free(&found);
}

/* ---- moderation -------------------------------------------------------------------------------
 */

const struct config_guard_rule *guards_moderation(const struct guards *g, const struct task_doc *d,
                                                  int lane)
{
    const struct guard_rule *chosen[GUARD_KINDS];
    choose(g, d, lane, true, chosen);
    return chosen[GUARD_MODERATION] ? chosen[GUARD_MODERATION]->config : NULL;
}
