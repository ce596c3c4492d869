#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MAX = 128 };

#define NOTHING_LIKE "this backend's API has nothing like it"

/* Any value: it asks nothing of the dialect. */
#define ANY "*"

quern_status chat_refuse(struct error *err, const char *field, const char *why)
{
    return error_set(err, ERROR_NEXT_CANDIDATE, "invalid_request", "%s: %s", field, why);
}

/* "body.messages[3].NAME" */
static quern_status refuse_in(struct error *err, const char *list, size_t number, const char *name,
                              const char *why)
{
    char field[FIELD_MAX];
    (void)snprintf(field, sizeof field, "body.%s[%zu]%s%.60s", list, number, *name ? "." : "",
                   name);
    return chat_refuse(err, field, why);
}

/* ---- the request's members ------------------------------------------------------------------ */

/* `nothing`: values that ask for nothing, so that nothing is lost without them. */
static const struct known {
    const char *name;
    int member;        /* CHAT_MEMBERS: there is none; only `nothing` can be understood */
    const char *kinds; /* of values, as json_is() takes them */
    const char *nothing[3];
} known[] = {{"model", CHAT_MODEL, "\"", {NULL}},
             {"messages", CHAT_MESSAGES, "[", {NULL}},
             {"max_tokens", CHAT_MAX_TOKENS, "0", {NULL}},
             {"max_completion_tokens", CHAT_MAX_TOKENS, "0", {NULL}},
             {"temperature", CHAT_TEMPERATURE, "0", {NULL}},
             {"top_p", CHAT_TOP_P, "0", {NULL}},
             {"top_k", CHAT_TOP_K, "0", {NULL}},
             {"stop", CHAT_STOP, "\"[", {"[]"}},
             {"n", CHAT_N, "0", {"1"}},
             {"seed", CHAT_SEED, "0", {NULL}},
             {"frequency_penalty", CHAT_FREQUENCY_PENALTY, "0", {"0", "0.0"}},
             {"presence_penalty", CHAT_PRESENCE_PENALTY, "0", {"0", "0.0"}},
             {"tools", CHAT_TOOLS, "[", {"[]"}},
             {"tool_choice", CHAT_TOOL_CHOICE, "\"{", {NULL}},
             {"parallel_tool_calls", CHAT_PARALLEL_TOOL_CALLS, "t", {"true"}},
             {"response_format", CHAT_RESPONSE_FORMAT, "{", {NULL}},
             {"reasoning_effort", CHAT_REASONING_EFFORT, "\"", {NULL}},
             {"user", CHAT_USER, "\"", {NULL}},
             {"logprobs", CHAT_MEMBERS, "", {"false"}},
             {"logit_bias", CHAT_MEMBERS, "", {"{}"}},
             {"stream", CHAT_MEMBERS, "", {ANY}}, /* for the pipeline to see to */
             {"stream_options", CHAT_MEMBERS, "", {ANY}},
             {"store", CHAT_MEMBERS, "", {"false"}},
             {"service_tier", CHAT_MEMBERS, "", {"\"auto\"", "\"default\""}},
             {"modalities", CHAT_MEMBERS, "", {"[\"text\"]"}},
             {NULL, 0, "", {NULL}}};

static const struct known *find_known(struct json key)
{
    const struct known *k = known;
    while (k->name && !json_equals(key, k->name))
        k++;
    return k;
}

static bool asks_for_nothing(const struct known *k, struct json v)
{
    if (json_is(v, 'n'))
        return true;
    for (size_t i = 0; i < 3 && k->nothing[i]; i++)
        if (strcmp(k->nothing[i], ANY) == 0 ||
            (strlen(k->nothing[i]) == v.len && memcmp(k->nothing[i], v.p, v.len) == 0))
            return true;
    return false;
}

static quern_status refuse_member(struct error *err, struct json key, const char *dialect)
{
    char field[FIELD_MAX], why[FIELD_MAX];
    (void)snprintf(field, sizeof field, "body.%.*s", (int)(key.len - 2 < 64 ? key.len - 2 : 64),
                   key.p + 1);
    (void)snprintf(why, sizeof why,
                   "the %s API has nothing like it; leave it out or use another "
                   "backend",
                   dialect);
    return chat_refuse(err, field, why);
}

static quern_status refuse_kind(struct error *err, const struct known *k)
{
    static const struct {
        char kind;
        const char *word;
    } words[] = {{'"', "a text"},
                 {'0', "a number"},
                 {'[', "a list"},
                 {'{', "an object"},
                 {'t', "true or false"}};
    char kinds[FIELD_MAX] = "";
    for (size_t i = 0, n = 0; i < sizeof words / sizeof *words; i++)
        if (strchr(k->kinds, words[i].kind))
            n += (size_t)snprintf(kinds + n, sizeof kinds - n, "%s%s", n ? " or " : "",
                                  words[i].word);
    return error_set(err, ERROR_NEXT_CANDIDATE, "invalid_request", "body.%s: %s is expected",
                     k->name, kinds);
}

static quern_status refuse_twice(struct error *err, const char *name)
{
    char field[FIELD_MAX];
    (void)snprintf(field, sizeof field, "body.%s", name);
    return chat_refuse(err, field, "it, or another word for the same, is there already");
}

static bool is_of_kind(const struct known *k, struct json v)
{
    for (const char *kind = k->kinds; *kind; kind++)
        if (json_is(v, *kind))
            return true;
    return false;
}

static bool is_refused(const enum chat_member refused[], int member)
{
    while (*refused != CHAT_MEMBERS && (int)*refused != member)
        refused++;
    return member == CHAT_MEMBERS || *refused != CHAT_MEMBERS;
}

quern_status chat_read(const struct request *r, const enum chat_member refused[],
                       const char *dialect, struct json m[CHAT_MEMBERS], struct error *err)
{
    struct json_member member;
    size_t pos = 0;
    memset(m, 0, CHAT_MEMBERS * sizeof *m);
    if (strcmp(r->url, "/v1/chat/completions") != 0)
        return chat_refuse(err, "url", "this backend's dialect takes /v1/chat/completions only");
    while (json_next_member(r->body, &pos, &member)) {
        const struct known *k = find_known(member.key);
        if (k->name && asks_for_nothing(k, member.value))
            continue;
        if (!k->name || is_refused(refused, k->member))
            return refuse_member(err, member.key, dialect);
        if (!is_of_kind(k, member.value))
            return refuse_kind(err, k);
        if (m[k->member].p)
            return refuse_twice(err, k->name);
        m[k->member] = member.value;
    }
    if (!json_is(m[CHAT_MESSAGES], '['))
        return chat_refuse(err, "body.messages", "a list of messages is expected");
    return QUERN_OK;
}

/* ---- messages ------------------------------------------------------------------------------- */

bool chat_is(const struct chat_message *m, const char *role)
{
    return json_equals(m->role, role);
}

/* Copies the members of an object whose names are in `names` to out[]; null is absent. Another
 * member is refused: *other is its name. */
static bool read_members(struct json object, const char *const names[], size_t count,
                         struct json out[], char other[FIELD_MAX])
{
    struct json_member m;
    size_t pos = 0, i;
    memset(out, 0, count * sizeof *out);
    while (json_is(object, '{') && json_next_member(object, &pos, &m)) {
        for (i = 0; i < count && !json_equals(m.key, names[i]); i++)
            ;
        if (json_is(m.value, 'n'))
            continue;
        if (i == count) {
            (void)snprintf(other, FIELD_MAX, "%.*s", (int)(m.key.len - 2 < 60 ? m.key.len - 2 : 60),
                           m.key.p + 1);
            return false;
        }
        out[i] = m.value;
    }
    return true;
}

int chat_next(struct json messages, size_t *pos, struct chat_message *m, struct error *err)
{
    static const char *const names[] = {"role", "content", "tool_calls", "tool_call_id"};
    static const char *const roles[] = {"system", "developer", "user", "assistant", "tool"};
    struct json item, v[4];
    char other[FIELD_MAX];
    size_t number = *pos == 0 ? 0 : m->number + 1, i = 0;
    if (!json_next_item(messages, pos, &item))
        return 0;
    if (!json_is(item, '{'))
        return refuse_in(err, "messages", number, "", "an object is expected");
    if (!read_members(item, names, 4, v, other))
        return refuse_in(err, "messages", number, other, NOTHING_LIKE);
    *m = (struct chat_message){number, v[0], v[1], v[2], v[3]};
    while (i < 5 && !chat_is(m, roles[i]))
        i++;
    if (i == 5)
        return refuse_in(err, "messages", number, "role",
                         "it is none of system, developer, user, assistant, tool");
    if (m->tool_calls.p && (i != 3 || !json_is(m->tool_calls, '[')))
        return refuse_in(err, "messages", number, "tool_calls",
                         "a list is expected, in a message of the assistant");
    if ((i == 4) != json_is(m->tool_call_id, '"'))
        return refuse_in(err, "messages", number, "tool_call_id",
                         "messages of the role tool have one, others have none");
    return 1;
}

int chat_next_call(const struct chat_message *m, size_t *pos, struct chat_call *call,
                   struct error *err)
{
    static const char *const names[] = {"id", "type", "function"};
    static const char *const parts[] = {"name", "arguments"};
    struct json item, v[3], f[2];
    struct error ignored;
    char other[FIELD_MAX];
    buf_init(&call->arguments, m->tool_calls.len + 1);
    if (!m->tool_calls.p || !json_next_item(m->tool_calls, pos, &item))
        return 0;
    if (!read_members(item, names, 3, v, other) || !read_members(v[2], parts, 2, f, other))
        return refuse_in(err, "messages", m->number, other, NOTHING_LIKE);
    call->id = v[0];
    call->name = f[0];
    if (!json_is(call->id, '"') || !json_is(call->name, '"'))
        return refuse_in(err, "messages", m->number, "tool_calls",
                         "each call needs an id and a function with a name");
    bool text = json_string(f[1], &call->arguments) || !f[1].p;
    buf_str(&call->arguments, call->arguments.len ? "" : "{}");
    if (!text || !json_check(call->arguments.data, call->arguments.len, &ignored) ||
        !json_is(json_root(call->arguments.data, call->arguments.len), '{'))
        return refuse_in(err, "messages", m->number, "tool_calls",
                         "function.arguments is not the text of a JSON object");
    return 1;
}

static quern_status read_image(const struct chat_message *m, const struct chat_content *to,
                               struct json image, struct error *err)
{
    static const char *const names[] = {"url", "detail"};
    struct json v[2] = {{0}};
    char field[FIELD_MAX];
    struct buf text;
    if (json_is(image, '{') && !read_members(image, names, 2, v, field))
        return refuse_in(err, "messages", m->number, field, NOTHING_LIKE);
    struct json url = json_is(image, '"') ? image : v[0];
    if (v[1].p && !json_equals(v[1], "auto"))
        return refuse_in(err, "messages", m->number, "content.image_url.detail", NOTHING_LIKE);
    (void)snprintf(field, sizeof field, "body.messages[%zu].content.image_url", m->number);
    buf_init(&text, url.len + 1);
    quern_status status =
        json_string(url, &text) && text.len && to->image
            ? to->image(to->arg, text.data, text.len, field, err)
            : chat_refuse(err, field, "an image cannot stand here, or has no url");
    buf_free(&text);
    return status;
}

static quern_status read_part(const struct chat_message *m, const struct chat_content *to,
                              struct json part, struct error *err)
{
    static const char *const names[] = {"type", "text", "image_url"};
    struct json type = json_get(part, "type"), v[3];
    char other[FIELD_MAX];
    const bool text = json_equals(type, "text"), image = json_equals(type, "image_url");
    if (!text && !image)
        return refuse_in(
            err, "messages", m->number, "content",
            "a part is neither text nor image_url; this backend's API is given no other");
    if (!read_members(part, names, 3, v, other))
        return refuse_in(err, "messages", m->number, other, NOTHING_LIKE);
    if (text ? !json_is(v[1], '"') || v[2].p : v[1].p != NULL)
        return refuse_in(err, "messages", m->number, "content",
                         "a part has a text or an image_url, as its type says");
    if (image)
        return read_image(m, to, v[2], err);
    to->text(to->arg, v[1]);
    return QUERN_OK;
}

quern_status chat_content(const struct chat_message *m, const struct chat_content *to,
                          struct error *err)
{
    struct json part;
    size_t pos = 0;
    if (!m->content.p)
        return QUERN_OK;
    if (json_is(m->content, '"')) {
        to->text(to->arg, m->content);
        return QUERN_OK;
    }
    if (!json_is(m->content, '['))
        return refuse_in(err, "messages", m->number, "content", "a text or a list is expected");
    while (json_next_item(m->content, &pos, &part))
        if (read_part(m, to, part, err) != QUERN_OK)
            return QUERN_FAIL;
    return QUERN_OK;
}

/* ---- messages in another shape -------------------------------------------------------------- */

bool chat_is_system(const struct chat_message *m)
{
    return chat_is(m, "system") || chat_is(m, "developer");
}

void chat_next_part(struct chat_writer *w)
{
    if (!w->first)
        buf_char(w->out, ',');
    w->first = false;
}

static void open_message(struct chat_writer *w, const char *role)
{
    if (w->role && strcmp(w->role, role) == 0)
        return;
    buf_printf(w->out, "%s{\"role\":\"%s\",\"%s\":[", w->role ? "]}," : "", role, w->shape->parts);
    w->role = role;
    w->first = true;
}

static quern_status put_calls(struct chat_writer *w, const struct chat_message *m,
                              struct error *err)
{
    struct chat_call call;
    size_t pos = 0;
    int more;
    while ((more = chat_next_call(m, &pos, &call, err)) > 0) {
        chat_next_part(w);
        w->shape->call(w, &call);
        buf_free(&call.arguments);
    }
    buf_free(&call.arguments);
    return more == 0 ? QUERN_OK : QUERN_FAIL;
}

static quern_status put_message(struct chat_writer *w, const struct chat_message *m,
                                struct error *err)
{
    const struct chat_content to = {w->shape->text, w->shape->image, w};
    if (chat_is_system(m))
        return w->role ? chat_refuse(err, "body.messages",
                                     "a system message behind others: this backend's API takes "
                                     "them at the beginning only")
                       : QUERN_OK; /* written before */
    open_message(w, chat_is(m, "assistant") ? w->shape->assistant : "user");
    if (chat_is(m, "tool"))
        return w->shape->result(w, m, err);
    return chat_content(m, &to, err) == QUERN_OK ? put_calls(w, m, err) : QUERN_FAIL;
}

quern_status chat_put_messages(struct buf *out, struct json messages,
                               const struct chat_shape *shape, struct error *err)
{
    struct chat_writer w = {.out = out, .shape = shape, .messages = messages, .first = true};
    struct chat_message m = {0};
    size_t pos = 0;
    int more;
    while ((more = chat_next(messages, &pos, &m, err)) > 0)
        if (put_message(&w, &m, err) != QUERN_OK)
            return QUERN_FAIL;
    buf_str(out, w.role ? "]}" : "");
    return more == 0 ? QUERN_OK : QUERN_FAIL;
}

/* ---- tools and formats ---------------------------------------------------------------------- */

int chat_next_tool(struct json tools, size_t *pos, struct chat_tool *t, struct error *err)
{
    static const char *const parts[] = {"type", "function"};
    static const char *const names[] = {"name", "description", "parameters", "strict"};
    struct json item, p[2], v[4];
    char other[FIELD_MAX];
    const size_t number = *pos == 0 ? 0 : t->number + 1;
    if (!tools.p || !json_next_item(tools, pos, &item))
        return 0;
    if (!read_members(item, parts, 2, p, other))
        return refuse_in(err, "tools", number, other, NOTHING_LIKE);
    if (!json_equals(p[0], "function") || !json_is(p[1], '{'))
        return refuse_in(err, "tools", number, "type", "function is expected, and a function");
    if (!read_members(p[1], names, 4, v, other))
        return refuse_in(err, "tools", number, other, NOTHING_LIKE);
    *t = (struct chat_tool){number, v[0], v[1], v[2], v[3]};
    if (!json_is(t->name, '"'))
        return refuse_in(err, "tools", number, "function.name", "a text is expected");
    return 1;
}

quern_status chat_tool_choice(struct json v, const char **mode, struct json *name,
                              struct error *err)
{
    static const char *const modes[] = {"auto", "none", "required"};
    static const char *const names[] = {"type", "function"}, *const parts[] = {"name"};
    struct json p[2] = {{0}};
    char other[FIELD_MAX];
    *mode = NULL;
    *name = (struct json){0};
    if (json_is(v, '{') &&
        (!read_members(v, names, 2, p, other) || !read_members(p[1], parts, 1, name, other)))
        return chat_refuse(err, "body.tool_choice", "it has a member that is not known");
    for (size_t i = 0; i < 3; i++)
        if (json_equals(v, modes[i]))
            *mode = modes[i];
    if (!v.p || *mode || json_is(*name, '"'))
        return QUERN_OK;
    return chat_refuse(err, "body.tool_choice", "auto, none, required or one function is expected");
}

quern_status chat_format(struct json v, struct json *schema, bool *any, struct error *err)
{
    static const char *const names[] = {"type", "json_schema"};
    static const char *const parts[] = {"schema", "name", "strict"}; /* the last two are labels */
    struct json p[2] = {{0}}, f[3] = {{0}};
    char other[FIELD_MAX];
    if (!read_members(v, names, 2, p, other) || !read_members(p[1], parts, 3, f, other))
        return chat_refuse(err, "body.response_format", "it has a member that cannot be said");
    *any = json_equals(p[0], "json_object");
    *schema = f[0];
    if (!v.p || ((*any || json_equals(p[0], "text")) && !p[1].p))
        return QUERN_OK;
    if (json_equals(p[0], "json_schema") && json_is(*schema, '{'))
        return QUERN_OK;
    return chat_refuse(err, "body.response_format",
                       "text, json_object, or json_schema with a schema is expected");
}

bool chat_data_url(const char *url, size_t len, const char **type, size_t *type_len,
                   const char **data, size_t *data_len)
{
    static const char scheme[] = "data:", coding[] = ";base64,";
    const size_t start = sizeof scheme - 1;
    if (len < start || memcmp(url, scheme, start) != 0)
        return false;
    const char *end = memmem(url, len, coding, sizeof coding - 1);
    if (!end || end == url + start)
        return false;
    *type = url + start;
    *type_len = (size_t)(end - *type);
    *data = end + sizeof coding - 1;
    *data_len = len - (size_t)(*data - url);
    return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

void chat_copy(struct buf *out, const char *key, struct json v)
{
    if (!v.p)
        return;
    buf_printf(out, ",\"%s\":", key);
    buf_add(out, v.p, v.len);
}

void chat_copy_stop(struct buf *out, const char *key, struct json v)
{
    if (!v.p)
        return;
    buf_printf(out, json_is(v, '"') ? ",\"%s\":[" : ",\"%s\":", key);
    buf_add(out, v.p, v.len);
    if (json_is(v, '"'))
        buf_char(out, ']');
}
