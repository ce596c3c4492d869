/* Lines of a file, one at a time, each at most `max` bytes long. */
#ifndef QUERN_LINES_H
#define QUERN_LINES_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"

struct lines {
    FILE *file; /* borrowed */
    size_t max;
    struct buf line;
    int64_t number; /* of the line just read, from 1 */
    char *chunk;    /* what was read of the file last, up to `have`; looked at up to `pos` */
    size_t pos, have;
};

enum lines_result { LINES_LINE, LINES_TOO_LONG, LINES_END, LINES_ERROR };

void lines_init(struct lines *l, FILE *file, size_t max);
void lines_free(struct lines *l);

/* The next line, without its line break (\n or \r\n), in l->line, and without a byte order
 * mark before the first. A line over the maximum is
 * skipped to its end. LINES_ERROR: errno tells. */
enum lines_result lines_next(struct lines *l);

/* Begins again with the first line. False: errno tells. */
bool lines_rewind(struct lines *l);
#endif
