#include "cached.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/uuid.h"
#include "sharing.h"

/* Each answer travels once, to the first that asks for it. What is not there is leased; what others
 * have leased comes back without an answer, as does what a reply has no room for. Leases are
 * written in the order of their keys: no two workers deadlock. */
const char cached_sql[] =
    "WITH k AS (SELECT * FROM unnest($1::bytea[], $2::int[], $3::bigint[], $6::bigint[]) "
    " AS k(key, lane, n, age)), "
    "found AS (SELECT k.n, min(k.n) OVER (PARTITION BY c.key) AS first, c.* FROM k "
    " JOIN cache c ON c.key = k.key WHERE c.expires_at > now() "
    " AND c.created_at > now() - k.age * interval '1 ms'), "
    "missed AS (SELECT * FROM k WHERE NOT EXISTS (SELECT FROM found f WHERE f.n = k.n)), "
    "leased AS (INSERT INTO cache_leases AS l (key, owner, lane, until) "
    " SELECT key, $4::text, min(lane), now() + $5::bigint * interval '1 ms' FROM missed "
    " WHERE lane >= 0 GROUP BY key ORDER BY key "
    " ON CONFLICT (key) DO UPDATE SET owner = EXCLUDED.owner, lane = EXCLUDED.lane, "
    "  until = EXCLUDED.until "
    " WHERE l.until < now() OR l.owner = EXCLUDED.owner OR l.lane > EXCLUDED.lane "
    " RETURNING l.key) "
    "SELECT n, CASE WHEN total <= 8388608 THEN first ELSE 0 END, "
    " CASE WHEN n = first AND total <= 8388608 THEN response END, backend, upstream_model, "
    " answer_of, input_tokens, cached_tokens, output_tokens, reasoning_tokens, "
    " (cost_usd * 1000000000000)::bigint "
    "FROM (SELECT *, sum(CASE WHEN n = first THEN bytes ELSE 0 END) OVER (ORDER BY first, n) "
    " AS total FROM found) f "
    "UNION ALL SELECT n, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0 FROM missed "
    " WHERE lane >= 0 AND key NOT IN (SELECT key FROM leased) ORDER BY 1";

enum column {
    C_POSITION,
    C_FIRST, /* 0: not now */
    C_RESPONSE,
    C_BACKEND,
    C_MODEL,
    C_ANSWER_OF,
    C_INPUT,
    C_CACHED,
    C_OUTPUT,
    C_REASONING,
    C_COST
};

const char *cached_owner(void)
{
    static char name[64];
    if (!name[0])
        (void)snprintf(name, sizeof name, "%ld-%016llx", (long)getpid(),
                       (unsigned long long)random_u64());
    return name;
}

void cached_begin(struct cached_ask *a, const struct config *c)
{
    *a = (struct cached_ask){.lease_ms = c->cache.lease};
    pgarray_init(&a->arrays[0], PG_BYTEA);
    pgarray_init(&a->arrays[1], PG_INT4);
    pgarray_init(&a->arrays[2], PG_INT8);
    pgarray_init(&a->arrays[3], PG_INT8);
    buf_init(&a->lease, sizeof(int64_t));
}

void cached_add(struct cached_ask *a, const struct task *t, int64_t position)
{
    const struct sharing *s = t->sharing;
    if (!s || s->rule->ttl == 0)
        return;
    a->count++;
    pgarray_bytes(&a->arrays[0], s->key, sizeof s->key);
    pgarray_number(&a->arrays[1], s->rule->coalesce && a->lease_ms > 0 ? t->lane : -1);
    pgarray_number(&a->arrays[2], position);
    pgarray_number(&a->arrays[3], s->rule->ttl);
}

bool cached_query(struct cached_ask *a, struct pglink_query *q)
{
    *q = (struct pglink_query){.name = "cached", .count = CACHED_PARAMETERS};
    for (int i = 0; i < CACHED_ARRAYS; i++) {
        const int at = i < 3 ? i : 5;
        pgarray_finish(&a->arrays[i]);
        q->values[at] = a->arrays[i].bytes.data;
        q->lengths[at] = (int)a->arrays[i].bytes.len;
    }
    buf_be64(&a->lease, (uint64_t)a->lease_ms);
    q->values[3] = cached_owner();
    q->lengths[3] = (int)strlen(cached_owner());
    q->values[4] = a->lease.data;
    q->lengths[4] = (int)a->lease.len;
    return a->count > 0;
}

void cached_end(struct cached_ask *a)
{
    for (int i = 0; i < CACHED_ARRAYS; i++)
        pgarray_free(&a->arrays[i]);
    buf_free(&a->lease);
}

static char *text_of(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column)
               ? NULL
               : mem_copy(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

static struct borrowed *read_answer(const PGresult *r, int row)
{
    char *backend = text_of(r, row, C_BACKEND), *model = text_of(r, row, C_MODEL);
    char *answer_of = text_of(r, row, C_ANSWER_OF);
    struct borrowed *b =
        borrowed_new(text_of(r, row, C_RESPONSE), (size_t)PQgetlength(r, row, C_RESPONSE), backend,
                     model, answer_of);
    b->usage = (struct usage){.input = pglink_int8(r, row, C_INPUT),
                              .cached = pglink_int8(r, row, C_CACHED),
                              .output = pglink_int8(r, row, C_OUTPUT),
                              .reasoning = pglink_int8(r, row, C_REASONING)};
    b->cost = PQgetisnull(r, row, C_COST) ? -1 : pglink_int8(r, row, C_COST);
    free(backend);
    free(model);
    free(answer_of);
    return b;
}

static void lend(struct borrowed *b, struct task *t)
{
    if (!t)
        return;
    b->holders++;
    t->sharing->borrowed = b;
}

/* Rows come by position, and the first of a key before the others. */
void cached_read(const PGresult *r, struct task *const *tasks, size_t count, enum known *known)
{
    struct borrowed **answers = mem_zero((count + 1) * sizeof *answers);
    for (int row = 0; row < PQntuples(r); row++) {
        size_t n = (size_t)pglink_int8(r, row, C_POSITION);
        size_t first = (size_t)pglink_int8(r, row, C_FIRST);
        if (n < 1 || n > count || first > n)
            continue;
        if (n == first)
            answers[n] = read_answer(r, row);
        if (known[n - 1] != KNOWN_NOT)
            continue;
        known[n - 1] = first && answers[first] ? KNOWN_CACHED : KNOWN_ELSEWHERE;
        if (known[n - 1] == KNOWN_CACHED)
            lend(answers[first], tasks[n - 1]);
    }
    for (size_t i = 0; i <= count; i++)
        borrowed_drop(answers[i]);
    free(answers);
}
