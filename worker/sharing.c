#include "sharing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/match.h"
#include "common/mem.h"
#include "common/money.h"

#define USUAL_TEMPERATURE 1000000000000LL /* 1, if a request gives none (OpenAI, Anthropic) */

const char *const answer_source_names[] = {NULL, "cached", "shared"};

/* In millionths of a millionth; what cannot be read counts as the most. */
static int64_t temperature_of(struct json body)
{
    struct json v = json_get(body, "temperature");
    int64_t out;
    if (!v.p || json_is(v, 'n'))
        return USUAL_TEMPERATURE;
    return json_is(v, '0') && money_parse_rounded(v.p, v.len, 12, &out) ? out : INT64_MAX;
}

/* Embeddings and moderations are not sampled. */
static bool is_sampled(const char *url)
{
    return strcmp(url, "/v1/embeddings") != 0 && strcmp(url, "/v1/moderations") != 0;
}

const struct config_cache_rule *sharing_rule(const struct config *c, const struct task_doc *d,
                                             int lane)
{
    if (c->cache.rules.count == 0 || d->wishes.no_cache || d->wishes.sensitive)
        return NULL;
    const struct config_cache_rule *r = match_first(&c->cache.rules, sizeof *r, d, lane);
    if (!r || r->never || (r->ttl == 0 && !r->coalesce))
        return NULL;
    return is_sampled(d->url) && temperature_of(d->body) > r->max_temperature ? NULL : r;
}

/* What is done with the prompt before it is sent, so far as it shapes the answer. */
static void write_stages(const struct config *c, const struct task_doc *d, int lane,
                         struct buf *out)
{
    const struct config_compress_rule *r = match_first(&c->compress.rules, sizeof *r, d, lane);
    const struct config_pack_rule *p = match_first(&c->packing.rules, sizeof *p, d, lane);
    if (r && !r->never)
        buf_printf(out, "\x1f%d%d%d%d/%" PRId64 "/%d", r->whitespace, r->html, r->repeats,
                   r->verbose, r->max_tokens, (int)r->cut);
    if (p && !p->never)
        buf_str(out, "\x1fpacked");
    const struct config_guard_rule *g = c->guards.rules.items;
    buf_printf(out, "\x1fg%d", (int)c->guards.profile);
    for (size_t i = 0; i < c->guards.rules.count; i++)
        if (match_fits(&g[i].rule.when, d, lane))
            buf_printf(out, "/%zu:%d:%d:%d:%" PRId64, i, (int)g[i].guard, (int)g[i].direction,
                       (int)g[i].action, g[i].threshold);
}

bool sharing_key(const struct config *c, const struct config_cache_rule *rule,
                 const struct task_doc *d, int lane, const char *model,
                 unsigned char key[CANON_DIGEST])
{
    struct buf scope; /* no tenant's: "*"; theirs begin with '=' */
    buf_init(&scope, TASK_NAME_MAX + 4096);
    if (rule->scope != CACHE_TENANT)
        buf_char(&scope, '*');
    else
        buf_printf(&scope, "%c%s", d->tenant ? '=' : '-', d->tenant ? d->tenant : "");
    write_stages(c, d, lane, &scope);
    const bool done = canon_digest(scope.data, d->url, model, d->body, canon_shapeless, key);
    buf_free(&scope);
    return done;
}

/* One of a chat's or a completion's choices. */
static bool is_choice_whole(struct json choice)
{
    struct json reason = json_get(choice, "finish_reason");
    struct json message = json_get(choice, "message"), refusal = json_get(message, "refusal");
    struct json content = json_get(message, "content"), calls = json_get(message, "tool_calls");
    if (refusal.p && !json_is(refusal, 'n'))
        return false;
    if (message.p && !calls.p && !json_get(message, "function_call").p &&
        (!content.p || json_is(content, 'n') || json_equals(content, "")))
        return false;
    return !json_is(reason, '"') || json_equals(reason, "stop") ||
           json_equals(reason, "tool_calls") || json_equals(reason, "function_call");
}

bool sharing_is_whole(struct json answer)
{
    struct json choices = json_get(answer, "choices"), item;
    struct json status = json_get(answer, "status"); /* of /v1/responses */
    size_t pos = 0, count = 0;
    if (json_is(status, '"') && !json_equals(status, "completed"))
        return false;
    for (; json_is(choices, '[') && json_next_item(choices, &pos, &item); count++)
        if (!is_choice_whole(item))
            return false;
    return json_is(answer, '{') && (count > 0 || !choices.p);
}

struct borrowed *borrowed_new(char *text, size_t len, const char *backend, const char *model,
                              const char *answer_of)
{
    struct borrowed *b = mem_zero(sizeof *b);
    *b = (struct borrowed){.holders = 1,
                           .text = text,
                           .len = len,
                           .backend = mem_string(backend),
                           .model = mem_string(model),
                           .answer_of = mem_string(answer_of),
                           .cost = -1};
    return b;
}

void borrowed_drop(struct borrowed *b)
{
    if (!b || --b->holders > 0)
        return;
    free(b->text);
    free(b->backend);
    free(b->model);
    free(b->answer_of);
    free(b);
}
