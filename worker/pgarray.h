/* One-dimensional arrays in PostgreSQL's binary format: the parameters of the batched statements.
 * Format: src/backend/utils/adt/arrayfuncs.c, array_recv(). */
#ifndef QUERN_PGARRAY_H
#define QUERN_PGARRAY_H
#include "common/buf.h"
#include "common/uuid.h"

enum pg_type {
    PG_BYTEA = 17,
    PG_INT8 = 20,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_TIMESTAMPTZ = 1184,
    PG_UUID = 2950
};

struct pgarray {
    struct buf bytes;
    enum pg_type type;
    int32_t count;
};

enum { PGARRAY_MAX = 1 << 30 };

void pgarray_init(struct pgarray *a, enum pg_type type);
void pgarray_free(struct pgarray *a);
void pgarray_null(struct pgarray *a);
void pgarray_bytes(struct pgarray *a, const void *p, size_t len); /* text or bytea */
void pgarray_text(struct pgarray *a, const char *s);              /* NULL: null */
void pgarray_number(struct pgarray *a, int64_t v);                /* int8 or int4 */
void pgarray_number_or_null(struct pgarray *a, int64_t v, bool known);
void pgarray_time(struct pgarray *a, int64_t us); /* since 1970; 0: null */
void pgarray_uuid(struct pgarray *a, const struct uuid *u);
/* Completes the header; then bytes.data and bytes.len are the parameter. */
void pgarray_finish(struct pgarray *a);
#endif
