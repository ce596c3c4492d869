/* UUIDs (RFC 9562). Jobs have version 7: ordered by the time of their making. */
#ifndef QUERN_UUID_H
#define QUERN_UUID_H
#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_LEN = 36 };

struct uuid {
    uint8_t bytes[16];
};

struct uuid uuid_v7(int64_t now_ms); /* 74 random bits from the kernel */
bool uuid_parse(const char *s, struct uuid *out);
/* Writes 36 characters and a NUL. Returns out. */
char *uuid_format(const struct uuid *u, char out[UUID_TEXT_LEN + 1]);
bool uuid_equal(const struct uuid *a, const struct uuid *b);

uint64_t random_u64(void); /* from the kernel */
#endif
