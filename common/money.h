/* Money, exactly: amounts are pico-dollars (1e-12 USD) in int64_t, up to about 9.2 million dollars;
 * rates are atto-dollars (1e-18 USD) per token, so that every published price is a whole number. */
#ifndef QUERN_MONEY_H
#define QUERN_MONEY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MONEY_TEXT_MAX = 32 };

/* A decimal like "7.5e-08" or "0.15", times 10^scale, as an integer: scale 18 reads USD as
 * atto-dollars. False if it is negative, malformed, too large, or not whole at that scale. */
bool money_parse(const char *s, size_t len, int scale, int64_t *out);

/* The same, but what is finer than the scale is rounded, half away from zero. */
bool money_parse_rounded(const char *s, size_t len, int scale, int64_t *out);

/* Pico-dollars as decimal USD: at least 6 places, more only where they are not zero
 * (1234000000 -> "0.001234"). `out` has MONEY_TEXT_MAX bytes. Returns out. */
char *money_format(int64_t pico, char *out);

/* Halves of an atto-dollar (a 128-bit sum) to pico-dollars, half to even; saturates at INT64_MAX.
 */
int64_t money_from_half_atto(__int128 n);
#endif
