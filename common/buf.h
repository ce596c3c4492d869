/* A byte buffer that grows up to a maximum, named where the buffer is made. Appending past it
 * sets `overflow` and changes nothing: a writer appends freely and checks once at the end. */
#ifndef QUERN_BUF_H
#define QUERN_BUF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* always NUL-terminated once something was appended; NULL before */
    size_t len, cap, max;
    bool overflow;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_clear(struct buf *b); /* empties, keeps the memory */

/* Makes room for `n` more bytes; false (and overflow) if that would pass the maximum. */
bool buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends `s` as a JSON string with its quotes. `s` must be valid UTF-8. */
void buf_json(struct buf *b, const char *s, size_t len);
/* Appends `"key":` and the string `s`, or null if `s` is NULL. */
void buf_json_member(struct buf *b, const char *key, const char *s);

/* Appends `s` as one segment of a URL's path (RFC 3986): a text from outside cannot leave its place
 * in it. */
void buf_url_segment(struct buf *b, const char *s);

/* Big-endian integers, for PostgreSQL's binary formats. */
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
#endif
