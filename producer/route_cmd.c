/* `quern route`: where a task would go, and why. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/money.h"
#include "common/pg.h"
#include "common/prices.h"
#include "common/route.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_EXPLAIN, OPT_PRIORITY, TASK_MAX = 4 << 20 };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {'e', "explain", NULL, "every rule and candidate, and why it was passed over"},
    {'p', "priority", "LANE", "high, normal (default) or low"},
    {0}};

/* A task document, or a line of an OpenAI Batch file; only what rules look at is read. */
static quern_status read_task(struct json root, struct task_doc *d, struct error *err)
{
    struct json model, wishes[WISHES];
    d->body = json_get(root, "body");
    if (task_body_check(d->body, &model, err) != QUERN_OK)
        return QUERN_FAIL;
    json_get_all(root, wish_names, wishes, WISHES);
    d->model = json_string_dup(model);
    d->custom_id = json_string_dup(json_get(root, "custom_id"));
    d->tenant = json_string_dup(json_get(root, "tenant"));
    d->feature = json_string_dup(json_get(root, "feature"));
    char *job = json_string_dup(json_get(root, "job_id"));
    bool good = !job || uuid_parse(job, &d->job_id);
    free(job);
    if (!d->custom_id || !good)
        return error_set(err, ERROR_PERMANENT, "invalid_task",
                         good ? "custom_id is missing" : "job_id is no UUID");
    return wishes_read(wishes, &d->wishes, err);
}

static void print_candidates(const struct config *c, const struct config_model *m,
                             const struct task_doc *d, bool explain)
{
    const struct config_candidate *k = m->candidates.items;
    size_t next = route_candidate(c, m, 0, d->wishes.sensitive);
    for (size_t i = 0; i < m->candidates.count; i++) {
        const char *model = k[i].model ? k[i].model : d->model;
        if (i == next) {
            (void)printf("%s%s %s\n", explain ? "  candidate: " : "", k[i].backend, model);
            next = route_candidate(c, m, i + 1, d->wishes.sensitive);
        } else if (explain) {
            (void)printf("  passed over: %s %s (the task is sensitive, and the backend not "
                         "private)\n",
                         k[i].backend, model);
        }
    }
}

static void print_ask(const struct route_ask *a, const struct task_doc *d)
{
    char money[MONEY_TEXT_MAX];
    (void)printf("task: model %s, tenant %s, feature %s, lane %s, about %lld input tokens, %s%s, "
                 "draw %u.%02u of 100%s; today %lld requests, %lld tokens, %s USD\n",
                 a->model, a->tenant ? a->tenant : "-", a->feature ? a->feature : "-",
                 lane_names[a->lane], (long long)a->input_tokens,
                 complexity_names[route_complexity(a)], a->complexity ? "" : " (estimated)",
                 a->share / 100, a->share % 100, d->wishes.sensitive ? ", sensitive" : "",
                 (long long)a->today.requests, (long long)a->today.tokens,
                 money_format(a->today.cost, money));
}

/* Returns the exit code: 1 if there is no way for the task. */
static int print_route(const struct config *c, const struct task_doc *d, int lane, bool explain,
                       const struct volumes *today)
{
    const struct config_model *m = c->models.items;
    struct route_ask ask;
    route_ask(d, lane, today, &ask);
    const struct config_model *found = route_find(c, &ask);
    if (explain)
        print_ask(&ask, d);
    for (size_t i = 0; explain && i < c->models.count && &m[i] != found; i++)
        (void)printf("%s:%d: \"%s\" does not fit: %s\n", c->path, m[i].line, m[i].name,
                     route_mismatch(&m[i], &ask));
    if (found && explain)
        (void)printf("%s:%d: \"%s\" fits\n", c->path, found->line, found->name);
    if (found)
        print_candidates(c, found, d, explain);
    if (found && route_candidate(c, found, 0, d->wishes.sensitive) < found->candidates.count)
        return EXIT_DONE;
    (void)fprintf(stderr, "quern route: no rule of `models` and no candidate in it fits; the task "
                          "would fail\n");
    return EXIT_ERROR;
}

/* What workers know of the day; if the database does not answer, rules are taken as on a new day.
 */
static struct volumes *read_volumes(const struct config *c)
{
    struct error err;
    if (!volumes_wanted(c))
        return NULL;
    PGconn *db = pg_connect(c, "quern-route", &err);
    PGresult *r = db ? pg_query(db, volumes_query, 0, NULL, &err) : NULL;
    struct volumes *v = volumes_new();
    if (!r)
        (void)fprintf(stderr, "quern route: today's volume is not known, and taken as 0: %s\n",
                      err.message);
    for (int row = 0; r && row < PQntuples(r); row++)
        volumes_set(v, PQgetvalue(r, row, 0),
                    (struct volume){.requests = strtoll(PQgetvalue(r, row, 1), NULL, 10),
                                    .tokens = strtoll(PQgetvalue(r, row, 2), NULL, 10),
                                    .cost = strtoll(PQgetvalue(r, row, 3), NULL, 10)});
    PQclear(r);
    PQfinish(db);
    return v;
}

static int route_text(struct config *c, const char *text, size_t len, int lane, bool explain)
{
    struct error err;
    struct task_doc d = {0};
    int code = EXIT_USAGE;
    struct volumes *today = read_volumes(c);
    struct price_table *prices = prices_load(c, &err); /* puts the candidates in order */
    bool good = prices && json_check(text, len, &err) &&
                read_task(json_root(text, len), &d, &err) == QUERN_OK;
    if (good)
        code = print_route(c, &d, lane, explain, today);
    else
        (void)fprintf(stderr, "quern route: %s\n", err.message);
    price_table_free(prices);
    volumes_free(today);
    free(d.model);
    free(d.custom_id);
    free(d.tenant);
    free(d.feature);
    return code;
}

static int route(const char *config, const char *task, int lane, bool explain)
{
    struct error err;
    struct buf text;
    struct config *c = cli_config(config);
    int code = EXIT_USAGE;
    if (!c)
        return EXIT_USAGE;
    buf_init(&text, TASK_MAX);
    if (*task == '{')
        buf_str(&text, task);
    if (*task == '{' ||
        file_read(strcmp(task, "-") == 0 ? "/dev/stdin" : task, &text, &err) == QUERN_OK)
        code = route_text(c, text.data ? text.data : "", text.len, lane, explain);
    else
        (void)fprintf(stderr, "quern route: %s\n", err.message);
    buf_free(&text);
    config_free(c);
    return code;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &route_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL;
    int lane = LANE_NORMAL, i;
    bool explain = false;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_EXPLAIN)
            explain = true;
        else if (i == OPT_CONFIG)
            config = o.value;
        else if ((lane = lane_parse(o.value)) < 0)
            return options_usage_error(&o, "unknown priority \"%s\": high, normal or low", o.value);
    }
    if (argc - optind != 1)
        return options_usage_error(&o, "one task is needed: a file, - or the JSON itself");
    return route(config, argv[optind], lane, explain);
}

const struct verb route_verb = {
    "route",
    "Show where a task would go, and why",
    "[OPTION…] TASK",
    "TASK is a file that holds a task document or a line of an OpenAI Batch file, - for standard\n"
    "input, or the JSON itself. Prints the candidates in the order of their turns.",
    defs,
    "  quern route --explain "
    "'{\"custom_id\":\"a\",\"body\":{\"model\":\"gpt-4o\",\"messages\":[]}}'\n"
    "  head -1 batch.jsonl | quern route --explain -",
    run};
