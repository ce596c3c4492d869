#include "view.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"

enum { SQL_MAX = 16384, NAMES_MAX = 256 };

static const struct view_axis *find_axis(const struct view *v, const char *name)
{
    const struct view_axis *a = v->axes;
    while (name && a->name && strcmp(a->name, name) != 0)
        a++;
    return a->name ? a : NULL;
}

static int refuse_axis(const struct options *o, const struct view *v, const char *name)
{
    char names[NAMES_MAX] = "";
    size_t len = 0;
    for (const struct view_axis *a = v->axes; a->name && len < sizeof names; a++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", a->name);
    return options_usage_error(o, "--by \"%s\" is none of %s", name, names);
}

static int show(const struct view *v, const char *config, const char *job, struct view_ask *ask)
{
    struct error err;
    struct job found;
    int code = EXIT_ERROR;
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    ask->db = cli_database(c, &err);
    if (ask->db && (!job || job_find(ask->db, job, &found, &err) == QUERN_OK)) {
        ask->job = job ? found.id_text : NULL;
        code = v->show(ask);
    } else {
        code = cli_fail(&err);
    }
    PQfinish(ask->db);
    config_free(c);
    return code;
}

int view_run(const struct view *v, int argc, char **argv)
{
    struct options o = {.verb = v->verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[VIEW_OPTIONS] = {NULL};
    struct view_ask ask = {.since = v->since};
    char since[UNITS_TEXT_MAX];
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value ? o.value : "";
    }
    if (argc != optind)
        return options_usage_error(&o, "no operand is expected");
    ask.format = cli_format(given[VIEW_OUTPUT] ? given[VIEW_OUTPUT] : "table");
    if (ask.format == FORMAT_BAD)
        return options_usage_error(&o, "unknown output format \"%s\"", given[VIEW_OUTPUT]);
    if (!(ask.axis = find_axis(v, given[VIEW_BY])))
        return refuse_axis(&o, v, given[VIEW_BY]);
    const char *from = given[VIEW_SINCE] ? given[VIEW_SINCE] : v->since;
    if (from && !cli_since(from, since))
        return options_usage_error(&o, "--since \"%s\" is neither a time nor a duration", from);
    ask.since = from ? since : NULL;
    ask.flag = given[VIEW_FLAG] != NULL;
    return show(v, given[VIEW_CONFIG], given[VIEW_JOB], &ask);
}

PGresult *view_query(const struct view_ask *ask, const char *sql, int *code)
{
    struct error err;
    struct buf text;
    const char *const values[] = {ask->job, ask->since};
    buf_init(&text, SQL_MAX);
    for (const char *mark; (mark = strchr(sql, '@')) != NULL; sql = mark + 2) {
        buf_add(&text, sql, (size_t)(mark - sql));
        buf_str(&text, mark[1] == 'c' ? ask->axis->column : ask->axis->name);
    }
    buf_str(&text, sql);
    PGresult *r = pg_query(ask->db, text.data, 2, values, &err);
    *code = r ? EXIT_DONE : cli_fail(&err);
    buf_free(&text);
    return r;
}

int view_print(const struct view_ask *ask, const char *sql)
{
    int code;
    PGresult *r = view_query(ask, sql, &code);
    if (r)
        table_print(r, ask->format);
    PQclear(r);
    return code;
}
