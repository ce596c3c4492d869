#include "classify.h"

#include <string.h>

enum { MESSAGE_SHOWN = 300 };

bool classify_is(const struct error *e, enum failure_trait trait)
{
    static const struct {
        const char *type;
        unsigned traits;
    } types[] = {{"rate_limit", OF_LOAD | UNUSED}, {"overloaded", OF_LOAD | UNUSED},
                 {"auth", OF_KEY | UNUSED},        {"quota_exhausted", OF_KEY | UNUSED},
                 {"invalid_request", UNUSED},      {"context_length", UNUSED},
                 {"timeout", OF_LOAD | OF_TASK},   {"api_error", OF_TASK},
                 {"malformed_response", OF_TASK},  {"network", OF_TASK}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].type, e->code) == 0)
            return (types[i].traits & trait) != 0;
    return false;
}

static bool fits(const struct failure_rule *r, const struct failure *f, const char *message)
{
    return (r->status == 0 || r->status == f->status) &&
           (!r->code || json_equals(f->code, r->code) || json_equals(f->type, r->code)) &&
           (!r->text || strcasestr(message, r->text));
}

/* What every service means by a status; what its own table says comes first. */
static const struct failure_rule common[] = {
    {429, NULL, NULL, "rate_limit", ERROR_THROTTLED},
    {401, NULL, NULL, "auth", ERROR_NEXT_KEY},
    {402, NULL, NULL, "quota_exhausted", ERROR_NEXT_KEY},
    {403, NULL, NULL, "auth", ERROR_NEXT_CANDIDATE},
    {404, NULL, NULL, "invalid_request", ERROR_NEXT_CANDIDATE},
    {408, NULL, NULL, "timeout", ERROR_RETRY},
    {409, NULL, NULL, "api_error", ERROR_RETRY},
    {503, NULL, NULL, "overloaded", ERROR_RETRY},
    {504, NULL, NULL, "timeout", ERROR_RETRY},
    {529, NULL, NULL, "overloaded", ERROR_RETRY},
    {0}};

/* A redirect: it is not followed. */
static const struct failure_rule moved = {0, NULL, NULL, "invalid_request", ERROR_NEXT_CANDIDATE};

static const struct failure_rule *find_rule(const struct failure_rule *rules,
                                            const struct failure *f, const char *message)
{
    static const struct failure_rule client = {0, NULL, NULL, "invalid_request", ERROR_PERMANENT};
    static const struct failure_rule server = {0, NULL, NULL, "api_error", ERROR_RETRY};
    for (; rules->type; rules++)
        if (fits(rules, f, message))
            return rules;
    for (rules = common; rules->type; rules++)
        if (fits(rules, f, message))
            return rules;
    if (f->status >= 300 && f->status < 400)
        return &moved;
    return f->status >= 400 && f->status < 500 ? &client : &server;
}

void classify_failure(const struct failure_rule *rules, const struct failure *f, const char *text,
                      size_t len, struct reply *out)
{
    struct buf message;
    buf_init(&message, f->message.len + len + 1);
    if (!json_string(f->message, &message))
        buf_add(&message, text, len < MESSAGE_SHOWN ? len : MESSAGE_SHOWN);
    buf_str(&message, "");
    const struct failure_rule *rule = find_rule(rules, f, message.data);
    (void)error_set(
        &out->error, rule->class, rule->type, "HTTP %ld%s: %.*s", f->status,
        rule == &moved
            ? " (it redirects, which is not followed; base_url must be the final address)"
            : "",
        (int)(message.len < MESSAGE_SHOWN ? message.len : MESSAGE_SHOWN), message.data);
    buf_free(&message);
}

long classify_status(long http, struct json code)
{
    int64_t status = 0;
    bool told = http < 300 && json_int64(code, &status) && status >= 400 && status <= 599;
    return told ? (long)status : http;
}

void classify_withheld(struct reply *out, const char *what, struct json detail)
{
    struct buf b;
    buf_init(&b, detail.len + 1);
    (void)json_string(detail, &b);
    buf_str(&b, "");
    out->success = false;
    (void)error_set(&out->error, ERROR_NEXT_CANDIDATE, "content_policy", "%s: %.*s", what,
                    (int)(b.len < MESSAGE_SHOWN ? b.len : MESSAGE_SHOWN), b.data);
    buf_free(&b);
}

void classify_malformed(struct reply *out, long status, const char *why)
{
    out->success = false;
    (void)error_set(&out->error, ERROR_RETRY, "malformed_response",
                    "HTTP %ld, but the body is no answer: %s", status, why);
}

bool classify_parse(const char *text, size_t len, struct reply *out, struct error *err)
{
    *out = (struct reply){.retry_after_ms = -1};
    if (!json_check(text, len, err))
        return false;
    struct json root = json_root(text, len);
    if (json_is(root, '{'))
        out->body = root;
    else
        (void)error_set(err, ERROR_PERMANENT, "invalid_json", "it is no object");
    return out->body.p != NULL;
}

int64_t classify_number(struct json v)
{
    int64_t n = 0;
    (void)json_int64(v, &n);
    return n < 0 ? 0 : n > USAGE_MAX ? USAGE_MAX : n;
}

int64_t classify_count(struct json object, const char *key)
{
    return classify_number(json_get(object, key));
}

bool classify_counted(const struct json *members, size_t n)
{
    bool some = false;
    for (size_t i = 0; i < n; i++) {
        int64_t count = 0;
        if (!members[i].p || json_is(members[i], 'n'))
            continue;
        if (!json_int64(members[i], &count) || count < 0)
            return false;
        some = true;
    }
    return some;
}

/* OpenAI calls the standard tier "default". */
void classify_tier(struct json name, struct usage *out)
{
    out->tier = TIER_STANDARD;
    out->tier_told = json_equals(name, "default");
    for (int i = 0; i < TIER_COUNT && !out->tier_told; i++) {
        out->tier_told = json_equals(name, price_tier_names[i]);
        out->tier = out->tier_told ? (enum price_tier)i : TIER_STANDARD;
    }
}
