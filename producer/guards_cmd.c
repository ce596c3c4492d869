/* `quern guards`: tries a text against the guards and explains, and counts what they found. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/units.h"
#include "guards/guard.h"
#include "verbs.h"

enum { TEXT_MAX = 16 << 20 };

enum { OPT_CONFIG, OPT_OUTPUT, OPT_FEATURE, OPT_TENANT, OPT_MODEL, OPT_SINCE, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    CLI_OUTPUT_OPTION,
    {0, "feature", "F", "test: as a task of this feature; stats: of this feature only"},
    {0, "tenant", "T", "likewise, of this tenant"},
    {0, "model", "M", "test: as a task for this model"},
    {0, "since", "TIME", "stats: only from then on: a time, or a duration ago (e.g. 7d)"},
    {0}};

/* ---- stats ------------------------------------------------------------------------------------
 */

static int stats(const struct config *c, const char *const given[OPT_COUNT])
{
    static const char sql[] =
        "SELECT e.guard, e.direction, e.action, count(*) AS verdicts, "
        " count(DISTINCT (e.job_id, e.custom_id)) AS tasks, round(avg(e.score), 3) AS score, "
        " mode() WITHIN GROUP (ORDER BY e.reasons) AS most_often, max(e.at) AS latest "
        "FROM guard_events e LEFT JOIN results r USING (job_id, custom_id) "
        "WHERE ($1::text IS NULL OR r.feature = $1) AND ($2::text IS NULL OR r.tenant = $2) "
        " AND ($3::timestamptz IS NULL OR e.at >= $3) GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3";
    struct error err;
    const char *const values[] = {given[OPT_FEATURE], given[OPT_TENANT], given[OPT_SINCE]};
    PGconn *db = cli_database(c, &err);
    PGresult *r = db ? pg_query(db, sql, 3, values, &err) : NULL;
    if (r)
        table_print(r, cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table"));
    PQclear(r);
    PQfinish(db);
    return r ? EXIT_DONE : cli_fail(&err);
}

/* ---- test -------------------------------------------------------------------------------------
 */

static void show_span(const char *what, const char *text, uint32_t from, uint32_t to)
{
    enum { SHOWN = 60 };
    const int len = to - from > SHOWN ? SHOWN : (int)(to - from);
    (void)printf("  %-14s bytes %u to %u: %.*s%s\n", what, from, to, len, text + from,
                 to - from > SHOWN ? "…" : "");
}

/* What would be found, whatever the rules say. */
static void explain(const char *text, size_t len)
{
    struct injection *in = injection_new();
    struct injection_verdict v;
    struct spans spans;
    injection_read(in, text, len, &v);
    (void)printf("injection      score %.2f\n", v.score);
    for (size_t i = 0; i < v.count; i++)
        show_span(v.findings[i].family, text, v.findings[i].from, v.findings[i].to);
    injection_free(in);
    spans_init(&spans);
    sensitive_read(UINT32_MAX, text, len, &spans);
    (void)printf("sensitive      %zu found\n", spans.count);
    for (size_t i = 0; i < spans.count; i++)
        show_span(sensitive_names[spans.items[i].kind], text, spans.items[i].from,
                  spans.items[i].to);
    spans_free(&spans);
}

/* The text as the message of a user. */
static void write_body(const struct buf *text, struct buf *out)
{
    buf_str(out, "{\"messages\":[{\"role\":\"user\",\"content\":");
    buf_json(out, text->data, text->len);
    buf_str(out, "}]}");
}

static void show_verdicts(struct guards *g, const struct task_doc *d)
{
    struct guarded *s = mem_zero(sizeof *s);
    guards_ask(g, d, LANE_NORMAL, s);
    for (size_t i = 0; i < s->event_count; i++)
        (void)printf("verdict        %s: %s, score %.2f (%s)\n", s->events[i].guard,
                     s->events[i].action, s->events[i].score, s->events[i].reasons);
    (void)printf("so the task    %s%s\n",
                 s->blocked   ? "is blocked"
                 : s->changed ? "is called, with another text:"
                 : s->private ? "is called by private backends only"
                              : "is called as it is",
                 s->changed && s->private ? " (by private backends only)" : "");
    if (s->changed && !s->blocked) {
        struct buf out;
        buf_init(&out, TEXT_MAX);
        guards_rewrite(g, d, LANE_NORMAL, s, false, &out);
        (void)printf("%s\n", out.data ? out.data : "");
        buf_free(&out);
    }
    guarded_free(s);
}

static int test(const struct config *c, const char *const given[OPT_COUNT], const char *path)
{
    struct error err;
    struct buf text, body;
    buf_init(&text, TEXT_MAX);
    buf_init(&body, TEXT_MAX);
    struct guards *g = guards_new(c, &err);
    if ((!g && err.code[0]) || file_read(path, &text, &err) != QUERN_OK) {
        guards_free(g);
        buf_free(&text);
        return cli_fail(&err);
    }
    buf_str(&text, "");
    explain(text.data, text.len);
    write_body(&text, &body);
    struct task_doc d = {.model = mem_string(given[OPT_MODEL] ? given[OPT_MODEL] : ""),
                         .feature = mem_string(given[OPT_FEATURE]),
                         .tenant = mem_string(given[OPT_TENANT]),
                         .body = json_root(body.data, body.len)};
    if (g)
        show_verdicts(g, &d);
    else
        (void)printf("no guard is configured: the task is called as it is\n");
    free(d.model);
    free(d.feature);
    free(d.tenant);
    buf_free(&text);
    buf_free(&body);
    guards_free(g);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &guards_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value;
    }
    char since[UNITS_TEXT_MAX];
    if (given[OPT_SINCE] && !cli_since(given[OPT_SINCE], since))
        return options_usage_error(&o, "--since \"%s\" is neither a time nor a duration",
                                   given[OPT_SINCE]);
    given[OPT_SINCE] = given[OPT_SINCE] ? since : NULL;
    const char *word = optind < argc ? argv[optind] : "";
    const bool tests = strcmp(word, "test") == 0 && argc - optind == 2;
    if (!tests && !(strcmp(word, "stats") == 0 && argc - optind == 1))
        return options_usage_error(&o, "stats, or test FILE, is needed");
    if (cli_format(given[OPT_OUTPUT] ? given[OPT_OUTPUT] : "table") == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[OPT_OUTPUT]);
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    int code = tests ? test(c, given, argv[optind + 1]) : stats(c, given);
    config_free(c);
    return code;
}

const struct verb guards_verb = {
    "guards",
    "Try a text against the guards, and count what they found",
    "stats | test FILE [OPTION…]",
    "test says what is found in a text , how sure that is, and what the\n"
    "configuration's rules would do with a task of it. stats counts verdicts.",
    defs,
    "  quern guards test suspicious.txt --feature summarize\n"
    "  quern guards stats --since 7d",
    run};
