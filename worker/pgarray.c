#include "pgarray.h"

#include <endian.h>
#include <string.h>

enum { HEADER = 20, EPOCH_SECONDS = 946684800 }; /* 2000-01-01, PostgreSQL's zero */

void pgarray_init(struct pgarray *a, enum pg_type type)
{
    static const char zeros[HEADER];
    *a = (struct pgarray){.type = type};
    buf_init(&a->bytes, PGARRAY_MAX);
    buf_add(&a->bytes, zeros, HEADER);
}

void pgarray_free(struct pgarray *a)
{
    buf_free(&a->bytes);
}

void pgarray_null(struct pgarray *a)
{
    buf_be32(&a->bytes, UINT32_MAX);
    a->count++;
}

void pgarray_bytes(struct pgarray *a, const void *p, size_t len)
{
    buf_be32(&a->bytes, (uint32_t)len);
    buf_add(&a->bytes, p, len);
    a->count++;
}

void pgarray_text(struct pgarray *a, const char *s)
{
    if (s)
        pgarray_bytes(a, s, strlen(s));
    else
        pgarray_null(a);
}

void pgarray_number(struct pgarray *a, int64_t v)
{
    bool wide = a->type != PG_INT4;
    buf_be32(&a->bytes, wide ? 8 : 4);
    if (wide)
        buf_be64(&a->bytes, (uint64_t)v);
    else
        buf_be32(&a->bytes, (uint32_t)(int32_t)v);
    a->count++;
}

void pgarray_number_or_null(struct pgarray *a, int64_t v, bool known)
{
    if (known)
        pgarray_number(a, v);
    else
        pgarray_null(a);
}

void pgarray_time(struct pgarray *a, int64_t us)
{
    if (us)
        pgarray_number(a, us - (int64_t)EPOCH_SECONDS * 1000000);
    else
        pgarray_null(a);
}

void pgarray_uuid(struct pgarray *a, const struct uuid *u)
{
    pgarray_bytes(a, u->bytes, sizeof u->bytes);
}

void pgarray_finish(struct pgarray *a)
{
    const uint32_t header[] = {htobe32(a->count ? 1 : 0), htobe32(1), htobe32((uint32_t)a->type),
                               htobe32((uint32_t)a->count), htobe32(1)};
    memcpy(a->bytes.data, header, HEADER);
    if (a->count == 0)
        a->bytes.len = 12; /* no dimension, no bounds */
}
