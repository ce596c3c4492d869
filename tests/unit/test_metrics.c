/* Metrics: Prometheus' text, bounded series, buckets; what is told of lately; ids of spans. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "worker/metrics.h"
#include "worker/recent.h"
#include "worker/spans.h"

static bool has(const struct buf *b, const char *text)
{
    return strstr(b->data, text) != NULL;
}

START_TEST(labels_are_escaped)
{
    struct metrics ms;
    struct buf out;
    metrics_init(&ms);
    buf_init(&out, 1 << 20);
    metrics_series(&ms, G_TENANTS, LABELS("a\"b\\c\nd"))->value[0] = 7;
    metrics_write(&ms, M_TENANT_TOKENS, &out);
    ck_assert(has(&out, "# TYPE quern_tenant_tokens_total counter\n"));
    ck_assert(has(&out, "quern_tenant_tokens_total{tenant=\"a\\\"b\\\\c\\nd\"} 7\n"));
    buf_free(&out);
    metrics_free(&ms);
}
END_TEST

START_TEST(series_are_told_apart_and_found_again)
{
    struct metrics ms;
    metrics_init(&ms);
    struct series *ab = metrics_series(&ms, G_ATTEMPTS, LABELS("a", "b", NULL));
    ck_assert_ptr_ne(ab, metrics_series(&ms, G_ATTEMPTS, LABELS("ab", "", NULL)));
    ck_assert_ptr_ne(ab, metrics_series(&ms, G_ATTEMPTS, LABELS("a", "", "b")));
    ck_assert_ptr_ne(ab, metrics_series(&ms, G_ATTEMPTS, LABELS("a", "bc", NULL)));
    ck_assert_ptr_eq(ab, metrics_series(&ms, G_ATTEMPTS, LABELS("a", "b", "")));
    ck_assert_ptr_eq(ab, metrics_series(&ms, G_ATTEMPTS, LABELS("a", "b", NULL)));
    metrics_free(&ms);
}
END_TEST

START_TEST(series_are_bounded)
{
    struct metrics ms;
    char name[32];
    int64_t sum = 0;
    metrics_init(&ms);
    for (int i = 0; i < 3 * SERIES_MAX; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        metrics_series(&ms, G_TENANTS, LABELS(name))->value[0]++;
    }
    ck_assert_uint_eq(HASH_COUNT(ms.groups[G_TENANTS]), SERIES_MAX + 1);
    ck_assert_int_eq(metrics_series(&ms, G_TENANTS, LABELS("new"))->value[0], 2 * SERIES_MAX);
    for (struct series *s = ms.groups[G_TENANTS]; s; s = s->hh.next)
        sum += s->value[0];
    ck_assert_int_eq(sum, 3 * SERIES_MAX);
    metrics_free(&ms);
}
END_TEST

START_TEST(long_texts_fit)
{
    struct metrics ms;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    metrics_init(&ms);
    metrics_series(&ms, G_ATTEMPTS, LABELS(text, text, text))->value[0] = 1;
    ck_assert_uint_eq(HASH_COUNT(ms.groups[G_ATTEMPTS]), 1);
    metrics_free(&ms);
}
END_TEST

START_TEST(buckets_count_up_to_their_bound)
{
    struct histogram h = {{0}, 0};
    struct buf out;
    buf_init(&out, 1 << 16);
    histogram_add(&h, buckets_rows, 1);
    histogram_add(&h, buckets_rows, 2);
    histogram_add(&h, buckets_rows, 2.5);
    histogram_add(&h, buckets_rows, 1e9);
    expose_histogram(&out, M_SETTLE_ROWS, &h);
    ck_assert(has(&out, "quern_settle_rows_bucket{le=\"1\"} 1\n"));
    ck_assert(has(&out, "quern_settle_rows_bucket{le=\"2\"} 2\n"));
    ck_assert(has(&out, "quern_settle_rows_bucket{le=\"5\"} 3\n"));
    ck_assert(has(&out, "quern_settle_rows_bucket{le=\"10000\"} 3\n"));
    ck_assert(has(&out, "quern_settle_rows_bucket{le=\"+Inf\"} 4\n"));
    ck_assert(has(&out, "quern_settle_rows_count 4\n"));
    buf_free(&out);
}
END_TEST

START_TEST(every_metric_is_defined)
{
    for (int m = 0; m < METRICS; m++) {
        const struct metric_def *d = &metric_defs[m];
        ck_assert_msg(d->name && d->help && d->labels, "metric %d", m);
        ck_assert(strncmp(d->name, "quern_", 6) == 0 && d->help[strlen(d->help) - 1] == '.');
        ck_assert((strstr(d->name, "_total") != NULL) == (d->type == COUNTER));
        ck_assert(d->type != HISTOGRAM || d->bounds);
        ck_assert_int_lt(d->slot, d->type == HISTOGRAM ? METRIC_HISTOGRAMS_MAX : METRIC_VALUES_MAX);
        for (int k = 0; k < m; k++)
            ck_assert_str_ne(d->name, metric_defs[k].name);
    }
}
END_TEST

/* ---- lately --------------------------------------------------------------------------------- */

START_TEST(what_is_long_over_is_forgotten)
{
    struct recent r;
    struct buf out;
    buf_init(&out, 1 << 16);
    recent_init(&r, 1000);
    recent_task(&r, LANE_LOW, 8000, false, 1010);
    recent_call(&r, LANE_LOW, 500, true, 1010);
    recent_write(&r, 1070, &out); /* in the last period now */
    ck_assert(has(&out,
                  "{\"seconds\":70.0,\"lanes\":{\"low\":{\"done\":1,\"failed\":0,\"calls\":1,"
                  "\"failed_calls\":1,\"queue\":[0,0,0,0,0,0,0,0,0,0,0,0,1],\"call\":[1]}}}"));
    buf_clear(&out);
    recent_write(&r, 1300, &out);
    ck_assert(has(&out, "{\"seconds\":60.0,\"lanes\":{}}"));
    buf_free(&out);
}
END_TEST

START_TEST(extreme_times_have_a_bucket)
{
    struct recent r;
    recent_init(&r, 0);
    recent_call(&r, LANE_HIGH, 0, false, 1);
    recent_call(&r, LANE_HIGH, -5, false, 1);
    recent_call(&r, LANE_HIGH, INT64_MAX, false, 1);
    ck_assert_int_eq(r.now[LANE_HIGH].call[0], 2);
    ck_assert_int_eq(r.now[LANE_HIGH].call[RECENT_BUCKETS - 1], 1);
}
END_TEST

/* ---- spans ---------------------------------------------------------------------------------- */

static struct span_context context(const char *traceparent, double ratio)
{
    struct span_context c;
    char identity[] = "0123456789abcdefid";
    struct task t = {.identity = identity, .identity_len = sizeof identity - 1};
    (void)snprintf(t.journey.traceparent, sizeof t.journey.traceparent, "%s", traceparent);
    span_context_of(&t, ratio, &c);
    return c;
}

START_TEST(parents_are_read_strictly)
{
    static const char good[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    static const char *const bad[] = {"",
                                      "00",
                                      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                                      "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    struct span_context c = context(good, 0);
    ck_assert(c.has_parent && c.sampled && c.trace[0] == 0x0a && c.parent[7] == 0x31);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c = context(bad[i], 0);
        ck_assert_msg(!c.has_parent && !c.sampled, "%s", bad[i]);
    }
    c = context("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 1);
    ck_assert(c.has_parent && !c.sampled);
    ck_assert(context("", 1).sampled);
}
END_TEST

Suite *suite_metrics(void)
{
    const TTest *const tests[] = {labels_are_escaped,
                                  series_are_told_apart_and_found_again,
                                  series_are_bounded,
                                  long_texts_fit,
                                  buckets_count_up_to_their_bound,
                                  every_metric_is_defined,
                                  what_is_long_over_is_forgotten,
                                  extreme_times_have_a_bucket,
                                  parents_are_read_strictly,
                                  NULL};
    return suite_of("metrics", tests);
}
