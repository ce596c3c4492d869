#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "worker/dialect.h"

START_TEST(a_request_is_relayed_byte_for_byte_but_for_the_model)
{
    const char *body =
        "{\"seed\":9007199254740993,\"model\":\"a\",\"temperature\":0.70,"
        "\"stream\":false,\"messages\":[ {\"role\":\"user\",\"content\":\"\\u00e9\"} ],"
        "\"model\":\"b\",\"x\":1e400}";
    struct error err;
    struct buf out;
    buf_init(&out, 4096);
    const struct request q = {"/v1/embeddings", "real \"name\"", json_root(body, strlen(body)), 1,
                              false};
    ck_assert_int_eq(dialect_openai.request(&q, &out, &err), QUERN_OK);
    ck_assert_str_eq(
        out.data, "{\"model\":\"real \\\"name\\\"\",\"seed\":9007199254740993,\"temperature\":0.70,"
                  "\"messages\":[ {\"role\":\"user\",\"content\":\"\\u00e9\"} ],\"x\":1e400}");
    buf_clear(&out);
    dialect_openai.path(&q, &out);
    ck_assert_str_eq(out.data, "/embeddings");
    buf_free(&out);
}
END_TEST

static struct reply read_reply(long status, const char *text)
{
    struct reply r;
    struct buf none;
    buf_init(&none, 0);
    dialect_openai.reply(status, text, strlen(text), &none, &r);
    return r;
}

START_TEST(usage_is_read_in_both_forms)
{
    struct reply r =
        read_reply(200, "{\"choices\":[{}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":"
                        "10,\"completion_tokens\":5,\"prompt_tokens_details\":{"
                        "\"cached_tokens\":4},\"completion_tokens_details\":{"
                        "\"reasoning_tokens\":2}}}");
    ck_assert(r.success && r.usage.input == 10 && r.usage.output == 5 && r.usage.cached == 4 &&
              r.usage.reasoning == 2);
    r = read_reply(200, "{\"output\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":3,"
                        "\"input_tokens_details\":{\"cached_tokens\":1}}}");
    ck_assert(r.success && r.usage.input == 7 && r.usage.output == 3 && r.usage.cached == 1);
    r = read_reply(200, "{\"data\":[],\"usage\":null}");
    ck_assert(r.success && r.usage.input == 0);
    r = read_reply(200,
                   "{\"choices\":[],\"usage\":{\"prompt_tokens\":-3,\"completion_tokens\":1e9}}");
    ck_assert(r.success && r.usage.input == 0 && r.usage.output == 0);
}
END_TEST

START_TEST(failures_are_classified)
{
    static const struct {
        long status;
        const char *body, *type;
        enum error_class class;
    } rows[] = {
        {429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", "rate_limit", ERROR_THROTTLED},
        {429, "{\"error\":{\"code\":\"insufficient_quota\"}}", "quota_exhausted", ERROR_NEXT_KEY},
        {429, "{\"error\":{\"type\":\"insufficient_quota\"}}", "quota_exhausted", ERROR_NEXT_KEY},
        {429, "slow down", "rate_limit", ERROR_THROTTLED},
        {400, "{\"error\":{\"code\":\"context_length_exceeded\"}}", "context_length",
         ERROR_NEXT_CANDIDATE},
        {400, "{}", "invalid_request", ERROR_PERMANENT},
        {401, "", "auth", ERROR_NEXT_KEY},
        {403, "", "auth", ERROR_NEXT_CANDIDATE},
        {404, "", "invalid_request", ERROR_NEXT_CANDIDATE},
        {408, "", "timeout", ERROR_RETRY},
        {413, "", "invalid_request", ERROR_PERMANENT},
        {422, "", "invalid_request", ERROR_PERMANENT},
        {500, "<html>", "api_error", ERROR_RETRY},
        {502, "", "api_error", ERROR_RETRY},
        {503, "", "overloaded", ERROR_RETRY},
        {302, "", "invalid_request", ERROR_NEXT_CANDIDATE},
        {200, "", "malformed_response", ERROR_RETRY},
        {200, "{}", "malformed_response", ERROR_RETRY},
        {200, "{\"choices\":[", "malformed_response", ERROR_RETRY},
        {200, "[1]", "malformed_response", ERROR_RETRY},
        {200, "{\"error\":{\"message\":\"late\"}}", "api_error", ERROR_RETRY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply r = read_reply(rows[i].status, rows[i].body);
        ck_assert_msg(!r.success && strcmp(r.error.code, rows[i].type) == 0 &&
                          r.error.class == rows[i].class,
                      "%ld %s: %s", rows[i].status, rows[i].body, r.error.code);
    }
}
END_TEST

START_TEST(what_was_withheld_is_no_success)
{
    struct reply r = read_reply(200, "{\"choices\":[{\"finish_reason\":\"content_filter\"}],"
                                     "\"usage\":{\"prompt_tokens\":3}}");
    ck_assert(!r.success && r.usage.input == 3);
    ck_assert_str_eq(r.error.code, "content_policy");
    r = read_reply(200, "{\"choices\":[{\"message\":{\"refusal\":\"I cannot.\"}}]}");
    ck_assert_str_eq(r.error.message, "the model refused: I cannot.");
    r = read_reply(200, "{\"choices\":[{\"message\":{\"refusal\":null}}]}");
    ck_assert(r.success);
}
END_TEST

START_TEST(an_error_tells_the_services_own_words)
{
    struct reply r = read_reply(400, "{\"error\":{\"message\":\"bad \\u00e9 thing\"}}");
    ck_assert_str_eq(r.error.message, "HTTP 400: bad \xC3\xA9 thing");
    r = read_reply(400,
                   "{\"object\":\"error\",\"message\":\"too long: maximum context length is 9\","
                   "\"type\":\"BadRequestError\",\"code\":400}");
    ck_assert_str_eq(r.error.message, "HTTP 400: too long: maximum context length is 9");
    ck_assert_str_eq(r.error.code, "context_length");
    r = read_reply(422, "{\"detail\":\"no such field\"}");
    ck_assert_str_eq(r.error.message, "HTTP 422: no such field");
    r = read_reply(500, "\x01\xFF<html>"); /* fit for a log, whatever it was */
    ck_assert_str_eq(r.error.message, "HTTP 500: ?"
                                      "?<html>");
}
END_TEST

Suite *suite_dialect_openai(void)
{
    const TTest *const tests[] = {a_request_is_relayed_byte_for_byte_but_for_the_model,
                                  usage_is_read_in_both_forms,
                                  failures_are_classified,
                                  what_was_withheld_is_no_success,
                                  an_error_tells_the_services_own_words,
                                  NULL};
    return suite_of("dialect_openai", tests);
}
