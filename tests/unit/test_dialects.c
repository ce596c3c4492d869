/* The dialects against golden lines (tests/golden/DIALECT.jsonl), written from the services' own
 * references: a task and what is sent for it, or the field by which it is refused; an answer and
 * the result made of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "suites.h"
#include "worker/dialect.h"
#include "worker/stream.h"

enum { TEXT_MAX = 1 << 20, MAX_TOKENS = 4096 };

/* A value without white space, and the time of an answer as 0. */
static char *normal(struct json v)
{
    static const char key[] = "\"created\":";
    struct buf b;
    buf_init(&b, TEXT_MAX);
    json_minify(v, &b);
    buf_str(&b, "");
    char *created = strstr(b.data, key);
    if (created) {
        char *at = created + sizeof key - 1, *end = at + strspn(at, "0123456789");
        *at++ = '0';
        memmove(at, end, strlen(end) + 1);
    }
    return b.data;
}

static void expect_same(const char *name, struct json wanted, struct json got)
{
    char *a = normal(wanted), *b = normal(got);
    ck_assert_msg(strcmp(a, b) == 0, "%s:\nwanted %s\n   got %s", name, a, b);
    free(a);
    free(b);
}

static void check_request(const struct dialect *d, const char *name, struct json line)
{
    const struct request q = {"/v1/chat/completions", "up", json_get(line, "task"), MAX_TOKENS,
                              json_get(line, "streamed").p != NULL};
    struct error err;
    struct buf out;
    char *refused = json_string_dup(json_get(line, "refused"));
    buf_init(&out, TEXT_MAX);
    if (d->request(&q, &out, &err) == QUERN_OK) {
        ck_assert_msg(!refused, "%s: sent %s", name, out.data);
        ck_assert_msg(json_check(out.data, out.len, &err), "%s: %s in %s", name, err.message,
                      out.data);
        expect_same(name, json_get(line, "sent"), json_root(out.data, out.len));
    } else {
        ck_assert_msg(refused, "%s: refused: %s", name, err.message);
        size_t n = strlen(refused);
        ck_assert_msg(strncmp(err.message, refused, n) == 0 && err.message[n] == ':', "%s: %s",
                      name, err.message);
        ck_assert_str_eq(err.code, "invalid_request");
        ck_assert_int_eq(err.class, ERROR_NEXT_CANDIDATE);
    }
    free(refused);
    buf_free(&out);
}

/* "usage": [input, cached, cache_write, output, reasoning]; null: nobody knows */
static void check_usage(const char *name, struct json wanted, const struct reply *r)
{
    const int64_t got[] = {r->usage.input, r->usage.cached, r->usage.cache_write, r->usage.output,
                           r->usage.reasoning};
    struct json item;
    size_t pos = 0;
    ck_assert_msg(!json_is(wanted, 'n') || !r->has_usage, "%s: it has a usage", name);
    for (size_t i = 0; json_is(wanted, '[') && json_next_item(wanted, &pos, &item); i++) {
        int64_t n = 0;
        ck_assert(json_int64(item, &n));
        ck_assert_msg(n == got[i] && r->has_usage, "%s: usage[%zu] is %lld", name, i,
                      (long long)got[i]);
    }
}

static void check_answer(const struct dialect *d, const char *name, struct json line, long status,
                         struct json answer)
{
    struct json result = json_get(line, "result");
    struct buf translated;
    struct reply r;
    struct error err;
    int64_t wait = -1;
    (void)json_int64(json_get(line, "wait"), &wait);
    char *type = json_string_dup(json_get(line, "type"));
    char *has = json_string_dup(json_get(line, "has"));
    buf_init(&translated, TEXT_MAX);
    d->reply(status, answer.p, answer.len, &translated, &r);
    check_usage(name, json_get(line, "usage"), &r);
    ck_assert_msg(r.success == !type, "%s: success %d: %s", name, r.success, r.error.message);
    if (type)
        ck_assert_msg(strcmp(r.error.code, type) == 0, "%s: %s", name, r.error.code);
    ck_assert_msg(r.retry_after_ms == wait, "%s: wait", name);
    ck_assert(!r.body.p || json_check(r.body.p, r.body.len, &err));
    if (result.p)
        expect_same(name, result, r.body);
    ck_assert_msg(!has || strstr(r.body.p, has), "%s: %s", name, r.body.p);
    free(type);
    free(has);
    buf_free(&translated);
}

static void check_reply(const struct dialect *d, const char *name, struct json line)
{
    int64_t status = 0;
    ck_assert(json_int64(json_get(line, "status"), &status));
    check_answer(d, name, line, status, json_get(line, "answer"));
}

/* In pieces of `step` bytes. What is not whole cannot be read as an answer; but its usage can. */
static void check_stream(const struct dialect *d, const char *name, struct json line, size_t step)
{
    struct json whole = json_get(line, "whole");
    struct buf text, answer, translated;
    struct reply r;
    buf_init(&text, TEXT_MAX);
    buf_init(&answer, TEXT_MAX);
    buf_init(&translated, TEXT_MAX);
    ck_assert(json_string(json_get(line, "stream"), &text));
    struct stream *s = stream_new(d, TEXT_MAX);
    for (size_t at = 0; at < text.len; at += step)
        (void)stream_feed(s, text.data + at, text.len - at < step ? text.len - at : step);
    bool complete = stream_end(s);
    buf_add(&answer, s->whole.data, s->whole.len);
    ck_assert_msg(complete == (whole.p[0] == 't'), "%s: by %zu: whole %d", name, step, complete);
    if (complete)
        check_answer(d, name, line, 200, json_root(answer.data, answer.len));
    d->reply(200, answer.data, answer.len, &translated, &r);
    check_usage(name, json_get(line, "usage"), &r);
    stream_free(s);
    buf_free(&text);
    buf_free(&answer);
    buf_free(&translated);
}

static void check_line(const struct dialect *d, const char *name, struct json line)
{
    if (json_get(line, "task").p) {
        check_request(d, name, line);
    } else if (json_get(line, "stream").p) {
        for (size_t step = 1; step < 200; step += step < 9 ? 1 : 31)
            check_stream(d, name, line, step);
        check_stream(d, name, line, TEXT_MAX);
    } else {
        check_reply(d, name, line);
    }
}

static void check_golden(const struct dialect *d)
{
    struct error err;
    struct buf file;
    char *path = NULL;
    size_t lines = 0;
    ck_assert_int_gt(asprintf(&path, "tests/golden/%s.jsonl", d->name), 0);
    buf_init(&file, TEXT_MAX);
    ck_assert_msg(file_read(path, &file, &err) == QUERN_OK, "%s", err.message);
    for (char *at = file.data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, lines++) {
        ck_assert_msg(json_check(at, (size_t)(end - at), &err), "%s: %.60s", err.message, at);
        struct json line = json_root(at, (size_t)(end - at));
        char *name = json_string_dup(json_get(line, "name"));
        check_line(d, name, line);
        free(name);
    }
    ck_assert_uint_gt(lines, 20);
    free(path);
    buf_free(&file);
}

START_TEST(anthropic_is_spoken_as_its_reference_says)
{
    check_golden(&dialect_anthropic);
}
END_TEST

START_TEST(openai_is_spoken_as_its_reference_says)
{
    check_golden(&dialect_openai);
}
END_TEST

START_TEST(gemini_is_spoken_as_its_reference_says)
{
    check_golden(&dialect_gemini);
}
END_TEST

START_TEST(a_models_name_cannot_leave_its_place_in_the_url)
{
    static const char *const rows[][2] = {
        {"gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"},
        {"models/g", "/models/g:generateContent"},
        {"../../v1/evil?x=#", "/models/%2E%2E%2F%2E%2E%2Fv1%2Fevil%3Fx%3D%23:generateContent"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct request q = {.url = "/v1/chat/completions", .model = rows[i][0]};
        struct buf out;
        buf_init(&out, 4096);
        dialect_gemini.path(&q, &out);
        ck_assert_str_eq(out.data, rows[i][1]);
        buf_free(&out);
    }
}
END_TEST

START_TEST(other_endpoints_are_refused_by_name)
{
    const struct request q = {.url = "/v1/embeddings", .model = "m"};
    struct error err;
    struct buf out;
    buf_init(&out, 4096);
    ck_assert_int_eq(dialect_gemini.request(&q, &out, &err), QUERN_FAIL);
    ck_assert_ptr_nonnull(strstr(err.message, "url"));
    buf_free(&out);
}
END_TEST

Suite *suite_dialects(void)
{
    const TTest *const tests[] = {
        openai_is_spoken_as_its_reference_says, anthropic_is_spoken_as_its_reference_says,
        gemini_is_spoken_as_its_reference_says, a_models_name_cannot_leave_its_place_in_the_url,
        other_endpoints_are_refused_by_name,    NULL};
    return suite_of("dialects", tests);
}
