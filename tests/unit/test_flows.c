/* Turns of tenants: by tokens, by weight, and nobody waits for long. */
#include <stdlib.h>

#include "common/mem.h"
#include "suites.h"
#include "worker/flows.h"

struct place {
    struct tenants tenants;
    struct flow *ring;
    size_t tokens_of_first, tokens_of_all;
};

static void arrive(struct place *p, char *tenant, int count, int64_t tokens)
{
    for (int i = 0; i < count; i++) {
        struct task *t = mem_zero(sizeof *t);
        t->doc.tenant = tenant;
        t->record_len = (size_t)(tokens - FLOW_OUTPUT) * 4;
        tenants_enter(&p->tenants, t);
        flow_push(&p->ring, tenant_flow(t->tenant, LANE_LOW, 0), t, false);
    }
}

/* Takes tasks; how many of them were this tenant's? */
static int go(struct place *p, int count, const char *tenant)
{
    int of_it = 0;
    while (count-- > 0) {
        ck_assert_ptr_nonnull(p->ring);
        struct task *t = flow_pop(&p->ring);
        of_it += strcmp(t->tenant->name, tenant) == 0;
        tenants_leave(&p->tenants, t);
        free(t);
    }
    return of_it;
}

static void begin(struct place *p, struct config *c)
{
    *c = (struct config){.fairness.lookahead = 1000};
    *p = (struct place){0};
    tenants_init(&p->tenants, c);
}

START_TEST(a_small_tenant_goes_before_the_backlog_of_a_large_one)
{
    struct config c;
    struct place p;
    begin(&p, &c);
    arrive(&p, "large", 10000, 500);
    struct task t = {.tenant = tenants_find(&p.tenants, "large"), .tokens = 500};
    for (int i = 0; i < 1000; i++) { /* alone, it neither owes nor is owed anything for them */
        (void)go(&p, 1, "large");
        tenants_settle(&p.tenants, &t, &(struct usage){.input = 100, .output = i % 3}, true);
    }
    arrive(&p, "small", 100, 500);
    ck_assert_int_eq(go(&p, 210, "small"), 100);
    ck_assert_int_eq(go(&p, 8890, "large"), 8890);
    ck_assert_ptr_null(p.ring);
    ck_assert_ptr_null(p.tenants.by_name);
}
END_TEST

START_TEST(shares_are_tokens_by_weight_not_tasks)
{
    struct config c;
    struct place p;
    struct config_weight weights[] = {{.tenant = "gold*", .weight = 3}};
    begin(&p, &c);
    c.fairness.weights.items = weights;
    c.fairness.weights.count = 1;
    arrive(&p, "gold-1", 4000, 1000);
    arrive(&p, "long", 4000, 4000);
    arrive(&p, "short", 4000, 500);
    /* A round gives 3, 1 and 1 parts of tokens: 3 / 1000, 1 / 4000, 1 / 500 parts of the tasks. */
    int gold = go(&p, 3000, "gold-1");
    ck_assert_int_ge(gold, 3000 * 12 / 21 - 30);
    ck_assert_int_le(gold, 3000 * 12 / 21 + 30);
    (void)go(&p, 9000, "");
}
END_TEST

START_TEST(what_calls_took_beyond_the_estimate_is_paid_later)
{
    struct config c;
    struct place p;
    begin(&p, &c);
    arrive(&p, "tells little", 400, 500);
    arrive(&p, "is right", 400, 500);
    struct task t = {.tenant = tenants_find(&p.tenants, "tells little"), .tokens = 500};
    tenants_settle(&p.tenants, &t, &(struct usage){.input = 500, .output = 50000}, true);
    t.tenant->scale.factor = 1;
    ck_assert_int_ge(go(&p, 100, "is right"), 95);
    int rest = go(&p, 200, "is right");
    ck_assert_int_ge(rest, 90);
    ck_assert_int_le(rest, 115);
    (void)go(&p, 500, "");
}
END_TEST

START_TEST(without_fairness_it_is_first_come_first_served)
{
    struct config c = {0};
    struct tenants ts;
    struct tenant everyone;
    struct flow *ring = NULL;
    struct task t[3] = {{.doc.tenant = (char[]){"a"}}, {0}, {.doc.tenant = (char[]){"b"}}};
    tenants_init(&ts, &c);
    tenant_init(&everyone, (struct scale){0});
    for (int i = 0; i < 3; i++) {
        tenants_enter(&ts, &t[i]);
        ck_assert_ptr_null(t[i].tenant);
        flow_push(&ring, tenant_flow(&everyone, LANE_HIGH, 7), &t[i], false);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_eq(flow_pop(&ring), &t[i]);
    tenant_free(&everyone);
}
END_TEST

START_TEST(estimates_learn_from_what_calls_take)
{
    struct config c;
    struct place p;
    begin(&p, &c);
    arrive(&p, "a", 1, 500);
    arrive(&p, "b", 1, 500);
    struct task t = {.tenant = tenants_find(&p.tenants, "a"), .record_len = 4000};
    for (int i = 0; i < 200; i++)
        tenants_settle(&p.tenants, &t, &(struct usage){.input = 100, .output = 28},
                       true); /* of 1256 */
    p.ring->tenant->owed = 0;
    struct task *next = flow_pop(&p.ring);
    ck_assert_int_ge(next->tokens, 50);
    ck_assert_int_le(next->tokens, 52); /* of 500 */
    tenants_leave(&p.tenants, next);
    free(next);
    (void)go(&p, 1, "");
}
END_TEST

Suite *suite_flows(void)
{
    const TTest *const tests[] = {a_small_tenant_goes_before_the_backlog_of_a_large_one,
                                  shares_are_tokens_by_weight_not_tasks,
                                  what_calls_took_beyond_the_estimate_is_paid_later,
                                  estimates_learn_from_what_calls_take,
                                  without_fairness_it_is_first_come_first_served,
                                  NULL};
    return suite_of("flows", tests);
}
