#include "common/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

quern_status file_read(const char *path, struct buf *out, struct error *err)
{
    char chunk[16384];
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        return error_set(err, ERROR_PERMANENT, "io", "cannot open %s: %s", path, strerror(errno));
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && !out->overflow)
        buf_add(out, chunk, n);
    int failed = ferror(f) ? errno : 0;
    (void)fclose(f);
    if (failed)
        return error_set(err, ERROR_PERMANENT, "io", "cannot read %s: %s", path, strerror(failed));
    if (out->overflow)
        return error_set(err, ERROR_PERMANENT, "io", "%s is longer than %zu bytes", path, out->max);
    return QUERN_OK;
}
