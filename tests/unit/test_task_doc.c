#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/task_doc.h"
#include "suites.h"

#define JOB "\"job_id\":\"01a20d6f-00ed-7be5-85ed-e60541a08c3d\""
#define BODY "\"body\":{\"model\":\"m\",\"seed\":9007199254740993}"
#define REST "\"custom_id\":\"a\",\"url\":\"/v1/chat/completions\"," BODY "}"

START_TEST(reads_every_field_and_writes_it_back)
{
    const char *text = "{\"v\":1," JOB ",\"custom_id\":\"a\\u00e9\",\"generation\":3,\"tenant\":"
                       "\"t\",\"user\":\"u\",\"feature\":\"f\",\"deadline\":"
                       "\"2026-01-31T10:00:00.000Z\",\"url\":\"/v1/chat/completions\"," BODY "}";
    struct task_doc d;
    struct error err;
    struct buf out;
    ck_assert_msg(task_doc_read(text, strlen(text), &d, &err) == QUERN_OK, "%s", err.message);
    ck_assert_str_eq(d.custom_id, "a\xC3\xA9");
    ck_assert_str_eq(d.tenant, "t");
    ck_assert_str_eq(d.model, "m");
    ck_assert_int_eq(d.generation, 3);
    buf_init(&out, 4096);
    task_doc_write(&d, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "9007199254740993")); /* bodies pass unchanged */
    struct task_doc again;
    ck_assert(task_doc_read(out.data, out.len, &again, &err) == QUERN_OK);
    ck_assert_str_eq(again.custom_id, d.custom_id);
    ck_assert(again.deadline_us == d.deadline_us && again.generation == 3);
    task_doc_free(&again);
    task_doc_free(&d);
    buf_free(&out);
}
END_TEST

START_TEST(each_mistake_is_named)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[]", "not an object"},
        {"{\"v\":2," JOB "," REST, "v is not 1"},
        {"{" JOB "," REST, "v is not 1"},
        {"{\"v\":1,\"job_id\":\"x\"," REST, "job_id"},
        {"{\"v\":1," REST, "job_id"},
        {"{\"v\":1," JOB ",\"generation\":-1," REST, "generation"},
        {"{\"v\":1," JOB ",\"generation\":1.5," REST, "generation"},
        {"{\"v\":1," JOB ",\"deadline\":\"soon\"," REST, "deadline"},
        {"{\"v\":1," JOB ",\"cache\":1," REST, "cache"},
        {"{\"v\":1," JOB ",\"tenant\":1," REST, "tenant"},
        {"{\"v\":1," JOB ",\"tenant\":\"\\n\"," REST, "tenant"},
        {"{\"v\":1," JOB ",\"url\":\"/v1/chat/completions\"," BODY "}", "custom_id is missing"},
        {"{\"v\":1," JOB ",\"custom_id\":\"\",\"url\":\"/v1/chat/completions\"," BODY "}", "empty"},
        {"{\"v\":1," JOB ",\"custom_id\":7,\"url\":\"/v1/chat/completions\"," BODY "}",
         "custom_id"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/nope\"," BODY "}", "/v1/nope"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\"}", "body is missing"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\",\"body\":[]}", "object"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\",\"body\":{}}", "model"},
        {"{\"v\":1," JOB
         ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\",\"body\":{\"model\":\"\\n\"}}",
         "body.model holds"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/chat/completions\",\"body\":"
         "{\"model\":\"m\"},\"timeout\":\"soon\"}",
         "timeout"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\"," BODY
         ",\"complexity\":\"hard\"}",
         "complexity"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\"," BODY
         ",\"sensitive\":1}",
         "sensitive"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\"," BODY
         ",\"fallback\":{\"text\":\"a\",\"extract\":1}}",
         "exactly one"},
        {"{\"v\":1," JOB ",\"custom_id\":\"a\",\"url\":\"/v1/embeddings\"," BODY
         ",\"fallback\":{\"extract\":0}}",
         "fallback.extract"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct task_doc d;
        struct error err = {0};
        ck_assert_msg(task_doc_read(rows[i].text, strlen(rows[i].text), &d, &err) != QUERN_OK, "%s",
                      rows[i].text);
        ck_assert_msg(strstr(err.message, rows[i].says), "%s: %s", rows[i].text, err.message);
    }
}
END_TEST

START_TEST(a_custom_id_has_a_limit)
{
    char id[TASK_ID_MAX + 2];
    struct error err;
    memset(id, 'x', sizeof id);
    ck_assert(task_id_check(id, TASK_ID_MAX, &err) == QUERN_OK);
    ck_assert(task_id_check(id, TASK_ID_MAX + 1, &err) != QUERN_OK);
}
END_TEST

Suite *suite_task_doc(void)
{
    const TTest *const tests[] = {reads_every_field_and_writes_it_back, each_mistake_is_named,
                                  a_custom_id_has_a_limit, NULL};
    return suite_of("task_doc", tests);
}
