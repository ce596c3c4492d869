#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/route.h"
#include "suites.h"

static const char sample[] =
    "kafka: {brokers: \"127.0.0.1:9092\", topic_prefix: \"quern.\", group: quern}\n"
    "database: {url: \"postgresql://quern:secret@127.0.0.1:5432/quern\"}\n"
    "worker: {concurrency: 2000}\n"
    "backends:\n"
    "  - name: local\n"
    "    dialect: openai\n"
    "    base_url: \"http://127.0.0.1:8080/v1\"\n"
    "    api_key_env: LOCAL_KEY\n"
    "    concurrency: {max: 2000}\n"
    "    timeout: {connect: 5s, total: 120s}\n"
    "models:\n"
    "  - name: summarizer\n"
    "    candidates: [{backend: local, model: llama-3.1-8b-instruct}]\n"
    "  - name: \"*\"\n"
    "    candidates: [{backend: local}]\n";

static struct config *parse(const char *text, struct config_report *r)
{
    return config_parse(text, strlen(text), "f.yaml", r);
}

START_TEST(the_sample_works_as_it_stands)
{
    struct config_report r;
    struct config *c = parse(sample, &r);
    ck_assert_msg(c != NULL, "%s", r.text.data ? r.text.data : "");
    ck_assert_int_eq(c->worker.concurrency, 2000);
    ck_assert_int_eq(c->worker.settle_rows, 500); /* a default */
    const struct config_backend *b = config_backend_find(c, "local");
    ck_assert_int_eq(b->timeout.total, 120000);
    ck_assert(b->verify_tls);
    struct route_ask ask = {.model = "summarizer"};
    const struct config_candidate *k = route_find(c, &ask)->candidates.items;
    ck_assert_str_eq(k->model, "llama-3.1-8b-instruct");
    ask.model = "anything";
    k = route_find(c, &ask)->candidates.items;
    ck_assert_ptr_null(k->model);
    config_free(c);
    config_report_free(&r);
}
END_TEST

START_TEST(every_mistake_is_reported_with_its_line)
{
    static const char text[] = "kafka:\n"
                               "  broker: x\n"
                               "worker:\n"
                               "  concurrency: many\n"
                               "  shutdown_grace: 30\n"
                               "  settle_rows: 0\n"
                               "lanez: {}\n"
                               "backends:\n"
                               "  - name: a\n"
                               "    dialect: klingon\n"
                               "    base_url: http://x\n"
                               "    verify_tls: maybe\n"
                               "models: 7\n";
    static const char *const says[] = {
        "f.yaml:2:3: unknown key \"broker\" in kafka: did you mean \"brokers\"?",
        "f.yaml:4:16: concurrency: \"many\" is not a whole number",
        "f.yaml:5:19: shutdown_grace: \"30\" is not a duration with its unit",
        "f.yaml:6:16: settle_rows: 0 is out of range",
        "f.yaml:7:1: unknown key \"lanez\" in the file: did you mean \"lanes\"?",
        "f.yaml:10:14: dialect: \"klingon\" is not one of openai",
        "f.yaml:12:17: verify_tls: \"maybe\" is not true or false",
        "f.yaml:13:9: models: a list is expected"};
    struct config_report r;
    ck_assert_ptr_null(parse(text, &r));
    for (size_t i = 0; i < sizeof says / sizeof *says; i++)
        ck_assert_msg(strstr(r.text.data, says[i]), "%s\nin\n%s", says[i], r.text.data);
    ck_assert_int_eq(r.errors, 8);
    config_report_free(&r);
}
END_TEST

static void expect_error(const char *text, const char *says)
{
    struct config_report r;
    ck_assert_ptr_null(parse(text, &r));
    ck_assert_msg(strstr(r.text.data, says), "%s\nin\n%s", says, r.text.data);
    config_report_free(&r);
}

START_TEST(parts_must_fit_together)
{
    expect_error("models: [{name: m, candidates: [{backend: b}]}]\n", "no backend is named \"b\"");
    expect_error("models: [{name: m, candidates: []}]\n", "\"candidates\" is missing");
    expect_error("backends: [{name: b}]\n", "\"base_url\" is missing");
    expect_error("backends: [{name: b, base_url: }]\n", "\"base_url\" is missing");
    expect_error("backends: [{name: b, base_url: \"ftp://x\"}]\n", "must begin with http://");
    expect_error("backends: [{name: b, base_url: \"http://x\"}, {name: b, base_url: "
                 "\"http://x\"}]\n",
                 "is there twice");
    expect_error("kafka: {properties: {acks: \"1\"}}\n", "\"acks\" cannot be set here");
    expect_error("a: b\n%\xFF:\n", "f.yaml:2:1: YAML directives");
    expect_error("a: b\nc: \xFF\n", "f.yaml:2:1: invalid UTF-8");
    expect_error("kafka: [1,\n", "not valid YAML");
    expect_error("kafka: {group: a, group: b}\n", "f.yaml:1");
}
END_TEST

START_TEST(the_environment_overrides_and_is_checked)
{
    struct config_report r;
    (void)setenv("QUERN_WORKER_CONCURRENCY", "64", 1);
    struct config *c = parse(sample, &r);
    ck_assert_int_eq(c->worker.concurrency, 64);
    config_free(c);
    config_report_free(&r);
    (void)setenv("QUERN_WORKER_CONCURRENCY", "x", 1);
    expect_error(sample, "QUERN_WORKER_CONCURRENCY");
    (void)unsetenv("QUERN_WORKER_CONCURRENCY");
    (void)setenv("QUERN_KAFKA_BROKER", "x", 1);
    expect_error(sample, "QUERN_KAFKA_BROKER: no such key in kafka");
    (void)unsetenv("QUERN_KAFKA_BROKER");
}
END_TEST

START_TEST(what_is_printed_is_the_same_configuration_without_secrets)
{
    struct config_report r;
    struct config *c = parse(sample, &r);
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    config_print(c, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_ptr_null(strstr(text, "secret"));
    config_free(c);
    c = config_parse(text, len, "printed", &r);
    ck_assert_msg(c != NULL, "%s\n%s", text, r.text.data);
    ck_assert_int_eq(c->worker.concurrency, 2000);
    config_free(c);
    free(text);
    config_report_free(&r);
}
END_TEST

START_TEST(an_empty_file_gives_the_defaults)
{
    struct config_report r;
    struct config *c = parse("# nothing\n", &r);
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(c->kafka.topic_prefix, "quern.");
    config_free(c);
}
END_TEST

Suite *suite_config(void)
{
    const TTest *const tests[] = {the_sample_works_as_it_stands,
                                  every_mistake_is_reported_with_its_line,
                                  parts_must_fit_together,
                                  the_environment_overrides_and_is_checked,
                                  what_is_printed_is_the_same_configuration_without_secrets,
                                  an_empty_file_gives_the_defaults,
                                  NULL};
    return suite_of("config", tests);
}
