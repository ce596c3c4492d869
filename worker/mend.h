/* An answer that was paid for is kept, even where it holds what no text column can. Pure. */
#ifndef QUERN_MEND_H
#define QUERN_MEND_H
#include <stddef.h>

/* In place: JSON's escapes of NUL and of lone halves of surrogate pairs become the escape of
 * U+FFFD, the replacement character. Every other fault is left to json_check(). */
void mend_escapes(char *text, size_t len);
#endif
