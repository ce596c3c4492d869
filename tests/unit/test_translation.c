/* Translation loses nothing: whatever stands in a request, or in an answer, stands in its
 * translation, or the request is refused by the name of what cannot be said. Every value that is
 * made up here carries a mark of its own, which must be found again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "worker/dialect.h"

enum { RUNS = 20000, MARKS_MAX = 512, MARK_LEN = 16, TEXT_MAX = 1 << 18 };

static struct {
    char text[MARKS_MAX][MARK_LEN];
    int count;
    int strangers; /* members that no API knows */
    bool has_strangers;
} marks;

static bool chance(int in)
{
    return rand() % in == 0;
}

static void mark(struct buf *out)
{
    char *m = marks.text[marks.count++];
    ck_assert_int_lt(marks.count, MARKS_MAX);
    (void)snprintf(m, MARK_LEN, "mk%dq", marks.count);
    buf_str(out, m);
}

/* A number that stands nowhere else. */
static void number(struct buf *out, const char *form)
{
    char *m = marks.text[marks.count++];
    (void)snprintf(m, MARK_LEN, form, 1000 + marks.count);
    buf_str(out, m);
}

/* A string with a mark, between texts that want care. */
static void string(struct buf *out)
{
    static const char *const around[] = {"", "\\n", "\\\"{", "\\u00e9", "é ", "\\\\", "</x>", " "};
    buf_char(out, '"');
    buf_str(out, around[rand() % 8]);
    mark(out);
    buf_str(out, around[rand() % 8]);
    buf_char(out, '"');
}

/* `,"NAME":` */
static void key(struct buf *out, const char *name)
{
    buf_printf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name);
}

static void member(struct buf *out, const char *name)
{
    key(out, name);
    string(out);
}

/* Ends an object, now and then with a member that nobody knows. */
static void end(struct buf *out)
{
    if (marks.has_strangers && chance(12)) {
        char name[MARK_LEN];
        (void)snprintf(name, sizeof name, "stranger%d", marks.strangers++);
        member(out, name);
    }
    buf_char(out, '}');
}

static void schema(struct buf *out)
{
    buf_str(out, "{\"type\":\"object\",\"properties\":{");
    string(out);
    buf_str(out, ":{\"type\":\"string\"");
    member(out, "description");
    buf_str(out, "}}}");
}

static void image(struct buf *out)
{
    buf_str(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":\"");
    buf_str(out, chance(2) ? "https://host/" : "data:image/png;base64,");
    mark(out);
    buf_char(out, '"');
    if (chance(8))
        buf_str(out, ",\"detail\":\"auto\"");
    end(out);
    end(out);
}

static void content(struct buf *out, bool images)
{
    key(out, "content");
    if (chance(2)) {
        string(out);
        return;
    }
    buf_char(out, '[');
    for (int n = 1 + rand() % 3; n > 0; n--) {
        if (images && chance(4)) {
            image(out);
        } else {
            buf_str(out, "{\"type\":\"text\"");
            member(out, "text");
            end(out);
        }
        buf_str(out, n > 1 ? "," : "");
    }
    buf_char(out, ']');
}

static void message(struct buf *out, const char *role)
{
    buf_printf(out, "{\"role\":\"%s\"", role);
    content(out, strcmp(role, "user") == 0);
    end(out);
}

/* A call of a function, and its answer. */
static void exchange(struct buf *out)
{
    char id[MARK_LEN];
    (void)snprintf(id, sizeof id, "call_%d", marks.count);
    buf_printf(out, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"%s\",\"type\":\"function\"",
               id);
    key(out, "function");
    buf_char(out, '{');
    member(out, "name");
    buf_str(out, ",\"arguments\":\"{\\\"a\\\":\\\"");
    mark(out);
    buf_str(out, "\\\"}\"");
    end(out);
    end(out);
    buf_char(out, ']');
    if (chance(2))
        content(out, false);
    end(out);
    buf_printf(out, ",{\"role\":\"tool\",\"tool_call_id\":\"%s\"", id);
    content(out, false);
    end(out);
}

static void messages(struct buf *out)
{
    key(out, "messages");
    buf_char(out, '[');
    for (int n = rand() % 3; n > 0; n--) {
        message(out, chance(2) ? "system" : "developer");
        buf_char(out, ',');
    }
    message(out, "user");
    for (int n = rand() % 4; n > 0; n--) {
        buf_char(out, ',');
        if (chance(3))
            exchange(out);
        else
            message(out, chance(2) ? "user" : chance(8) ? "system" : "assistant");
    }
    buf_char(out, ']');
}

static void tools(struct buf *out)
{
    key(out, "tools");
    buf_char(out, '[');
    for (int n = 1 + rand() % 2; n > 0; n--) {
        buf_str(out, "{\"type\":\"function\",\"function\":{");
        member(out, "name");
        if (chance(2))
            member(out, "description");
        if (chance(2)) {
            key(out, "parameters");
            schema(out);
        }
        end(out);
        end(out);
        buf_str(out, n > 1 ? "," : "");
    }
    buf_char(out, ']');
}

static void format(struct buf *out)
{
    key(out, "response_format");
    buf_str(out, "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\",\"schema\":");
    schema(out);
    end(out);
    end(out);
}

static void choice(struct buf *out)
{
    key(out, "tool_choice");
    buf_str(out, "{\"type\":\"function\",\"function\":{");
    member(out, "name");
    end(out);
    end(out);
}

static void stop(struct buf *out)
{
    key(out, "stop");
    if (chance(2)) {
        string(out);
        return;
    }
    buf_char(out, '[');
    string(out);
    buf_char(out, ',');
    string(out);
    buf_char(out, ']');
}

/* Members with a number: its form makes it unlike all others. */
static const struct {
    const char *name, *form;
} numbers[] = {{"temperature", "0.%d"},     {"top_p", "0.%d"}, {"top_k", "%d"},
               {"max_tokens", "77%d"},      {"seed", "88%d"},  {"frequency_penalty", "0.%d"},
               {"presence_penalty", "0.%d"}};

static void make_request(struct buf *out)
{
    static void (*const parts[])(struct buf *) = {tools, format, choice, stop};
    marks.count = marks.strangers = 0;
    buf_clear(out);
    buf_str(out, "{\"model\":\"gpt\"");
    messages(out);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (chance(6)) {
            key(out, numbers[i].name);
            number(out, numbers[i].form);
        }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (chance(4))
            parts[i](out);
    if (chance(6))
        member(out, "user");
    end(out);
}

static void expect_marks(const char *from, const char *to)
{
    for (int i = 0; i < marks.count; i++)
        if (!strstr(to, marks.text[i]))
            ck_abort_msg("%s is lost\nfrom %s\n  to %s", marks.text[i], from, to);
}

/* "body.messages[2].stranger4: …" */
static void expect_named(const char *from, const struct error *err)
{
    char name[64] = "";
    ck_assert_str_eq(err->code, "invalid_request");
    ck_assert_msg(sscanf(err->message, "body.%60[a-z_]", name) == 1 && strstr(from, name),
                  "%s\nfrom %s", err->message, from);
}

/* Returns how many of the requests could be said. */
static int translate_any(const struct dialect *d)
{
    struct buf from, to;
    int said = 0;
    buf_init(&from, TEXT_MAX);
    buf_init(&to, TEXT_MAX);
    for (int i = 0; i < RUNS; i++) {
        struct error err;
        make_request(&from);
        buf_clear(&to);
        ck_assert_msg(json_check(from.data, from.len, &err), "%s: %s", err.message, from.data);
        const struct request q = {"/v1/chat/completions", "up", json_root(from.data, from.len), 9,
                                  chance(2)};
        if (d->request(&q, &to, &err) == QUERN_OK)
            expect_marks(from.data, to.data), said++;
        else
            expect_named(from.data, &err);
    }
    buf_free(&from);
    buf_free(&to);
    return said;
}

START_TEST(a_request_is_said_whole_or_refused_by_name)
{
    srand(41);
    marks.has_strangers = false;
    for (int i = 0; i < 3; i++)
        ck_assert_int_gt(translate_any(dialects[i]), RUNS / 10);
}
END_TEST

START_TEST(what_no_api_knows_is_never_dropped)
{
    srand(42);
    marks.has_strangers = true;
    for (int i = 0; i < 3; i++)
        ck_assert_int_gt(translate_any(dialects[i]), RUNS / 50);
}
END_TEST

/* ---- answers -------------------------------------------------------------------------------- */

static void anthropic_part(struct buf *out)
{
    static const char *const types[] = {"text", "thinking", "tool_use"};
    const int kind = rand() % 3;
    buf_printf(out, "{\"type\":\"%s\"", types[kind]);
    if (kind < 2) {
        member(out, types[kind]);
    } else {
        member(out, "id");
        member(out, "name");
        key(out, "input");
        buf_char(out, '{');
        member(out, "a");
        buf_char(out, '}');
    }
    buf_char(out, '}');
}

static void gemini_part(struct buf *out)
{
    const int kind = rand() % 3;
    buf_char(out, '{');
    if (kind < 2) {
        member(out, "text");
        buf_str(out, kind ? ",\"thought\":true" : "");
    } else {
        buf_str(out, "\"functionCall\":{");
        member(out, "name");
        key(out, "args");
        buf_char(out, '{');
        member(out, "a");
        buf_str(out, "}}");
    }
    buf_char(out, '}');
}

static const struct {
    const struct dialect *dialect;
    const char *head, *tail;
    void (*part)(struct buf *out);
} answers[] = {{&dialect_anthropic,
                "{\"type\":\"message\",\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":1,"
                "\"output_tokens\":1},\"content\":[",
                "]}", anthropic_part},
               {&dialect_gemini, "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[",
                "]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1}}",
                gemini_part}};

START_TEST(an_answer_comes_back_whole)
{
    struct buf from, to;
    srand(43);
    buf_init(&from, TEXT_MAX);
    buf_init(&to, TEXT_MAX);
    for (int run = 0; run < RUNS; run++) {
        const int a = rand() % 2;
        struct reply r = {.retry_after_ms = -1};
        marks.count = 0;
        buf_clear(&from);
        buf_clear(&to);
        buf_str(&from, answers[a].head);
        for (int n = 1 + rand() % 5; n > 0; n--) {
            answers[a].part(&from);
            buf_str(&from, n > 1 ? "," : "");
        }
        buf_str(&from, answers[a].tail);
        answers[a].dialect->reply(200, from.data, from.len, &to, &r);
        ck_assert_msg(r.success, "%s: %s", r.error.message, from.data);
        buf_str(&to, "");
        expect_marks(from.data, to.data);
    }
    buf_free(&from);
    buf_free(&to);
}
END_TEST

Suite *suite_translation(void)
{
    const TTest *const tests[] = {a_request_is_said_whole_or_refused_by_name,
                                  what_no_api_knows_is_never_dropped, an_answer_comes_back_whole,
                                  NULL};
    return suite_of("translation", tests);
}
