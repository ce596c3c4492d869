#include "common/units.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: formatting takes the first that divides. */
static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                        {"s", 1000},     {"ms", 1},      {NULL, 0}};
static const struct unit sizes[] = {{"GiB", 1LL << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
                                    {"GB", 1000000000}, {"MB", 1000000},  {"kB", 1000},
                                    {"B", 1},           {NULL, 0}};

static bool parse(const char *s, const struct unit *units, int64_t *out)
{
    int64_t n = 0;
    if (!isdigit((unsigned char)*s))
        return false;
    for (; isdigit((unsigned char)*s); s++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n))
            return false;
    if (*s == '\0' && n == 0) {
        *out = 0;
        return true;
    }
    for (; units->name; units++)
        if (strcmp(s, units->name) == 0)
            return !__builtin_mul_overflow(n, units->factor, out);
    return false;
}

static char *format(int64_t v, const struct unit *units, char *out)
{
    while (units[1].name && (v == 0 || v % units->factor != 0))
        units++;
    (void)snprintf(out, UNITS_TEXT_MAX, "%lld%s", (long long)(v / units->factor), units->name);
    return out;
}

bool units_parse_duration(const char *s, int64_t *ms)
{
    return parse(s, durations, ms);
}

bool units_parse_size(const char *s, int64_t *bytes)
{
    return parse(s, sizes, bytes);
}

char *units_format_duration(int64_t ms, char *out)
{
    return format(ms, durations, out);
}

char *units_format_size(int64_t bytes, char *out)
{
    return format(bytes, sizes, out);
}

/* Does `s` begin with digits where `shape` has d, anything where it has ?, else the same? */
static bool has_shape(const char *s, const char *shape)
{
    for (; *shape; s++, shape++)
        if (!*s || (*shape == 'd' ? !isdigit((unsigned char)*s) : *shape != '?' && *s != *shape))
            return false;
    return true;
}

/* "Z" or "+hh:mm" -> seconds east of UTC. */
static bool parse_offset(const char *s, int *seconds)
{
    int h, m, used = 0;
    if ((*s == 'Z' || *s == 'z') && s[1] == '\0') {
        *seconds = 0;
        return true;
    }
    if ((*s != '+' && *s != '-') || !has_shape(s + 1, "dd:dd") ||
        sscanf(s + 1, "%2d:%2d%n", &h, &m, &used) != 2 || used != 5 || s[6] != '\0' || h < 0 ||
        h > 23 || m < 0 || m > 59)
        return false;
    *seconds = (h * 3600 + m * 60) * (*s == '-' ? -1 : 1);
    return true;
}

/* ".25" -> 250000 us; steps over it. A point without a digit is left where it is. */
static int64_t parse_fraction(const char **s)
{
    int64_t us = 0, unit = 100000;
    if (**s != '.' || !isdigit((unsigned char)(*s)[1]))
        return 0;
    for (++*s; isdigit((unsigned char)**s); ++*s, unit /= 10)
        us += (**s - '0') * unit;
    return us;
}

bool units_parse_time(const char *s, int64_t *us)
{
    struct tm t = {0};
    int used = 0, offset;
    char sep;
    if (strlen(s) > 35 || !has_shape(s, "dddd-dd-dd?dd:dd:dd") ||
        sscanf(s, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &sep, &t.tm_hour,
               &t.tm_min, &t.tm_sec, &used) != 7 ||
        used != 19 || !strchr("Tt ", sep))
        return false;
    const char *rest = s + used;
    int64_t fraction = parse_fraction(&rest);
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    struct tm wanted = t;
    time_t seconds = timegm(&t);
    if (!parse_offset(rest, &offset) || seconds < offset || t.tm_mday != wanted.tm_mday ||
        t.tm_mon != wanted.tm_mon || t.tm_hour != wanted.tm_hour || t.tm_min != wanted.tm_min ||
        wanted.tm_sec > 59)
        return false;
    *us = ((int64_t)seconds - offset) * 1000000 + fraction;
    return true;
}

char *units_format_time(int64_t us, char *out)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm t;
    size_t n = gmtime_r(&seconds, &t) ? strftime(out, UNITS_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &t) : 0;
    (void)snprintf(out + n, UNITS_TEXT_MAX - n, ".%03dZ", (int)(us / 1000 % 1000));
    return out;
}

int64_t units_now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
