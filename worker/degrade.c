#include "degrade.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/template.h"
#include "common/units.h"

enum { SENTENCE_MIN = 20 /* bytes */ };

static bool ends_sentence(const char *text, size_t len, size_t at)
{
    bool last = at + 1 == len;
    if (strchr(".!?", text[at]) && text[at])
        return last || isspace((unsigned char)text[at + 1]);
    return text[at] == '\n' && !last && text[at + 1] == '\n';
}

size_t degrade_lead(const char *text, size_t len, int64_t count)
{
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        if (i - start < SENTENCE_MIN || !ends_sentence(text, len, i))
            continue;
        if (--count == 0)
            return i + (text[i] != '\n');
        start = i + 1;
    }
    return len;
}

/* Appends the text of a content: a string, or parts. */
static void add_content(struct json content, struct buf *out)
{
    struct json part;
    size_t pos = 0;
    (void)json_string(content, out);
    while (json_is(content, '[') && json_next_item(content, &pos, &part))
        (void)json_string(json_get(part, "text"), out);
}

/* What the last message of the user says. */
static void add_prompt(const struct task *t, struct buf *out)
{
    struct json messages = json_get(t->doc.body, "messages"), m, last = {0};
    size_t pos = 0;
    while (json_is(messages, '[') && json_next_item(messages, &pos, &m))
        if (json_equals(json_get(m, "role"), "user"))
            last = json_get(m, "content");
    add_content(last, out);
}

struct fields {
    const struct task *task;
    const struct buf *prompt;
};

static const char *look_up(const void *row, const char *name, size_t len, size_t *value)
{
    const struct fields *f = row;
    const struct task_doc *d = &f->task->doc;
    const char *const values[FALLBACK_FIELDS] = {
        [F_CUSTOM_ID] = d->custom_id, [F_MODEL] = d->model,     [F_TENANT] = d->tenant,
        [F_USER] = d->user,           [F_FEATURE] = d->feature, [F_PROMPT] = f->prompt->data};
    const int i = template_name(fallback_fields, name, len);
    const char *text = i < 0 ? NULL : values[i] ? values[i] : "";
    *value = text ? strlen(text) : 0;
    return text;
}

static bool fill(const struct task *t, const char *text, const struct buf *prompt, struct buf *out)
{
    const struct fields f = {t, prompt};
    struct error err;
    return template_fill(text, look_up, &f, out, &err) == QUERN_OK;
}

/* The task's own word goes before its rule's. */
static bool write_text(const struct task *t, const struct buf *prompt, struct buf *out)
{
    static const struct config_fallback none = {0};
    const struct config_fallback *rule = t->route ? &t->route->fallback : &none;
    struct json own = t->doc.wishes.fallback;
    int64_t sentences = own.p ? 0 : rule->extract;
    (void)json_int64(json_get(own, "extract"), &sentences);
    if (sentences) {
        buf_add(out, prompt->data, degrade_lead(prompt->data, prompt->len, sentences));
        return prompt->len > 0;
    }
    if (json_string(json_get(own, "text"), out))
        return true;
    char *template = json_string_dup(json_get(own, "template"));
    bool good = template         ? fill(t, template, prompt, out)
                : own.p          ? false
                : rule->text     ? (buf_str(out, rule->text), true)
                : rule->template ? fill(t, rule->template, prompt, out)
                                 : false;
    free(template);
    return good;
}

bool degrade_answer(const struct task *t, const char *id, const char *text, size_t len,
                    struct buf *out)
{
    if (strcmp(t->doc.url, "/v1/chat/completions") != 0)
        return false;
    buf_printf(
        out, "{\"id\":\"%s\",\"object\":\"chat.completion\",\"created\":%" PRId64 ",\"model\":", id,
        units_now_us() / 1000000);
    buf_json(out, t->doc.model, strlen(t->doc.model));
    buf_str(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    buf_json(out, text, len);
    buf_str(out, "},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":0,"
                 "\"completion_tokens\":0,\"total_tokens\":0}}");
    return !out->overflow;
}

bool degrade(const struct task *t, struct buf *out)
{
    struct buf prompt, text;
    if (!t->readable || strcmp(t->doc.url, "/v1/chat/completions") != 0)
        return false;
    buf_init(&prompt, t->record_len);
    buf_init(&text, t->record_len * 16);
    add_prompt(t, &prompt);
    buf_str(&prompt, "");
    bool good = write_text(t, &prompt, &text) && !text.overflow;
    buf_str(&text, "");
    if (good)
        good = degrade_answer(t, "quern-degraded", text.data, text.len, out);
    buf_free(&prompt);
    buf_free(&text);
    return good && !out->overflow;
}
