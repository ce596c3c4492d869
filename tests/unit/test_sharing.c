/* What requests are the same, and which answers may stand for others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/canon.h"
#include "common/match.h"
#include "suites.h"
#include "worker/sharing.h"

static struct json checked(const char *text)
{
    struct error err;
    ck_assert_msg(json_check(text, strlen(text), &err), "%s: %s", text, err.message);
    return json_root(text, strlen(text));
}

static const char *key_of(const char *scope, const char *model, const char *body)
{
    static char out[4][2 * CANON_DIGEST + 1];
    static int turn;
    unsigned char digest[CANON_DIGEST];
    char *text = out[turn++ % 4];
    ck_assert(
        canon_digest(scope, "/v1/chat/completions", model, checked(body), canon_shapeless, digest));
    for (int i = 0; i < CANON_DIGEST; i++)
        (void)snprintf(text + (size_t)i * 2, 3, "%02x", digest[i]);
    return text;
}

START_TEST(one_value_has_one_form)
{
    static const char *const cases[][2] = {
        {" { \"b\" : 1 , \"a\" : [ 1 , {\"d\":2,\"c\":3} ] } ",
         "{\"a\":[1,{\"c\":3,\"d\":2}],\"b\":1}"},
        {"\"\\u00e9\\/\\u000a\"", "\"\xC3\xA9/\\n\""},
        {"[1.0, 1e0, 10e-1, -0, 0.0, -0.0]", "[1,1,1,0,0,0]"},
        {"[0.70, 7e-1]", "[0.69999999999999996,0.69999999999999996]"},
        {"[12345678901234567890, 1e400]", "[12345678901234567890,1e400]"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[true,false,null]", "[true,false,null]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        buf_init(&b, 1000);
        canon_write(checked(cases[i][0]), NULL, &b);
        ck_assert_str_eq(b.data, cases[i][1]);
        buf_free(&b);
    }
}
END_TEST

/* Any order of members and any white space; drawn at random. */
START_TEST(order_and_white_space_do_not_matter)
{
    static const char *const members[] = {"\"model\":\"m\"",
                                          "\"temperature\":0.5",
                                          "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]",
                                          "\"n\":1",
                                          "\"tools\":[]",
                                          "\"stop\":[\"a\",\"b\"]"};
    enum { N = sizeof members / sizeof *members };
    char first[2 * CANON_DIGEST + 1] = "";
    srand48(1);
    for (int round = 0; round < 500; round++) {
        size_t order[N];
        char text[1000] = "{";
        for (size_t i = 0; i < N; i++) {
            size_t j = (size_t)(drand48() * (double)(i + 1));
            order[i] = order[j];
            order[j] = i;
        }
        for (size_t i = 0; i < N; i++)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", i ? "," : "",
                           drand48() < 0.5 ? " \n\t" : "", members[order[i]]);
        (void)strcat(text, drand48() < 0.5 ? " }" : "}");
        const char *key = key_of("=t", "m", text);
        if (!first[0])
            memcpy(first, key, sizeof first);
        ck_assert_str_eq(key, first);
    }
}
END_TEST

START_TEST(what_shapes_the_answer_makes_another_key)
{
    static const char base[] = "{\"model\":\"m\",\"messages\":[{\"content\":\"x\"}],\"n\":1}";
    static const char *const others[] = {
        "{\"model\":\"m\",\"messages\":[{\"content\":\"y\"}],\"n\":1}",
        "{\"model\":\"m\",\"messages\":[{\"content\":\"x \"}],\"n\":1}",
        "{\"model\":\"m\",\"messages\":[{\"content\":\"x\"}],\"n\":2}",
        "{\"model\":\"m\",\"messages\":[{\"content\":\"x\"}],\"n\":1,\"seed\":1}",
        "{\"model\":\"m\",\"messages\":[{\"content\":\"x\",\"user\":\"a\"}],\"n\":1}",
        "{\"model\":\"m\",\"messages\":[[{\"content\":\"x\"}]],\"n\":1}",
        "{\"model\":\"m\",\"messages\":[{\"content\":\"x\"}],\"n\":\"1\"}"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_str_ne(key_of("=t", "m", base), key_of("=t", "m", others[i]));
    ck_assert_str_ne(key_of("=t", "m", base), key_of("=u", "m", base));
    ck_assert_str_ne(key_of("=t", "m", base), key_of("=t", "n", base));
    /* Borders between the parts cannot be moved. */
    ck_assert_str_ne(key_of("=t\",\"m", "x", base), key_of("=t", "m\",\"x", base));
    /* The resolved model stands for the name; what only the transport sees does not count. */
    ck_assert_str_eq(key_of("=t", "m", base),
                     key_of("=t", "m",
                            "{\"model\":\"alias\",\"stream\":true,\"user\":\"u\",\"n\":1,"
                            "\"metadata\":{\"a\":\"b\"},\"messages\":[{\"content\":\"x\"}]}"));
}
END_TEST

START_TEST(only_whole_answers_stand_for_others)
{
    static const char *const whole[] = {
        "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"x\",\"refusal\":null}"
        "}]}",
        "{\"choices\":[{\"finish_reason\":\"tool_calls\",\"message\":{\"tool_calls\":[]}}]}",
        "{\"data\":[{\"embedding\":[1]}]}", "{\"status\":\"completed\",\"output\":[]}"};
    static const char *const others[] = {
        "{\"choices\":[{\"finish_reason\":\"length\"}]}",
        "{\"choices\":[{\"finish_reason\":\"stop\"},{\"finish_reason\":\"length\"}]}",
        "{\"choices\":[{\"finish_reason\":\"content_filter\"}]}",
        "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"refusal\":\"I cannot\"}}]}",
        "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"\"}}]}",
        "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":null}}]}",
        "{\"choices\":[]}",
        "{\"status\":\"incomplete\"}",
        "[]",
        "null"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        ck_assert_msg(sharing_is_whole(checked(whole[i])), "%s", whole[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!sharing_is_whole(checked(others[i])), "%s", others[i]);
}
END_TEST

static struct config *config_of(const char *rules)
{
    char text[1000];
    struct config_report report;
    (void)snprintf(text, sizeof text, "cache: {rules: [%s]}\n", rules);
    struct config *c = config_parse(text, strlen(text), "f", &report);
    ck_assert_msg(c != NULL, "%s", report.text.data);
    return c;
}

static bool has_rule(const struct config *c, const char *more, const char *body, int lane)
{
    char text[1000];
    struct task_doc d;
    struct error err;
    (void)snprintf(
        text, sizeof text,
        "{\"v\":1,\"job_id\":\"01890000-0000-7000-8000-000000000000\",\"custom_id\":\"c\","
        "\"url\":\"/v1/chat/completions\"%s,\"body\":{\"model\":\"m\"%s}}",
        more, body);
    ck_assert_msg(task_doc_read(text, strlen(text), &d, &err) == QUERN_OK, "%s", err.message);
    bool found = sharing_rule(c, &d, lane) != NULL;
    task_doc_free(&d);
    return found;
}

START_TEST(what_must_be_called_is)
{
    struct config *c = config_of("{when: {feature: \"weather*\"}, never: true},"
                                 "{when: {lane: low, job: \"nightly-*\"}, ttl: 1h},"
                                 "{when: {tenant: acme}, ttl: 1h, max_temperature: 0.5}");
    ck_assert(!has_rule(c, "", "", LANE_NORMAL));
    ck_assert(has_rule(c, ",\"tenant\":\"acme\"", ",\"temperature\":0.5", LANE_NORMAL));
    ck_assert(!has_rule(c, ",\"tenant\":\"acme\"", ",\"temperature\":0.51", LANE_NORMAL));
    ck_assert(!has_rule(c, ",\"tenant\":\"acme\"", "", LANE_NORMAL)); /* 1, as nothing is said */
    ck_assert(!has_rule(c, ",\"tenant\":\"acme\"", ",\"temperature\":\"0\"", LANE_NORMAL));
    ck_assert(
        !has_rule(c, ",\"tenant\":\"acme\",\"cache\":false", ",\"temperature\":0", LANE_NORMAL));
    ck_assert(
        !has_rule(c, ",\"tenant\":\"acme\",\"sensitive\":true", ",\"temperature\":0", LANE_NORMAL));
    ck_assert(!has_rule(c, ",\"tenant\":\"acme\",\"feature\":\"weather-now\"", ",\"temperature\":0",
                        LANE_NORMAL));
    ck_assert(has_rule(c, ",\"job\":\"nightly-3\"", "", LANE_LOW));
    ck_assert(!has_rule(c, ",\"job\":\"nightly-3\"", "", LANE_HIGH));
    ck_assert(!has_rule(c, "", "", LANE_LOW));
    config_free(c);
}
END_TEST

Suite *suite_sharing(void)
{
    const TTest *const tests[] = {one_value_has_one_form,
                                  order_and_white_space_do_not_matter,
                                  what_shapes_the_answer_makes_another_key,
                                  only_whole_answers_stand_for_others,
                                  what_must_be_called_is,
                                  NULL};
    return suite_of("sharing", tests);
}
