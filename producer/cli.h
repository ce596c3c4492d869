/* What every verb needs: the configuration, failing well, and being interrupted. */
#ifndef QUERN_CLI_H
#define QUERN_CLI_H
#include <signal.h>
#include <stdbool.h>

#include "common/units.h"
#include "common/config.h"
#include "common/error.h"
#include "common/options.h"
#include "common/pg.h"

#define CLI_CONFIG_OPTION                                                                          \
    {                                                                                              \
        'c', "config", "FILE",                                                                     \
            "configuration (default: $QUERN_CONFIG, ./quern.yaml, "                                \
            "/etc/quern/quern.yaml)"                                                               \
    }

/* Loads the configuration; NULL after saying on stderr why (exit EXIT_USAGE). */
struct config *cli_config(const char *given);

/* "quern: MESSAGE" on stderr. Returns the exit code that belongs to the error. */
int cli_fail(const struct error *err);

/* From here on SIGINT and SIGTERM only set cli_interrupted; a second one ends the program. */
void cli_catch_interrupts(void);
extern volatile sig_atomic_t cli_interrupted;

/* Connects and checks that the schema is there. NULL: see `err`. */
PGconn *cli_database(const struct config *c, struct error *err);

/* True if a person may be watching this descriptor. */
bool cli_is_terminal(int fd);

/* Asks "QUESTION [y/N]" on a terminal. True if the answer is yes, or `yes` is set. Without a
 * terminal (code "usage": add --yes) or on another answer (code "interrupted"), `err` says so. */
bool cli_confirm(bool yes, struct error *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

enum cli_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV, FORMAT_BAD };
enum cli_format cli_format(const char *name);
#define CLI_OUTPUT_OPTION                                                                          \
    {                                                                                              \
        'o', "output", "FORMAT", "table (default), json, jsonl or csv"                             \
    }
/* A time, or a duration ago, as a timestamp for PostgreSQL; false: neither. */
bool cli_since(const char *s, char out[UNITS_TEXT_MAX]);
#endif
