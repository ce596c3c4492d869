#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "common/units.h"

enum { BAR = 30 };

void progress_start(struct progress *p, const char *label)
{
    const char *no_color = getenv("NO_COLOR");
    *p = (struct progress){.label = label,
                           .on = cli_is_terminal(STDERR_FILENO),
                           .color = !(no_color && *no_color),
                           .started_us = units_now_us()};
}

void progress_show(struct progress *p, int64_t done, int64_t total, const char *note)
{
    char bar[BAR + 1];
    if (!p->on)
        return;
    int full = total > 0 ? (int)(done * BAR / total) : 0;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR] = '\0';
    double seconds = (double)(units_now_us() - p->started_us) / 1e6;
    (void)fprintf(stderr, "\r\033[K%s %s[%s]%s %lld/%lld %3d%%  %.0f/s  %s", p->label,
                  p->color ? "\033[32m" : "", bar, p->color ? "\033[0m" : "", (long long)done,
                  (long long)total, total > 0 ? (int)(done * 100 / total) : 0,
                  seconds > 0.2 ? (double)done / seconds : 0.0, note);
}

void progress_end(struct progress *p)
{
    if (p->on)
        (void)fputc('\n', stderr);
    p->on = false;
}
