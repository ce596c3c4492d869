/* Inputs through real files, and the plan that is made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/cli.h"
#include "producer/plan.h"
#include "suites.h"

#define LINE(id)                                                                                   \
    "{\"custom_id\":\"" id "\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
\"body\":{\"model\":\"gpt-4o-mini\",\"messages\":[]}}\n"

static const struct input_prompt prompt = {"Say: {{text}}", NULL, "m", false};
static char path[] = "/tmp/quern-input-XXXXXX";

static void write_file(const char *text, size_t len)
{
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len && close(fd) == 0);
}

/* Items and mistakes of an input, as "id id !line id". */
static void list(struct input *in, char *out)
{
    struct input_item item;
    struct error err;
    enum input_result r;
    *out = '\0';
    while ((r = in->ops->next(in, &item, &err)) == INPUT_ITEM || r == INPUT_BAD) {
        char one[64];
        if (r == INPUT_ITEM)
            (void)snprintf(one, sizeof one, "%.*s ", (int)item.id_len, item.custom_id);
        else
            (void)snprintf(one, sizeof one, "!%d ", (int)item.line);
        (void)strcat(out, one);
    }
    (void)strcat(out, r == INPUT_END ? "." : "failed");
}

static void expect(struct input *in, const char *wanted)
{
    char got[512];
    struct error err;
    ck_assert_ptr_nonnull(in);
    for (int pass = 0; pass < 2; pass++) { /* the second reading is like the first */
        list(in, got);
        ck_assert_str_eq(got, wanted);
        ck_assert(in->ops->rewind(in, &err) == QUERN_OK);
    }
    in->ops->close(in);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(batch_lines_are_read_and_bad_ones_counted_out)
{
    static const char text[] = LINE("a") "\nnot json\n{\"custom_id\":\"b\"}\n[]\n\"\xFF\"\n" LINE(
        "c") "{\"custom_id\":\"d\",\"method\":\"GET\",\"url\":\"/v1/"
             "embeddings\",\"body\":{}}\n" LINE("e");
    struct error err;
    write_file(text, strlen(text) - 1); /* no line break at the end */
    expect(input_batch_open(path, 10000, &err), "a !3 !4 !5 !6 c !8 e .");
}
END_TEST

START_TEST(a_line_over_the_limit_is_bad_and_the_next_is_read)
{
    static char text[4000];
    struct error err;
    (void)strcpy(text, LINE("a"));
    memset(text + strlen(text), 'x', 3000);
    (void)strcat(text, "\n" LINE("b"));
    write_file(text, strlen(text));
    expect(input_batch_open(path, 300, &err), "a !2 b .");
}
END_TEST

START_TEST(csv_rows_may_span_lines)
{
    static const char text[] = "\xEF\xBB\xBF"
                               "id,text\n1,plain\n2,\"two\nlines, \"\"quoted\"\"\"\n"
                               "3\n\n4,\"\xFF\"\n5,end\n";
    struct error err;
    write_file(text, strlen(text));
    expect(input_csv_open(path, &prompt, 10000, &err), "1 2 !5 !7 5 .");
}
END_TEST

START_TEST(rows_become_requests)
{
    static const char text[] =
        "{\"custom_id\":\"x\",\"text\":\"a \\\"b\\\"\"}\n{\"text\":12}\n{}\n";
    struct error err;
    struct input_item item;
    write_file(text, strlen(text));
    struct input *in = input_jsonl_open(path, &prompt, 10000, &err);
    ck_assert_int_eq(in->ops->next(in, &item, &err), INPUT_ITEM);
    const char *body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
                       "\"Say: a \\\"b\\\"\"}]}";
    ck_assert(item.body.len == strlen(body) && memcmp(item.body.p, body, item.body.len) == 0);
    ck_assert(in->ops->rewind(in, &err) == QUERN_OK);
    expect(in, "x row-2 !3 .");
}
END_TEST

static void plan_text(const char *text, struct plan *plan, struct error *err, bool good)
{
    struct submission s = {.lane = LANE_NORMAL};
    struct config_report report;
    struct config *c = config_parse("submit: {errors_max: 3}\n", 24, "f", &report);
    write_file(text, strlen(text));
    struct input *in = input_batch_open(path, 10000, err);
    ck_assert_int_eq(plan_read(in, &s, c, plan, err) == QUERN_OK, good);
    in->ops->close(in);
    ck_assert_int_eq(unlink(path), 0);
    config_free(c);
}

START_TEST(a_plan_counts_and_estimates)
{
    struct plan a, b;
    struct error err;
    plan_text(LINE("a") LINE("b"), &a, &err, true);
    ck_assert_int_eq(a.tasks, 2);
    ck_assert(a.cost > 0 && a.unpriced == 0 && a.output_tokens == 512);
    plan_text(LINE("a") LINE("b") "\n", &b, &err, true);
    ck_assert_str_eq(a.digest, b.digest);
    plan_text(LINE("b") LINE("a"), &b, &err, true);
    ck_assert_str_ne(a.digest, b.digest);
}
END_TEST

START_TEST(a_plan_refuses_the_whole_input_for_one_mistake)
{
    struct plan p;
    struct error err;
    plan_text(LINE("a") LINE("b") LINE("a"), &p, &err, false);
    ck_assert_str_eq(err.code, "invalid_input");
    ck_assert_int_eq(p.errors, 1);
    plan_text("", &p, &err, false);
    plan_text("x\nx\nx\nx\nx\n", &p, &err, false);
    ck_assert_int_eq(p.errors, 3);
}
END_TEST

Suite *suite_input(void)
{
    const TTest *const tests[] = {batch_lines_are_read_and_bad_ones_counted_out,
                                  a_line_over_the_limit_is_bad_and_the_next_is_read,
                                  csv_rows_may_span_lines,
                                  rows_become_requests,
                                  a_plan_counts_and_estimates,
                                  a_plan_refuses_the_whole_input_for_one_mistake,
                                  NULL};
    return suite_of("input", tests);
}
