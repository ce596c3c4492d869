#include "common/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void fill_random(void *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len) { /* up to 256 bytes it cannot be short */
        perror("quern: getrandom");
        abort();
    }
}

uint64_t random_u64(void)
{
    static _Thread_local struct {
        uint64_t words[32]; /* 256 bytes: what getrandom() gives whole */
        size_t left;
    } pool;
    if (pool.left == 0) {
        fill_random(pool.words, sizeof pool.words);
        pool.left = sizeof pool.words / sizeof *pool.words;
    }
    return pool.words[--pool.left];
}

struct uuid uuid_v7(int64_t now_ms)
{
    struct uuid u;
    fill_random(u.bytes, sizeof u.bytes);
    for (int i = 0; i < 6; i++)
        u.bytes[i] = (uint8_t)((uint64_t)now_ms >> (40 - 8 * i));
    u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0F) | 0x70);
    u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3F) | 0x80);
    return u;
}

bool uuid_parse(const char *s, struct uuid *out)
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    unsigned n = 0;
    if (strlen(s) != UUID_TEXT_LEN)
        return false;
    for (int i = 0; i < UUID_TEXT_LEN; i++) {
        if (pattern[i] == '-') {
            if (s[i] != '-')
                return false;
            continue;
        }
        if (!isxdigit((unsigned char)s[i]))
            return false;
        unsigned d = isdigit((unsigned char)s[i]) ? (unsigned)(s[i] - '0')
                                                  : (unsigned)(tolower(s[i]) - 'a') + 10;
        out->bytes[n / 2] = (uint8_t)(n % 2 ? out->bytes[n / 2] | d : d << 4);
        n++;
    }
    return true;
}

char *uuid_format(const struct uuid *u, char out[UUID_TEXT_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[u->bytes[i] >> 4];
        *p++ = hex[u->bytes[i] & 15];
    }
    *p = '\0';
    return out;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
