/* Whole small files. */
#ifndef QUERN_FILE_H
#define QUERN_FILE_H
#include "common/buf.h"
#include "common/error.h"

/* Appends the file to `out`; fails (class PERMANENT) if it cannot be read or passes out->max. */
MUST_CHECK quern_status file_read(const char *path, struct buf *out, struct error *err);
#endif
