/* Allocation that cannot fail: memory is bounded by configuration, so running out means that the
 * machine is out of it; the program says so and stops, and whoever owned its tasks redoes them. */
#ifndef QUERN_MEM_H
#define QUERN_MEM_H
#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zero(size_t size) __attribute__((malloc, returns_nonnull)); /* filled with zeros */
void *mem_resize(void *p, size_t size) __attribute__((returns_nonnull));
/* count * size bytes, refusing an overflow; keeps the content of `p`. */
void *mem_array(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_copy(const char *s, size_t len) __attribute__((returns_nonnull)); /* adds a NUL */
char *mem_string(const char *s);                                            /* NULL stays NULL */
char *mem_format(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
#endif
