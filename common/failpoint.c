#include "common/failpoint.h"

#ifdef QUERN_FAILPOINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTS_MAX = 16, NAME_MAX_BYTES = 40 };

static struct point {
    char name[NAME_MAX_BYTES];
    enum { ON, KILL, DELAY } action;
    long number, passed; /* the passage to die at, or milliseconds */
} points[POINTS_MAX];
static int count = -1; /* not read yet */

static void parse(char *spec)
{
    char *rest = NULL;
    for (char *s = strtok_r(spec, ",", &rest); s && count < POINTS_MAX;
         s = strtok_r(NULL, ",", &rest)) {
        struct point *p = &points[count];
        size_t n = strcspn(s, "=");
        if (!s[n] || n >= NAME_MAX_BYTES)
            continue;
        memcpy(p->name, s, n);
        const char *at = strchr(s, '@');
        p->number = at ? strtol(at + 1, NULL, 10) : 1;
        p->action = strncmp(s + n + 1, "kill", 4) == 0    ? KILL
                    : strncmp(s + n + 1, "delay", 5) == 0 ? DELAY
                                                          : ON;
        count++;
    }
}

static void read_points(void)
{
    const char *spec = getenv("QUERN_FAILPOINTS");
    count = 0;
    if (!spec)
        return;
    char *copy = strdup(spec);
    if (copy)
        parse(copy);
    free(copy);
}

bool failpoint(const char *name)
{
    if (count < 0)
        read_points();
    for (int i = 0; i < count; i++) {
        struct point *p = &points[i];
        if (strcmp(p->name, name) != 0)
            continue;
        if (p->action == KILL && ++p->passed == p->number)
            (void)raise(SIGKILL);
        if (p->action == DELAY)
            (void)usleep((useconds_t)p->number * 1000);
        return p->action == ON;
    }
    return false;
}
#else
typedef int failpoint_none; /* ISO C wants something in a file */
#endif
