/* Durations and sizes with units, and times as RFC 3339 text. */
#ifndef QUERN_UNITS_H
#define QUERN_UNITS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNITS_TEXT_MAX = 40 };

/* "30s", "1m", "250ms", "2h", "7d" -> milliseconds; "0" needs no unit. False if malformed, without
 * a unit, or out of range. */
bool units_parse_duration(const char *s, int64_t *ms);
/* "512KiB", "4MiB", "1GiB", "100B", "1kB" (1,000) -> bytes. */
bool units_parse_size(const char *s, int64_t *bytes);

/* The shortest exact form, e.g. 90000 -> "90s"; `out` has UNITS_TEXT_MAX bytes. Returns out. */
char *units_format_duration(int64_t ms, char *out);
char *units_format_size(int64_t bytes, char *out);

/* RFC 3339 ("2026-01-31T10:00:00Z", fractions and offsets allowed) -> microseconds since 1970 UTC.
 * False if it is not such a time, no such day exists, or it
 * is before 1970. */
bool units_parse_time(const char *s, int64_t *us);
/* Microseconds since 1970 -> "2026-01-31T10:00:00.123Z". Returns out (UNITS_TEXT_MAX bytes). */
char *units_format_time(int64_t us, char *out);

int64_t units_now_us(void); /* the wall clock, microseconds since 1970 */
#endif
