/* Sets of bytes, as tables that a designated initializer fills: one load tells whether a byte is in
 * one. */
#ifndef QUERN_BYTES_H
#define QUERN_BYTES_H
#include <stdbool.h>

typedef bool byte_set[256];

#define BYTES_2(c) [c] = true, [(c) + 1] = true
#define BYTES_4(c) BYTES_2(c), BYTES_2((c) + 2)
#define BYTES_8(c) BYTES_4(c), BYTES_4((c) + 4)
#define BYTES_16(c) BYTES_8(c), BYTES_8((c) + 8)
#define BYTES_26(c) BYTES_16(c), BYTES_8((c) + 16), BYTES_2((c) + 24)

#define BYTES_DIGITS BYTES_8('0'), BYTES_2('8')
#define BYTES_CAPITALS BYTES_26('A')
#define BYTES_LETTERS BYTES_CAPITALS, BYTES_26('a')
#define BYTES_HEX BYTES_DIGITS, BYTES_4('A'), BYTES_2('E'), BYTES_4('a'), BYTES_2('e')
/* UTF-8: what follows the first byte of a character. */
#define BYTES_CONTINUED BYTES_16(0x80), BYTES_16(0x90), BYTES_16(0xA0), BYTES_16(0xB0)

static inline bool bytes_has(const byte_set set, char c)
{
    return set[(unsigned char)c];
}
#endif
