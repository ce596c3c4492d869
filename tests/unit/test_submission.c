/* What `quern submit` lets through, every worker must be able to read: an input is refused before
 * anything is sent, or each of its records is a task. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/task_doc.h"
#include "producer/plan.h"
#include "suites.h"

enum { LINE_MAX_BYTES = 4096 };

static const struct input_prompt prompt = {"Say: {{text}}", "Be brief.", "m", false};

enum kind { BATCH, CSV, JSONL };

static char *temporary(const char *text, size_t len)
{
    char *path = mem_string("/tmp/quern-submit-XXXXXX");
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len && close(fd) == 0);
    return path;
}

static struct input *open_kind(enum kind kind, const char *path)
{
    struct error err;
    struct input *in = kind == BATCH ? input_batch_open(path, LINE_MAX_BYTES, &err)
                       : kind == CSV ? input_csv_open(path, &prompt, LINE_MAX_BYTES, &err)
                                     : input_jsonl_open(path, &prompt, LINE_MAX_BYTES, &err);
    ck_assert_ptr_nonnull(in);
    return in;
}

static bool record_is_task(const struct input_item *item, struct error *err)
{
    static const struct uuid job;
    struct submission s = {.lane = LANE_NORMAL, .tenant = "t"};
    struct task_doc d;
    struct buf out;
    buf_init(&out, 4 * LINE_MAX_BYTES);
    bool planned = plan_record(&s, &job, item, &out, err) == QUERN_OK;
    bool read = planned && task_doc_read(out.data, out.len, &d, err) == QUERN_OK;
    ck_assert_msg(!planned || read, "a worker says: %s\n%s", err->message, out.data);
    if (read)
        task_doc_free(&d);
    buf_free(&out);
    return read;
}

/* The numbers of good tasks and of mistakes; -1 good ones if the input broke off. */
static void count(struct input *in, int *good, int *bad)
{
    struct input_item item;
    struct error err;
    enum input_result r;
    *good = *bad = 0;
    while ((r = in->ops->next(in, &item, &err)) == INPUT_ITEM || r == INPUT_BAD) {
        if (r == INPUT_ITEM && record_is_task(&item, &err))
            ++*good;
        else
            ++*bad;
    }
    if (r == INPUT_FAILED)
        *good = -1;
    in->ops->close(in);
}

static void expect_bytes(enum kind kind, const char *text, size_t len, int good, int bad)
{
    int g, b;
    char *path = temporary(text, len);
    count(open_kind(kind, path), &g, &b);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    ck_assert_msg(g == good && b == bad, "%d good, %d bad in\n%.*s", g, b, (int)len, text);
}

static void expect(enum kind kind, const char *text, int good, int bad)
{
    expect_bytes(kind, text, strlen(text), good, bad);
}

#define BODY "\"body\":{\"model\":\"m\"}"
#define URL "\"url\":\"/v1/chat/completions\""

START_TEST(each_rule_of_a_batch_line_is_checked)
{
    expect(BATCH, "{\"custom_id\":\"a\"," URL "," BODY "}\n", 1, 0);
    expect(BATCH, "{\"custom_id\":\"a\"," URL "," BODY ",\"method\":\"POST\",\"x\":1}\r\n", 1, 0);
    static const char *const bad[] = {"{" URL "," BODY "}",
                                      "{\"custom_id\":7," URL "," BODY "}",
                                      "{\"custom_id\":\"\"," URL "," BODY "}",
                                      "{\"custom_id\":\"a\\n\"," URL "," BODY "}",
                                      "{\"custom_id\":\"a\",\"url\":\"/v1/nope\"," BODY "}",
                                      "{\"custom_id\":\"a\"," BODY "}",
                                      "{\"custom_id\":\"a\"," URL "}",
                                      "{\"custom_id\":\"a\"," URL ",\"body\":[]}",
                                      "{\"custom_id\":\"a\"," URL ",\"body\":\"x\"}",
                                      "{\"custom_id\":\"a\"," URL ",\"body\":{}}",
                                      "{\"custom_id\":\"a\"," URL ",\"body\":{\"model\":\"\"}}",
                                      "{\"custom_id\":\"a\"," URL
                                      ",\"body\":{\"model\":\"m\"},\"timeout\":30}",
                                      "{\"custom_id\":\"a\\u0000\"," URL "," BODY "}",
                                      "{\"custom_id\":\"\xFF\"," URL "," BODY "}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(BATCH, bad[i], 0, 1);
}
END_TEST

START_TEST(a_custom_id_is_bounded_in_bytes)
{
    for (int n = TASK_ID_MAX; n <= TASK_ID_MAX + 1; n++) {
        char id[TASK_ID_MAX + 2], line[2 * TASK_ID_MAX];
        memset(id, 'x', sizeof id);
        (void)snprintf(line, sizeof line, "{\"custom_id\":\"%.*s\"," URL "," BODY "}\n", n, id);
        expect(BATCH, line, n == TASK_ID_MAX, n != TASK_ID_MAX);
    }
}
END_TEST

START_TEST(rows_of_csv_become_tasks)
{
    expect(CSV, "id,text\n1,a\n2,\"b, \"\"c\"\"\nd\"\n", 2, 0);
    expect(CSV, "text\nno id\nneither\n", 2, 0);
    expect(CSV, "id,other\n1,a\n", 0, 1);
    expect(CSV, "\xEF\xBB\xBFid,text\r\n1,a\r\n", 1, 0);
    expect(CSV, "id,text\n1,a", 1, 0);
    expect(CSV, "", -1, 0);
    expect(CSV, "id,text\n1,a\"b\n2,c\n", -1, 0);
}
END_TEST

START_TEST(a_quote_that_is_never_closed_is_no_silent_end)
{
    expect(CSV, "id,text\n1,a\n2,\"open\n3,c\n4,d\n", -1, 0);
}
END_TEST

START_TEST(a_byte_order_mark_may_stand_before_a_quoted_header)
{
    expect(CSV, "\xEF\xBB\xBF\"id\",\"text\"\n\"1\",\"a\"\n", 1, 0);
}
END_TEST

START_TEST(a_nul_byte_in_a_row_is_a_mistake)
{
    static const char text[] = "id,text\n1,a\0b\n2,c\n";
    expect_bytes(CSV, text, sizeof text - 1, 1, 1);
}
END_TEST

START_TEST(a_header_longer_than_any_row_is_a_mistake)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_char(&b, '"');
    for (int i = 0; i < 3 * LINE_MAX_BYTES; i++)
        buf_char(&b, i % 100 ? 'x' : '\n'); /* each line is short enough */
    buf_str(&b, "\",text\n1,a\n");
    expect_bytes(CSV, b.data, b.len, -1, 0);
    buf_free(&b);
}
END_TEST

START_TEST(rows_of_json_become_tasks)
{
    expect(JSONL, "{\"text\":\"a\\u0001\"}\n\n{\"text\":[1]}\n{\"x\":1}\n7\n{\n", 2, 3);
    expect(JSONL, "{\"id\":\"\",\"text\":\"a\"}\n", 0, 1);
}
END_TEST

static void count_file(const char *path, int *good, int *bad)
{
    static const struct input_prompt with_name = {"{{file}}: {{text}}", NULL, "m", false};
    struct error err;
    char *paths[] = {(char *)(uintptr_t)path};
    count(input_files_open(paths, 1, &with_name, LINE_MAX_BYTES, &err), good, bad);
}

START_TEST(plain_files_become_tasks_or_mistakes)
{
    static const struct {
        const char *text;
        size_t len;
        bool good;
    } rows[] = {{"a \"b\"\n\x01", 7, true}, {"", 0, true}, {"\xFF", 1, false}, {"a\0b", 3, false}};
    int good, bad;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *path = temporary(rows[i].text, rows[i].len);
        count_file(path, &good, &bad);
        ck_assert_int_eq(unlink(path), 0);
        free(path);
        ck_assert_msg(good == rows[i].good && bad == !rows[i].good, "%zu", i);
    }
    count_file("/no/such/file", &good, &bad);
    ck_assert(good == 0 && bad == 1);
}
END_TEST

START_TEST(a_file_name_that_is_no_utf8_is_a_mistake)
{
    int good, bad;
    char *path = temporary("text", 4), name[64];
    (void)snprintf(name, sizeof name, "%s-\xFF", path);
    ck_assert_int_eq(rename(path, name), 0);
    count_file(name, &good, &bad);
    ck_assert_int_eq(unlink(name), 0);
    free(path);
    ck_assert(good == 0 && bad == 1);
}
END_TEST

static quern_status plan_lines(const char *text, struct plan *plan, struct error *err)
{
    struct submission s = {.lane = LANE_NORMAL};
    struct config_report report;
    struct config *c = config_parse("{}", 2, "f", &report);
    char *path = temporary(text, strlen(text));
    struct input *in = open_kind(BATCH, path);
    quern_status status = plan_read(in, &s, c, plan, err);
    in->ops->close(in);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    config_free(c);
    config_report_free(&report);
    return status;
}

#define TOKENS(id, n)                                                                              \
    "{\"custom_id\":\"" id "\"," URL ",\"body\":{\"model\":\"gpt-4o-mini\",\"max_tokens\":" n "}}" \
    "\n"

START_TEST(an_estimate_takes_the_longest_answer_that_is_allowed)
{
    struct plan p;
    struct error err;
    ck_assert(plan_lines(TOKENS("a", "1000") TOKENS("b", "24"), &p, &err) == QUERN_OK);
    ck_assert_int_eq(p.output_tokens, 1024);
    ck_assert_int_eq(p.unpriced, 0);
    ck_assert_int_gt(p.cost, 1024 * 600000);
}
END_TEST

START_TEST(an_estimate_of_nonsense_is_never_negative)
{
    struct plan p;
    struct error err;
    const char *most = TOKENS("a", "9223372036854775807") TOKENS("b", "9223372036854775807");
    ck_assert(plan_lines(most, &p, &err) == QUERN_OK);
    ck_assert(p.output_tokens >= 0 && p.cost >= 0);
    ck_assert(plan_lines(TOKENS("a", "-5"), &p, &err) == QUERN_OK);
    ck_assert(p.output_tokens >= 0);
}
END_TEST

Suite *suite_submission(void)
{
    const TTest *const tests[] = {each_rule_of_a_batch_line_is_checked,
                                  a_custom_id_is_bounded_in_bytes,
                                  rows_of_csv_become_tasks,
                                  a_quote_that_is_never_closed_is_no_silent_end,
                                  a_byte_order_mark_may_stand_before_a_quoted_header,
                                  a_nul_byte_in_a_row_is_a_mistake,
                                  a_header_longer_than_any_row_is_a_mistake,
                                  rows_of_json_become_tasks,
                                  plain_files_become_tasks_or_mistakes,
                                  a_file_name_that_is_no_utf8_is_a_mistake,
                                  an_estimate_takes_the_longest_answer_that_is_allowed,
                                  an_estimate_of_nonsense_is_never_negative,
                                  NULL};
    return suite_of("submission", tests);
}
