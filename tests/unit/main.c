#include <stdlib.h>

#include "suites.h"

Suite *suite_of(const char *name, const TTest *const tests[])
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create(name);
    tcase_set_timeout(c, 60);
    for (; *tests; tests++)
        tcase_add_test(c, *tests);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    Suite *(*const suites[])(void) = {
        suite_money,          suite_price,       suite_window,      suite_units,
        suite_task_doc,       suite_config,      suite_text,        suite_scheduling,
        suite_dialect_openai, suite_input,       suite_pgarray,     suite_pipeline,
        suite_utf8,           suite_buf,         suite_options,     suite_lines,
        suite_times,          suite_json_random, suite_price_exact, suite_lanes,
        suite_settle_batch,   suite_submission,  suite_faults,      suite_window_all,
        suite_sharing,        suite_compress,    suite_guards,      suite_quality,
        suite_metrics,        suite_dialects,    suite_service,     suite_translation,
        suite_flows,          suite_meters,      suite_grounding};
    SRunner *r = srunner_create(suite_json());
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        srunner_add_suite(r, suites[i]());
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
