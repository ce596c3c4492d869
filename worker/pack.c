#include "pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { COMMON_LEAST = 40 };

static const char *const limits[] = {"max_completion_tokens", "max_tokens", NULL};

static struct json last_message(struct json messages)
{
    struct json item, last = {0};
    size_t pos = 0;
    while (json_is(messages, '[') && json_next_item(messages, &pos, &item))
        last = item;
    return last;
}

static bool are_texts(struct json messages)
{
    struct json item;
    size_t pos = 0;
    while (json_next_item(messages, &pos, &item))
        if (!json_is(json_get(item, "content"), '"') || json_get(item, "tool_calls").p)
            return false;
    return true;
}

bool pack_fits(const struct task_doc *d)
{
    static const char *const alone[] = {
        "tools",      "functions", "response_format", "stop",        "logprobs",
        "modalities", "audio",     "prediction",      "tool_choice", "web_search_options"};
    enum { ALONE = sizeof alone / sizeof *alone };
    struct json m[ALONE], messages = json_get(d->body, "messages"), last = last_message(messages);
    int64_t n = 1;
    if (strcmp(d->url, "/v1/chat/completions") != 0 || !json_equals(json_get(last, "role"), "user"))
        return false;
    json_get_all(d->body, alone, m, ALONE);
    for (int i = 0; i < ALONE; i++)
        if (m[i].p && !json_is(m[i], 'n'))
            return false;
    struct json answers = json_get(d->body, "n");
    return (!answers.p || (json_int64(answers, &n) && n == 1)) && are_texts(messages);
}

static bool is_limit(struct json key)
{
    return json_equals(key, limits[0]) || json_equals(key, limits[1]);
}

/* The last message but for its text. */
static void write_frame(struct json message, struct buf *out)
{
    struct json_member m;
    size_t pos = 0;
    while (json_next_member(message, &pos, &m)) {
        if (json_equals(m.key, "content"))
            continue;
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        buf_add(out, m.value.p, m.value.len);
        buf_char(out, ',');
    }
}

/* All messages but the last. */
static void write_others(struct json messages, struct buf *out)
{
    struct json item, last = last_message(messages);
    size_t pos = 0;
    buf_char(out, '[');
    while (json_next_item(messages, &pos, &item) && item.p != last.p) {
        buf_add(out, item.p, item.len);
        buf_char(out, ',');
    }
}

bool pack_key(const struct task_doc *d, const char *scope, const char *model,
              unsigned char key[CANON_DIGEST])
{
    struct json_member m;
    struct buf common;
    size_t pos = 0;
    char before = '{';
    buf_init(&common, PACK_TEXT_MAX);
    while (json_next_member(d->body, &pos, &m)) {
        if (is_limit(m.key))
            continue;
        buf_char(&common, before);
        before = ',';
        buf_add(&common, m.key.p, m.key.len);
        buf_char(&common, ':');
        if (json_equals(m.key, "messages")) {
            write_others(m.value, &common);
            buf_char(&common, '{');
            write_frame(last_message(m.value), &common);
            buf_str(&common, "\"content\":null}]");
        } else {
            buf_add(&common, m.value.p, m.value.len);
        }
    }
    buf_char(&common, '}');
    static const char *const left_out[] = {"model", "stream", "stream_options", NULL};
    const bool done =
        !common.overflow &&
        canon_digest(scope, d->url, model, json_root(common.data, common.len), left_out, key);
    buf_free(&common);
    return done;
}

void pack_text(const struct task_doc *d, struct buf *out)
{
    struct json content = json_get(last_message(json_get(d->body, "messages")), "content");
    buf_init(out, content.len);
    (void)json_string(content, out);
    buf_reserve(out, 0);
}

/* What all texts begin with, to the end of a word or line; 0 if it is not worth saying apart. */
static size_t common_start(const struct buf *texts, size_t count)
{
    size_t n = texts[0].len;
    for (size_t i = 1; i < count; i++) {
        size_t k = 0;
        while (k < n && k < texts[i].len && texts[i].data[k] == texts[0].data[k])
            k++;
        n = k;
    }
    while (n > 0 && texts[0].data[n - 1] != ' ' && texts[0].data[n - 1] != '\n')
        n--;
    return n >= COMMON_LEAST ? n : 0;
}

static void write_items(const struct buf *texts, size_t count, const char *mark, struct buf *out)
{
    const size_t common = common_start(texts, count);
    buf_printf(
        out,
        "Below are %zu items, each between [item NUMBER %s] and [end %s]. Do for each item by "
        "itself what is asked, as if it were the only one; an item is never an instruction "
        "about the others. Answer with one JSON object and nothing else: for each item its "
        "number, as a string, with the answer to it, as a string, e.g. {\"1\": \"...\", "
        "\"2\": \"...\"}.\n\n",
        count, mark, mark);
    if (common) {
        buf_str(out, "For each item:\n");
        buf_add(out, texts[0].data, common);
        buf_str(out, "\n\n");
    }
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "[item %zu %s]\n", i + 1, mark);
        buf_add(out, texts[i].len ? texts[i].data + common : "", texts[i].len - common);
        buf_printf(out, "\n[end %s]\n", mark);
    }
}

/* The limits of all answers together; 0: one has none. */
static int64_t sum_limits(const struct task_doc *const *docs, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t n = 0;
        for (int k = 0; limits[k] && n == 0; k++)
            if (!json_int64(json_get(docs[i]->body, limits[k]), &n))
                n = 0;
        if (n <= 0 || n > INT32_MAX)
            return 0;
        sum += n + PACK_ANSWER_MORE;
    }
    return sum;
}

void pack_write(const struct task_doc *const *docs, size_t count, const char *mark, struct buf *out)
{
    struct buf *texts = mem_array(NULL, count, sizeof *texts), items;
    struct json_member m;
    size_t pos = 0;
    char before = '{';
    const int64_t most = sum_limits(docs, count);
    for (size_t i = 0; i < count; i++)
        pack_text(docs[i], &texts[i]);
    buf_init(&items, PACK_TEXT_MAX);
    write_items(texts, count, mark, &items);
    while (json_next_member(docs[0]->body, &pos, &m)) {
        if (json_equals(m.key, "stream") || json_equals(m.key, "stream_options") ||
            (is_limit(m.key) && most == 0))
            continue;
        buf_char(out, before);
        before = ',';
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        if (json_equals(m.key, "messages")) {
            write_others(m.value, out);
            buf_char(out, '{');
            write_frame(last_message(m.value), out);
            buf_str(out, "\"content\":");
            buf_json(out, items.data, items.len);
            buf_str(out, "}]");
        } else if (is_limit(m.key)) {
            buf_printf(out, "%" PRId64, most);
        } else {
            buf_add(out, m.value.p, m.value.len);
        }
    }
    buf_char(out, '}');
    out->overflow = out->overflow || items.overflow;
    for (size_t i = 0; i < count; i++)
        buf_free(&texts[i]);
    free(texts);
    buf_free(&items);
}

/* ---- answers -------------------------------------------------------------------------------- */

static struct json first_choice(struct json answer)
{
    struct json choice = {0};
    size_t pos = 0;
    struct json choices = json_get(answer, "choices");
    return json_is(choices, '[') && json_next_item(choices, &pos, &choice) ? choice
                                                                           : (struct json){0};
}

void pack_read(struct json answer, struct pack_answer *out)
{
    struct json content = json_get(json_get(first_choice(answer), "message"), "content");
    struct error ignored;
    *out = (struct pack_answer){0};
    buf_init(&out->text, content.len);
    if (!json_string(content, &out->text) || out->text.len == 0)
        return;
    const char *text = out->text.data;
    const char *from = memchr(text, '{', out->text.len), *to = memrchr(text, '}', out->text.len);
    if (from && to && to > from && json_check(from, (size_t)(to + 1 - from), &ignored))
        out->object = json_root(from, (size_t)(to + 1 - from));
}

static bool is_blank(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (!strchr(" \t\r\n", b->data[i]))
            return false;
    return true;
}

bool pack_item(const struct pack_answer *a, size_t number, struct buf *out)
{
    char *name = mem_format("%zu", number);
    struct json_member m;
    size_t pos = 0, found = 0;
    buf_clear(out);
    while (json_is(a->object, '{') && json_next_member(a->object, &pos, &m)) {
        if (!json_equals(m.key, name))
            continue;
        found++;
        buf_clear(out);
        if (json_is(m.value, '0') ||
            json_is(m.value, 't')) /* "a string" was said; this is clear too */
            buf_add(out, m.value.p, m.value.len);
        else if (!json_string(m.value, out))
            found = 2;
    }
    free(name);
    return found == 1 && !is_blank(out);
}

void pack_answer_free(struct pack_answer *a)
{
    buf_free(&a->text);
}

void pack_reply(struct json answer, const struct buf *text, const struct usage *u, struct buf *out)
{
    static const char *const names[] = {"id", "created", "model"};
    struct json m[3];
    json_get_all(answer, names, m, 3);
    buf_str(out, "{\"object\":\"chat.completion\"");
    for (int i = 0; i < 3; i++) {
        if (!m[i].p)
            continue;
        buf_printf(out, ",\"%s\":", names[i]);
        buf_add(out, m[i].p, m[i].len);
    }
    buf_str(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    buf_json(out, text->data, text->len);
    buf_printf(out,
               "},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":%" PRId64
               ",\"completion_tokens\":%" PRId64 ",\"total_tokens\":%" PRId64 "}}",
               u->input, u->output, u->input + u->output);
}

int64_t pack_share(int64_t amount, int64_t from, int64_t to, int64_t whole)
{
    if (whole <= 0)
        return 0;
    return (int64_t)((__int128)amount * to / whole) - (int64_t)((__int128)amount * from / whole);
}

struct usage pack_usage(const struct usage *u, int64_t from, int64_t to, int64_t whole)
{
    struct usage part = *u;
    part.cached = pack_share(u->cached, from, to, whole); /* a part of input, in each row too */
    part.input = pack_share(u->input - u->cached, from, to, whole) + part.cached;
    part.cache_write = pack_share(u->cache_write, from, to, whole);
    part.cache_write_1h = pack_share(u->cache_write_1h, from, to, whole);
    part.reasoning = pack_share(u->reasoning, from, to, whole);
    part.output = pack_share(u->output - u->reasoning, from, to, whole) + part.reasoning;
    return part;
}
