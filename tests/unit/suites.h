/* The suites of the unit tests, one a module. */
#ifndef QUERN_SUITES_H
#define QUERN_SUITES_H
#include <check.h>

Suite *suite_json(void);
Suite *suite_money(void);
Suite *suite_price(void);
Suite *suite_window(void);
Suite *suite_units(void);
Suite *suite_task_doc(void);
Suite *suite_config(void);
Suite *suite_scheduling(void);
Suite *suite_dialect_openai(void);
Suite *suite_dialects(void);
Suite *suite_input(void);
Suite *suite_text(void);
Suite *suite_pgarray(void);
Suite *suite_pipeline(void);
Suite *suite_utf8(void);
Suite *suite_buf(void);
Suite *suite_options(void);
Suite *suite_lines(void);
Suite *suite_times(void);
Suite *suite_json_random(void);
Suite *suite_price_exact(void);
Suite *suite_service(void);
Suite *suite_translation(void);
Suite *suite_flows(void);
Suite *suite_lanes(void);
Suite *suite_settle_batch(void);
Suite *suite_submission(void);
Suite *suite_faults(void);
Suite *suite_window_all(void);
Suite *suite_sharing(void);
Suite *suite_compress(void);
Suite *suite_guards(void);
Suite *suite_quality(void);
Suite *suite_grounding(void);
Suite *suite_metrics(void);
Suite *suite_meters(void);

/* One test case of the suite's name from a list of tests ending with NULL. */
Suite *suite_of(const char *name, const TTest *const tests[]);
#endif
