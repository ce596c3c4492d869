/* What one key alone cannot tell: names that must be known, values that must fit together. */
#ifndef QUERN_CONFIG_CHECK_H
#define QUERN_CONFIG_CHECK_H
#include "common/config.h"

void config_check(const struct config *c, struct config_report *report);

/* Adds an error at a place of the file (line 0: of the whole file). */
void config_complain(struct config_report *r, const char *path, int line, int column,
                     const char *fmt, ...) PRINTF_LIKE(5, 6);
#endif
