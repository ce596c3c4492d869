#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

volatile sig_atomic_t cli_interrupted;

struct config *cli_config(const char *given)
{
    char *path = config_find(given);
    if (!path) {
        (void)fprintf(stderr, "quern: no configuration: give --config FILE, set QUERN_CONFIG, or "
                              "make ./quern.yaml or /etc/quern/quern.yaml\n");
        return NULL;
    }
    struct config_report report;
    struct config *c = config_load(path, &report);
    if (!c)
        (void)fputs(report.text.data, stderr);
    config_report_free(&report);
    free(path);
    return c;
}

int cli_fail(const struct error *err)
{
    static const struct {
        const char *code;
        int exit;
    } codes[] = {{"unreachable", EXIT_UNREACHABLE},
                 {"usage", EXIT_USAGE},
                 {"invalid_input", EXIT_USAGE},
                 {"limit_reached", EXIT_LIMITED},
                 {"interrupted", EXIT_INTERRUPTED}};
    (void)fprintf(stderr, "quern: %s\n", err->message);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, err->code) == 0)
            return codes[i].exit;
    return EXIT_ERROR;
}

static void on_signal(int number)
{
    if (cli_interrupted)
        _exit(128 + number);
    cli_interrupted = 1;
}

void cli_catch_interrupts(void)
{
    struct sigaction a = {.sa_handler = on_signal}; /* no SA_RESTART: waits end */
    (void)sigaction(SIGINT, &a, NULL);
    (void)sigaction(SIGTERM, &a, NULL);
}

PGconn *cli_database(const struct config *c, struct error *err)
{
    PGconn *conn = pg_connect(c, "quern", err);
    if (conn && pg_schema_check(conn, err) != QUERN_OK) {
        PQfinish(conn);
        return NULL;
    }
    return conn;
}

bool cli_is_terminal(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && (!term || strcmp(term, "dumb") != 0);
}

enum cli_format cli_format(const char *name)
{
    static const char *const names[] = {"table", "json", "jsonl", "csv"};
    for (int i = 0; i < FORMAT_BAD; i++)
        if (strcmp(names[i], name) == 0)
            return (enum cli_format)i;
    return FORMAT_BAD;
}

bool cli_confirm(bool yes, struct error *err, const char *fmt, ...)
{
    char answer[16] = "";
    va_list args;
    if (yes)
        return true;
    if (!cli_is_terminal(STDIN_FILENO)) {
        (void)error_set(err, ERROR_PERMANENT, "usage",
                        "there is no terminal to ask on: add --yes, or look with --dry-run");
        return false;
    }
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputs(" [y/N] ", stderr);
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    (void)error_set(err, ERROR_PERMANENT, "interrupted", "nothing was done");
    return false;
}

bool cli_since(const char *s, char out[UNITS_TEXT_MAX])
{
    int64_t ms, us;
    if (units_parse_duration(s, &ms) && ms > 0)
        us = units_now_us() - ms * 1000;
    else if (!units_parse_time(s, &us))
        return false;
    (void)units_format_time(us, out);
    return true;
}
