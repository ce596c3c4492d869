/* Outcomes as statement parameters, and dead letters as documents, without a database. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "suites.h"
#include "worker/deadletter.h"
#include "worker/dialect.h"
#include "worker/settle_batch.h"

static const char record[] =
    "{\"v\":1,\"job_id\":\"01a20d6f-00ed-7be5-85ed-e60541a08c3d\",\n \"custom_id\":\"a\",\"url\":"
    "\"/v1/chat/completions\",\"body\":{\"model\":\"m\",\"x\":\" kept \"}}";

static struct partition new_partition(void)
{
    struct partition p = {.topic = mem_string("quern.tasks.low"), .number = 3, .lane = LANE_LOW};
    window_init(&p.window, 100);
    return p;
}

static void free_partition(struct partition *p)
{
    while (p->tasks)
        task_free(p->tasks);
    window_free(&p->window);
    free(p->topic);
}

static struct attempt *add_attempt(struct task *t, struct usage u, int64_t cost)
{
    t->attempts = mem_array(t->attempts, t->attempt_count + 1, sizeof *t->attempts);
    struct attempt *a = &t->attempts[t->attempt_count++];
    *a = (struct attempt){.token = 7, .number = 1, .backend = "b", .model = "up", .usage = u};
    a->cost = cost;
    a->started_us = 1769853600000000;
    return a;
}

/* The only number of a column. */
static int64_t number(const struct pgarray *a)
{
    uint64_t v;
    ck_assert_int_eq(a->count, 1);
    ck_assert_uint_eq(a->bytes.len, 20 + 4 + 8);
    memcpy(&v, a->bytes.data + 24, 8);
    return (int64_t)be64toh(v);
}

static bool is_null(const struct pgarray *a)
{
    return a->count == 1 && a->bytes.len == 24 &&
           memcmp(a->bytes.data + 20, "\377\377\377\377", 4) == 0;
}

static bool is_text(const struct pgarray *a, const char *s)
{
    size_t n = strlen(s);
    return a->count == 1 && a->bytes.len == 24 + n && memcmp(a->bytes.data + 24, s, n) == 0;
}

START_TEST(a_result_sums_its_attempts)
{
    struct partition p = new_partition();
    struct batch b;
    struct task *t = task_new(&p, 5, record, strlen(record), NULL);
    (void)add_attempt(t, (struct usage){.input = 10, .output = 1}, 100);
    (void)add_attempt(t, (struct usage){.input = 10, .cached = 4, .output = 5}, 23);
    task_finish(t, STATUS_SUCCEEDED);
    batch_init(&b, 10, 1 << 20);
    batch_begin(&b, false);
    batch_add(&b, t);
    batch_close(&b);
    ck_assert_int_eq(b.attempts[0].count, 2);
    ck_assert_int_eq(number(&b.results[R_INPUT]), 20);
    ck_assert_int_eq(number(&b.results[R_CACHED]), 4);
    ck_assert_int_eq(number(&b.results[R_OUTPUT]), 6);
    ck_assert_int_eq(number(&b.results[R_COST]), 123);
    ck_assert(is_text(&b.results[R_STATUS], "succeeded") && is_text(&b.results[R_LANE], "low"));
    ck_assert(is_null(&b.results[R_ERROR]));
    ck_assert_int_eq(b.letters[0].count, 0);
    batch_free(&b);
    free_partition(&p);
}
END_TEST

START_TEST(an_attempt_without_a_price_leaves_the_cost_unknown)
{
    struct partition p = new_partition();
    struct batch b;
    struct task *t = task_new(&p, 5, record, strlen(record), NULL);
    (void)add_attempt(t, (struct usage){.input = 10}, 100);
    (void)add_attempt(t, (struct usage){.input = 10}, -1);
    task_finish(t, STATUS_SUCCEEDED);
    batch_init(&b, 10, 1 << 20);
    batch_begin(&b, false);
    batch_add(&b, t);
    batch_close(&b);
    ck_assert(is_null(&b.results[R_COST]));
    batch_free(&b);
    free_partition(&p);
}
END_TEST

START_TEST(a_failure_carries_its_record_and_a_letter)
{
    struct partition p = new_partition();
    struct batch b;
    struct task *t = task_new(&p, 5, record, strlen(record), NULL);
    (void)error_set(&t->error, ERROR_PERMANENT, "timeout", "too slow");
    task_finish(t, STATUS_FAILED);
    batch_init(&b, 10, 1 << 20);
    batch_begin(&b, false);
    batch_add(&b, t);
    batch_close(&b);
    ck_assert(is_text(&b.letters[L_RECORD], record) && is_text(&b.letters[L_ERROR], "too slow"));
    ck_assert(is_text(&b.letters[L_CUSTOM_ID], "a"));
    ck_assert_int_eq(b.attempts[0].count, 0);
    batch_free(&b);
    free_partition(&p);
}
END_TEST

START_TEST(a_task_given_up_writes_its_books_only)
{
    struct partition p = new_partition();
    struct batch b;
    struct task *t = task_new(&p, 5, record, strlen(record), NULL);
    (void)add_attempt(t, (struct usage){.input = 10}, 100);
    batch_init(&b, 10, 1 << 20);
    batch_begin(&b, false);
    batch_add(&b, t);
    batch_close(&b);
    ck_assert_int_eq(b.results[0].count, 0);
    ck_assert_int_eq(b.letters[0].count, 0);
    ck_assert_int_eq(b.attempts[0].count, 1);
    batch_free(&b);
    free_partition(&p);
}
END_TEST

START_TEST(what_is_no_task_goes_to_its_own_statement)
{
    struct partition p = new_partition();
    struct batch b;
    struct task *t = task_new(&p, 5, "\xFF", 1, NULL);
    task_finish(t, STATUS_FAILED);
    batch_init(&b, 10, 1 << 20);
    batch_begin(&b, false);
    batch_add(&b, t);
    batch_close(&b);
    ck_assert(!t->readable && is_text(&b.unreadable[U_RECORD], "\xFF"));
    ck_assert_int_eq(number(&b.unreadable[U_OFFSET]), 5);
    ck_assert(b.results[0].count == 0 && b.letters[0].count == 0);
    batch_begin(&b, false); /* the next transaction begins with nothing */
    ck_assert(b.count == 0 && b.bytes == 0 && b.unreadable[0].count == 0);
    batch_free(&b);
    free_partition(&p);
}
END_TEST

START_TEST(a_batch_is_full_at_its_count)
{
    struct partition p = new_partition();
    struct batch b;
    batch_init(&b, 2, 1 << 20);
    batch_begin(&b, false);
    for (int i = 0; i < 2; i++) {
        ck_assert(!batch_full(&b));
        struct task *t = task_new(&p, i, record, strlen(record), NULL);
        task_finish(t, STATUS_FAILED);
        batch_add(&b, t);
    }
    ck_assert(batch_full(&b));
    batch_free(&b);
    free_partition(&p);
}
END_TEST

/* A backend that answers nonsense and claims 2^63 - 1 tokens, twice. */
START_TEST(lies_of_several_attempts_never_add_up_to_less_than_nothing)
{
    struct partition p = new_partition();
    struct batch b;
    struct task *t = task_new(&p, 5, record, strlen(record), NULL);
    for (int i = 0; i < 2; i++)
        (void)add_attempt(t, (struct usage){.input = INT64_MAX, .output = INT64_MAX}, INT64_MAX);
    task_finish(t, STATUS_SUCCEEDED);
    batch_init(&b, 10, 1 << 20);
    batch_begin(&b, false);
    batch_add(&b, t);
    batch_close(&b);
    int64_t input = number(&b.results[R_INPUT]), output = number(&b.results[R_OUTPUT]), sum;
    ck_assert(input > 0 && output > 0 && number(&b.results[R_COST]) > 0);
    ck_assert(!__builtin_add_overflow(input, output, &sum)); /* as the statement adds them */
    batch_free(&b);
    free_partition(&p);
}
END_TEST

/* PostgreSQL refuses a statement whose bigint sums overflow, and with it the whole batch. */
START_TEST(what_one_answer_claims_can_be_added_up)
{
    static const char text[] = "{\"choices\":[],\"usage\":{\"prompt_tokens\":9223372036854775807,"
                               "\"completion_tokens\":9223372036854775807}}";
    struct reply r;
    int64_t sum;
    struct buf none;
    buf_init(&none, 0);
    dialect_openai.reply(200, text, strlen(text), &none, &r);
    ck_assert(r.usage.input >= 0 && r.usage.output >= 0);
    ck_assert(!__builtin_add_overflow(r.usage.input, r.usage.output, &sum));
}
END_TEST

static struct json letter(const struct task *t, struct buf *out)
{
    struct error err;
    buf_init(out, 4096);
    deadletter_write(t, out);
    ck_assert_msg(json_check(out->data, out->len, &err), "%s: %s", err.message, out->data);
    return json_root(out->data, out->len);
}

START_TEST(a_dead_letter_tells_the_task_and_the_reason)
{
    struct partition p = new_partition();
    struct buf out;
    int64_t n;
    struct task *t = task_new(&p, 5, record, strlen(record), NULL);
    (void)error_set(&t->error, ERROR_PERMANENT, "timeout", "too \"slow\"");
    task_finish(t, STATUS_EXPIRED);
    t->publication_id = 77;
    struct json l = letter(t, &out);
    ck_assert(json_int64(json_get(l, "id"), &n) && n == 77);
    ck_assert(json_int64(json_get(l, "offset"), &n) && n == 5);
    ck_assert(json_equals(json_get(l, "status"), "expired"));
    ck_assert(json_equals(json_get(l, "reason"), "timeout"));
    ck_assert(json_equals(json_get(l, "error"), "too \"slow\""));
    ck_assert(json_equals(json_get(l, "custom_id"), "a"));
    ck_assert(json_equals(json_get(json_get(json_get(l, "record"), "body"), "x"), " kept "));
    ck_assert_ptr_null(json_get(l, "record_base64").p);
    ck_assert_ptr_null(memchr(out.data, '\n', out.len)); /* one line, whatever the record was */
    buf_free(&out);
    free_partition(&p);
}
END_TEST

START_TEST(a_dead_letter_of_bytes_holds_them_all)
{
    static const struct {
        const char *bytes, *base64;
    } rows[] = {{"", ""}, {"\xFF", "/w=="}, {"\xFF\xFE", "//4="}, {"abc", "YWJj"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct partition p = new_partition();
        struct buf out;
        struct task *t = task_new(&p, 5, rows[i].bytes, strlen(rows[i].bytes), NULL);
        task_finish(t, STATUS_FAILED);
        struct json l = letter(t, &out);
        ck_assert(json_equals(json_get(l, "record_base64"), rows[i].base64));
        ck_assert_ptr_null(json_get(l, "job_id").p);
        ck_assert_ptr_null(json_get(l, "record").p);
        buf_free(&out);
        free_partition(&p);
    }
}
END_TEST

Suite *suite_settle_batch(void)
{
    const TTest *const tests[] = {a_result_sums_its_attempts,
                                  an_attempt_without_a_price_leaves_the_cost_unknown,
                                  a_failure_carries_its_record_and_a_letter,
                                  a_task_given_up_writes_its_books_only,
                                  what_is_no_task_goes_to_its_own_statement,
                                  a_batch_is_full_at_its_count,
                                  lies_of_several_attempts_never_add_up_to_less_than_nothing,
                                  what_one_answer_claims_can_be_added_up,
                                  a_dead_letter_tells_the_task_and_the_reason,
                                  a_dead_letter_of_bytes_holds_them_all,
                                  NULL};
    return suite_of("settle_batch", tests);
}
