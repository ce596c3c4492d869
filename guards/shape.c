#include "guards/shape.h"

#include <string.h>

#include "guards/schema.h"

enum { NESTED_MAX = 64 };

struct json shape_wanted(struct json body)
{
    static const char any[] = "{}";
    struct json format = json_get(body, "response_format");
    if (!format.p)
        format = json_get(json_get(body, "text"), "format");
    const struct json type = json_get(format, "type");
    struct json schema = json_get(json_get(format, "json_schema"), "schema");
    if (!schema.p)
        schema = json_get(format, "schema");
    if (json_equals(type, "json_schema") && json_is(schema, '{'))
        return schema;
    return json_equals(type, "json_object") || json_equals(type, "json_schema")
               ? (struct json){any, sizeof any - 1}
               : (struct json){0};
}

/* From the first bracket to the last. */
static void trim(const char **text, size_t *len)
{
    size_t from = 0, to = *len;
    while (from < to && (*text)[from] != '{' && (*text)[from] != '[')
        from++;
    while (to > from && (*text)[to - 1] != '}' && (*text)[to - 1] != ']')
        to--;
    if (to > from) {
        *text += from;
        *len = to - from;
    }
}

static size_t next_sign(const char *s, size_t len, size_t i)
{
    while (i < len && strchr(" \t\r\n", s[i]))
        i++;
    return i;
}

/* Copies outside of strings what is no comma before a closing bracket; closes what is open. */
static void mend(const char *s, size_t len, struct buf *out)
{
    char open[NESTED_MAX];
    size_t depth = 0;
    bool string = false;
    for (size_t i = 0; i < len; i++) {
        const char c = s[i];
        if (string && c == '\\' && i + 1 < len) {
            buf_add(out, s + i, 2);
            i++;
            continue;
        }
        string ^= c == '"';
        if (!string && c == ',') {
            const size_t next = next_sign(s, len, i + 1);
            if (next == len || s[next] == '}' || s[next] == ']')
                continue;
        }
        if (!string && (c == '{' || c == '[') && depth < NESTED_MAX)
            open[depth++] = c == '{' ? '}' : ']';
        if (!string && (c == '}' || c == ']') && depth > 0)
            depth--;
        buf_char(out, c);
    }
    while (depth > 0 && !string)
        buf_char(out, open[--depth]);
}

bool shape_check(struct json schema, const char *text, size_t len, struct buf *out, bool *repaired,
                 struct error *err)
{
    *repaired = false;
    if (json_check(text, len, err))
        return schema_fits(schema, json_root(text, len), err);
    buf_clear(out);
    const char *inner = text;
    size_t inner_len = len;
    trim(&inner, &inner_len);
    struct error worse;
    if (json_check(inner, inner_len, &worse))
        buf_add(out, inner, inner_len);
    else {
        const char *from = memchr(text, '{', len), *list = memchr(text, '[', len);
        if (!from || (list && list < from))
            from = list;
        if (!from)
            return false;
        size_t rest = len - (size_t)(from - text);
        while (rest && strchr(" \t\r\n`", from[rest - 1]))
            rest--;
        mend(from, rest, out);
        if (!json_check(out->data, out->len, &worse))
            return false;
    }
    *repaired = true;
    return schema_fits(schema, json_root(out->data, out->len), err);
}

void shape_ask_again(struct json body, const char *answer, const char *why, struct buf *out)
{
    struct json_member m;
    size_t pos = 0;
    char before = '{';
    while (json_next_member(body, &pos, &m)) {
        buf_char(out, before);
        before = ',';
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        if (!json_equals(m.key, "messages") || !json_is(m.value, '[')) {
            buf_add(out, m.value.p, m.value.len);
            continue;
        }
        buf_add(out, m.value.p, m.value.len - 1);
        buf_str(out, ",{\"role\":\"assistant\",\"content\":");
        buf_json(out, answer, strlen(answer));
        buf_str(out, "},{\"role\":\"user\",\"content\":");
        struct buf text;
        buf_init(&text, 4096);
        buf_printf(&text,
                   "This answer has not the shape that was asked for: %s. Answer again, with JSON "
                   "alone.",
                   why);
        buf_json(out, text.data, text.len);
        buf_free(&text);
        buf_str(out, "}]");
    }
    buf_char(out, '}');
}

/* An object with one member written anew. */
static void put_member(struct json object, const char *name, struct json value, struct buf *out)
{
    struct json_member m;
    size_t pos = 0;
    char before = '{';
    while (json_next_member(object, &pos, &m)) {
        const struct json v = json_equals(m.key, name) ? value : m.value;
        buf_char(out, before);
        before = ',';
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        buf_add(out, v.p, v.len);
    }
    buf_char(out, '}');
}

void shape_put_text(struct json answer, const char *text, size_t len, struct buf *out)
{
    struct buf content, message, choice, choices;
    struct json first = {0}, one, list = json_get(answer, "choices");
    size_t pos = 0;
    buf_init(&content, len * 6 + 64);
    buf_init(&message, answer.len + len * 6 + 64);
    buf_init(&choice, answer.len + len * 6 + 64);
    buf_init(&choices, answer.len + len * 6 + 64);
    buf_json(&content, text, len);
    (void)json_next_item(list, &pos, &first);
    put_member(json_get(first, "message"), "content", (struct json){content.data, content.len},
               &message);
    put_member(first, "message", (struct json){message.data, message.len}, &choice);
    buf_char(&choices, '[');
    buf_add(&choices, choice.data, choice.len);
    while (json_next_item(list, &pos, &one)) {
        buf_char(&choices, ',');
        buf_add(&choices, one.p, one.len);
    }
    buf_char(&choices, ']');
    put_member(answer, "choices", (struct json){choices.data, choices.len}, out);
    buf_free(&content);
    buf_free(&message);
    buf_free(&choice);
    buf_free(&choices);
}
