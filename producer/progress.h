/* A progress bar on standard error, only where a person may be watching. */
#ifndef QUERN_PROGRESS_H
#define QUERN_PROGRESS_H
#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    bool on, color;
    int64_t started_us;
};

void progress_start(struct progress *p, const char *label);
/* Draws "label [#####.....] 123/456 27% 1,234/s note"; `total` below 1: unknown. */
void progress_show(struct progress *p, int64_t done, int64_t total, const char *note);
void progress_end(struct progress *p); /* goes to a new line */
#endif
