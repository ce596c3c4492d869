#include "settle_sql.h"

const enum pg_type result_types[R_COLUMNS] = {
    PG_UUID, PG_TEXT, PG_INT4, PG_TEXT,        PG_TEXT,        PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT,
    PG_TEXT, PG_TEXT, PG_INT4, PG_TEXT,        PG_TEXT,        PG_TEXT, PG_INT4, PG_INT8, PG_INT8,
    PG_INT8, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT};
const enum pg_type attempt_types[A_COLUMNS] = {
    PG_UUID, PG_TEXT, PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_TEXT,        PG_INT4, PG_TEXT, PG_TEXT,
    PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_INT8, PG_INT8, PG_TEXT,
    PG_TEXT, PG_INT8, PG_TEXT, PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT,        PG_TEXT};
const enum pg_type saving_types[S_COLUMNS] = {PG_UUID, PG_TEXT, PG_INT4, PG_TIMESTAMPTZ,
                                              PG_TEXT, PG_INT8, PG_INT8};
const enum pg_type charge_types[C_COLUMNS] = {PG_UUID, PG_TEXT, PG_INT8, PG_TEXT,
                                              PG_TEXT, PG_INT8, PG_INT8};
const enum pg_type kept_types[K_COLUMNS] = {PG_BYTEA,       PG_BYTEA, PG_UUID, PG_TEXT, PG_INT4,
                                            PG_TIMESTAMPTZ, PG_TEXT,  PG_INT8, PG_INT8, PG_INT8,
                                            PG_INT8,        PG_INT8,  PG_INT8};
const enum pg_type event_types[E_COLUMNS] = {PG_UUID, PG_TEXT, PG_INT4, PG_INT4, PG_TEXT,
                                             PG_TEXT, PG_TEXT, PG_INT4, PG_TEXT, PG_TEXT};
const enum pg_type quality_types[Q_COLUMNS] = {PG_UUID, PG_TEXT, PG_INT4, PG_TEXT, PG_INT4,
                                               PG_INT4, PG_INT4, PG_INT4, PG_TEXT};
const enum pg_type unreadable_types[U_COLUMNS] = {PG_TEXT, PG_TEXT, PG_TEXT,
                                                  PG_INT4, PG_INT8, PG_BYTEA};
const enum pg_type letter_types[L_COLUMNS] = {PG_UUID, PG_TEXT, PG_INT4, PG_TEXT, PG_TEXT,
                                              PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT,
                                              PG_INT4, PG_INT8, PG_BYTEA};
const enum pg_type parked_types[P_COLUMNS] = {PG_UUID,        PG_TEXT, PG_INT4, PG_INT4,
                                              PG_TEXT,        PG_INT4, PG_INT4, PG_TIMESTAMPTZ,
                                              PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT, PG_BYTEA};

/* Pico-dollars become dollars here: exactly, as numeric. */
#define USD "* 0.000000000001::numeric"

/* Locks the parked rows of what is settled, for settle deletes them by their places: one that
 * another transaction changes at that moment (`quern cancel`, a copy's publication) has another
 * place afterwards, and would stay for ever. Whatever comes after this statement sees the rows as
 * they are, and nobody changes them before the end of the transaction. */
static const char hold[] =
    "SELECT count(*) FROM unnest($1::uuid[], $2::text[], $3::int[]) "
    " AS r(job_id, custom_id, generation), LATERAL (SELECT FROM parked q "
    " WHERE q.job_id = r.job_id AND q.custom_id = r.custom_id AND q.generation <= r.generation "
    " OFFSET 0 FOR UPDATE) row";

/* Result, attempts, counters and dead letter in one statement: all of them or none. A result of the
 * same or a newer generation stays as it is; only rows that were really written are counted (and
 * those that they replaced, before, counted back), so the statement may be sent again when a reply
 * was lost. Rows come sorted, and are written in that order: no two workers deadlock. Each wide
 * array is unfolded once and nothing wide is kept in between: that is a quarter of the server's
 * work. */
static const char settle[] =
    "WITH replaced AS MATERIALIZED (SELECT o.job_id, o.custom_id, o.status, o.reopened_at "
    " FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY "
    "  AS k(job_id, custom_id, generation, n) JOIN results o USING (job_id, custom_id) "
    " WHERE k.generation > 0 AND o.generation < k.generation ORDER BY k.n FOR UPDATE OF o), "
    "won AS (INSERT INTO results AS old (job_id, custom_id, generation, status, lane, tenant, "
    "  \"user\", feature, model, backend, upstream_model, http_status, response, error_type, "
    "  error, attempts, tokens, input_tokens, cached_tokens, output_tokens, reasoning_tokens, "
    "  cost_usd, started_at, finished_at, source, answer_of) "
    " SELECT job_id, custom_id, generation, status, lane, tenant, usr, feature, model, backend, "
    "  upstream_model, http_status, response, error_type, error, attempts, input + output, input, "
    "  cached, output, reasoning, cost " USD ", started_at, finished_at, source, answer_of "
    " FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], "
    "  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[], $13::text[], "
    "  $14::text[], $15::text[], $16::int[], $17::bigint[], $18::bigint[], $19::bigint[], "
    "  $20::bigint[], $21::bigint[], $22::timestamptz[], $23::timestamptz[], "
    "  $24::text[], $25::text[]) "
    "  AS r(job_id, custom_id, generation, status, lane, tenant, usr, feature, model, backend, "
    "  upstream_model, http_status, response, error_type, error, attempts, input, cached, output, "
    "  reasoning, cost, started_at, finished_at, source, answer_of) "
    " WHERE (SELECT count(*) FROM replaced) >= 0 " /* they are read, and locked, before */
    " ON CONFLICT (job_id, custom_id) DO UPDATE SET generation = EXCLUDED.generation, "
    "  status = EXCLUDED.status, lane = EXCLUDED.lane, tenant = EXCLUDED.tenant, "
    "  \"user\" = EXCLUDED.\"user\", feature = EXCLUDED.feature, model = EXCLUDED.model, "
    "  backend = EXCLUDED.backend, upstream_model = EXCLUDED.upstream_model, "
    "  http_status = EXCLUDED.http_status, response = EXCLUDED.response, "
    "  error_type = EXCLUDED.error_type, error = EXCLUDED.error, attempts = EXCLUDED.attempts, "
    "  tokens = EXCLUDED.tokens, input_tokens = EXCLUDED.input_tokens, "
    "  cached_tokens = EXCLUDED.cached_tokens, output_tokens = EXCLUDED.output_tokens, "
    "  reasoning_tokens = EXCLUDED.reasoning_tokens, cost_usd = EXCLUDED.cost_usd, "
    "  started_at = EXCLUDED.started_at, finished_at = EXCLUDED.finished_at, "
    "  source = EXCLUDED.source, answer_of = EXCLUDED.answer_of, reopened_at = NULL "
    " WHERE old.generation < EXCLUDED.generation "
    " RETURNING job_id, custom_id, status), "
    "booked AS (INSERT INTO attempts (job_id, custom_id, token, generation, attempt, backend, "
    "  model, http_status, error_type, error, input_tokens, cached_tokens, cache_write_tokens, "
    "  output_tokens, reasoning_tokens, cost_usd, started_at, duration_ms, first_token_ms, "
    "  price_version, asked, cache_write_1h_tokens, service_tier, pack, tenant, \"user\", feature, "
    "  lane, tx) "
    " SELECT job_id, custom_id, token, generation, attempt, backend, model, http_status, "
    "  error_type, error, input, cached, cache_write, output, reasoning, cost " USD ", "
    "  started_at, duration, first_token, price_version, asked, kept, tier, pack, tenant, usr, "
    "  feature, lane, (SELECT cost_tx()) "
    " FROM unnest($26::uuid[], $27::text[], $28::bigint[], $29::int[], $30::int[], $31::text[], "
    "  $32::text[], $33::int[], $34::text[], $35::text[], $36::bigint[], $37::bigint[], "
    "  $38::bigint[], $39::bigint[], $40::bigint[], $41::bigint[], $42::timestamptz[], "
    "  $43::bigint[], $44::bigint[], $45::text[], $46::text[], $47::bigint[], $48::text[], "
    "  $49::bigint[], $50::text[], $51::text[], $52::text[], $53::text[]) "
    "  AS a(job_id, custom_id, token, generation, attempt, backend, model, http_status, "
    "  error_type, error, input, cached, cache_write, output, reasoning, cost, started_at, "
    "  duration, first_token, price_version, asked, kept, tier, pack, tenant, usr, feature, "
    "  lane) "
    " ON CONFLICT DO NOTHING "
    " RETURNING job_id, asked, backend, model, error_type, input_tokens, output_tokens, cost_usd), "
    "calls AS (SELECT job_id, asked, backend, model, coalesce(error_type, '') AS error_type, "
    "  count(*) AS n, count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced, "
    "  sum(input_tokens) AS input, sum(output_tokens) AS output, "
    "  coalesce(sum(cost_usd), 0) AS usd "
    " FROM booked GROUP BY job_id, asked, backend, model, error_type), "
    "days AS (INSERT INTO attempt_days AS d "
    " SELECT (now() AT TIME ZONE 'UTC')::date, asked, backend, model, error_type, "
    "  (pg_backend_pid() % 64)::smallint, sum(n), sum(unpriced), sum(input), sum(output), "
    "  sum(usd) "
    " FROM calls GROUP BY asked, backend, model, error_type "
    " ORDER BY asked, backend, model, error_type "
    " ON CONFLICT (day, asked, backend, model, error_type, shard) DO UPDATE "
    "  SET attempts = d.attempts + EXCLUDED.attempts, unpriced = d.unpriced + EXCLUDED.unpriced, "
    "  input_tokens = d.input_tokens + EXCLUDED.input_tokens, "
    "  output_tokens = d.output_tokens + EXCLUDED.output_tokens, "
    "  cost_usd = d.cost_usd + EXCLUDED.cost_usd), "
    /* The rows are found one by one (OFFSET 0): a plan made while the table was empty would read
     * all of it for each result, once it is full. "hold" has locked them. */
    "unparked AS (DELETE FROM parked p USING unnest($1::uuid[], $2::text[], $3::int[]) "
    "  AS r(job_id, custom_id, generation), LATERAL (SELECT q.ctid AS at FROM parked q "
    "  WHERE q.job_id = r.job_id AND q.custom_id = r.custom_id AND q.generation <= r.generation "
    "  OFFSET 0) row WHERE p.ctid = row.at), "
    "buried AS (INSERT INTO dead_letters (job_id, custom_id, generation, status, lane, attempts, "
    "  reason, error, tenant, topic, partition, kafka_offset, record) "
    " SELECT l.* FROM unnest($54::uuid[], $55::text[], $56::int[], $57::text[], $58::text[], "
    "  $59::int[], $60::text[], $61::text[], $62::text[], $63::text[], $64::int[], $65::bigint[], "
    "  $66::bytea[]) AS l(job_id, custom_id, generation, status, lane, attempts, reason, error, "
    "  tenant, topic, part, pos, record) JOIN won USING (job_id, custom_id, status) "
    " WHERE l.status NOT IN ('succeeded', 'degraded', 'blocked') ON CONFLICT DO NOTHING), "
    "counted AS (INSERT INTO job_counters AS c (job_id, shard, succeeded, failed, cancelled, "
    "  expired, degraded, blocked, attempts, unpriced, input_tokens, output_tokens, cost_usd) "
    " SELECT job_id, (pg_backend_pid() % 64)::smallint, "
    "  coalesce(sum(n) FILTER (WHERE s = 'succeeded'), 0), "
    "  coalesce(sum(n) FILTER (WHERE s = 'failed'), 0), "
    "  coalesce(sum(n) FILTER (WHERE s = 'cancelled'), 0), "
    "  coalesce(sum(n) FILTER (WHERE s = 'expired'), 0), "
    "  coalesce(sum(n) FILTER (WHERE s = 'degraded'), 0), "
    "  coalesce(sum(n) FILTER (WHERE s = 'blocked'), 0), "
    "  coalesce(sum(n) FILTER (WHERE s = 'attempt'), 0), "
    "  sum(unpriced), sum(input), sum(output), sum(usd) "
    " FROM (SELECT job_id, status AS s, count(*) AS n, 0 AS unpriced, 0 AS input, 0 AS output, "
    "   0 AS usd FROM won GROUP BY job_id, status "
    "   UNION ALL SELECT job_id, replaced.status, -1, 0, 0, 0, 0 "
    "   FROM replaced JOIN won USING (job_id, custom_id) WHERE reopened_at IS NULL "
    "   UNION ALL SELECT job_id, 'attempt', n, unpriced, input, output, usd FROM calls) x "
    " GROUP BY job_id ORDER BY job_id "
    " ON CONFLICT (job_id, shard) DO UPDATE SET succeeded = c.succeeded + EXCLUDED.succeeded, "
    "  failed = c.failed + EXCLUDED.failed, cancelled = c.cancelled + EXCLUDED.cancelled, "
    "  expired = c.expired + EXCLUDED.expired, degraded = c.degraded + EXCLUDED.degraded, "
    "  blocked = c.blocked + EXCLUDED.blocked, "
    "  attempts = c.attempts + EXCLUDED.attempts, unpriced = c.unpriced + EXCLUDED.unpriced, "
    "  input_tokens = c.input_tokens + EXCLUDED.input_tokens, "
    "  output_tokens = c.output_tokens + EXCLUDED.output_tokens, "
    "  cost_usd = c.cost_usd + EXCLUDED.cost_usd, updated_at = now()) "
    "SELECT count(*) FROM won";

static const char unreadable[] =
    "INSERT INTO dead_letters (reason, error, topic, partition, kafka_offset, record) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[], "
    " $6::bytea[]) "
    "ON CONFLICT (topic, partition, kafka_offset, md5(record)) WHERE job_id IS NULL "
    "DO UPDATE SET reason = EXCLUDED.reason "
    "RETURNING topic, partition, kafka_offset, id, published_at IS NOT NULL";

static const char letters[] =
    "SELECT i.n, d.id FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY "
    " AS i(job_id, custom_id, generation, n) "
    "JOIN dead_letters d USING (job_id, custom_id, generation) WHERE d.published_at IS NULL";

/* Written before the copy is published: if a worker dies in between, the redelivered record finds
 * the row and publishes the copy again. Not written for what has a result, a newer copy, or a
 * cancelled job: the lock on its row lets `quern cancel` see every row that comes before it. */
static const char park[] =
    "WITH i AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::text[], "
    " $6::int[], $7::int[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], "
    " $12::bytea[]) WITH ORDINALITY AS i(job_id, custom_id, generation, seq, lane, rounds, "
    " attempts, due_at, first_seen, reason, error, record, n)), "
    "j AS (SELECT id, cancelled_generation AS cancelled FROM jobs "
    " WHERE id IN (SELECT job_id FROM i) ORDER BY id FOR SHARE), "
    "w AS (INSERT INTO parked AS p (job_id, custom_id, generation, seq, lane, rounds, attempts, "
    "  due_at, first_seen, reason, error, record) "
    " SELECT job_id, custom_id, generation, seq, lane, rounds, attempts, due_at, first_seen, "
    "  reason, error, record FROM i JOIN j ON j.id = i.job_id "
    " WHERE coalesce(j.cancelled < i.generation, true) AND NOT EXISTS (SELECT FROM results r WHERE "
    "r.job_id = i.job_id "
    "  AND r.custom_id = i.custom_id AND r.generation >= i.generation) "
    " ORDER BY job_id, custom_id "
    " ON CONFLICT (job_id, custom_id) DO UPDATE SET generation = EXCLUDED.generation, "
    "  seq = EXCLUDED.seq, id = EXCLUDED.id, lane = EXCLUDED.lane, rounds = EXCLUDED.rounds, "
    "  attempts = EXCLUDED.attempts, due_at = EXCLUDED.due_at, first_seen = EXCLUDED.first_seen, "
    "  reason = EXCLUDED.reason, error = EXCLUDED.error, record = EXCLUDED.record, "
    "  parked_at = now(), published_at = NULL "
    " WHERE (p.generation, p.seq) <= (EXCLUDED.generation, EXCLUDED.seq) "
    " RETURNING job_id, custom_id, id) "
    "SELECT i.n, w.id FROM i JOIN w USING (job_id, custom_id)";

/* A row that another worker wrote first says for itself what it saved. */
static const char savings[] =
    "INSERT INTO savings (job_id, custom_id, generation, kind, tokens, usd) "
    "SELECT job_id, custom_id, generation, kind, s.tokens, cost " USD " "
    "FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::text[], $6::bigint[], "
    " $7::bigint[]) AS s(job_id, custom_id, generation, finished_at, kind, tokens, cost) "
    "JOIN results USING (job_id, custom_id, generation, finished_at) ON CONFLICT DO NOTHING";

/* The text is copied from the result in the server: it travels once. The lease of an answer that is
 * kept stays for a moment, as nobody's: a look-up that began too early to see the answer looks
 * again. */
static const char keep[] =
    "WITH i AS (SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::uuid[], $4::text[], $5::int[], "
    " $6::timestamptz[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], "
    " $12::bigint[], $13::bigint[]) AS i(key, leased, job_id, custom_id, generation, finished_at, "
    " tenant, ttl, input, cached, output, reasoning, cost)), "
    "held AS (SELECT l.key FROM cache_leases l WHERE l.key IN (SELECT leased FROM i) "
    " AND l.owner = $14::text ORDER BY l.key FOR UPDATE), "
    "freed AS (DELETE FROM cache_leases WHERE key IN (SELECT key FROM held) "
    " AND key NOT IN (SELECT key FROM i WHERE ttl > 0)), "
    "kept AS (UPDATE cache_leases SET owner = '', lane = -1, until = now() + interval '5 s' "
    " WHERE key IN (SELECT key FROM held) AND key IN (SELECT key FROM i WHERE ttl > 0)) "
    "INSERT INTO cache (key, tenant, model, backend, upstream_model, response, bytes, answer_of, "
    " input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd, expires_at) "
    "SELECT DISTINCT ON (i.key) i.key, i.tenant, r.model, r.backend, r.upstream_model, r.response, "
    " octet_length(r.response), r.job_id || '/' || r.custom_id, i.input, i.cached, i.output, "
    " i.reasoning, i.cost " USD ", now() + i.ttl * interval '1 ms' "
    "FROM i JOIN results r USING (job_id, custom_id, generation, finished_at) WHERE i.ttl > 0 "
    "ORDER BY i.key, r.finished_at DESC "
    "ON CONFLICT (key) DO UPDATE SET response = EXCLUDED.response, bytes = EXCLUDED.bytes, "
    " backend = EXCLUDED.backend, upstream_model = EXCLUDED.upstream_model, "
    " answer_of = EXCLUDED.answer_of, input_tokens = EXCLUDED.input_tokens, "
    " cached_tokens = EXCLUDED.cached_tokens, output_tokens = EXCLUDED.output_tokens, "
    " reasoning_tokens = EXCLUDED.reasoning_tokens, cost_usd = EXCLUDED.cost_usd, "
    " created_at = now(), expires_at = EXCLUDED.expires_at";

/* Counted once, however often the statement is sent. Shards are written in order, after all
 * attempts: no two workers deadlock. */
static const char charge[] =
    "WITH c AS (INSERT INTO limit_charges (job_id, custom_id, token, name, subject, period, pico) "
    " SELECT job_id, custom_id, token, name, subject, CASE WHEN period = 0 THEN '-infinity' "
    "  ELSE timestamptz '1970-01-01 00:00:00+00' + period * interval '1 us' END, pico "
    " FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], "
    "  $7::bigint[]) AS i(job_id, custom_id, token, name, subject, period, pico) "
    " ON CONFLICT DO NOTHING RETURNING name, subject, period, pico) "
    "INSERT INTO limit_spent AS s (name, subject, period, shard, pico) "
    "SELECT name, subject, period, (pg_backend_pid() % 64)::smallint, sum(pico) FROM c "
    "GROUP BY name, subject, period ORDER BY name, subject, period "
    "ON CONFLICT (name, subject, period, shard) DO UPDATE SET pico = s.pico + EXCLUDED.pico";

static const char events[] =
    "INSERT INTO guard_events (job_id, custom_id, generation, number, direction, guard, action, "
    " score, reasons, spans) "
    "SELECT job_id, custom_id, generation, number, direction, guard, action, score * 0.001, "
    " reasons, spans::jsonb "
    "FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], "
    " $8::int[], $9::text[], $10::text[]) AS e(job_id, custom_id, generation, number, direction, "
    " guard, action, score, reasons, spans) ON CONFLICT DO NOTHING";

static const char quality[] =
    "INSERT INTO quality (job_id, custom_id, generation, completion, relevance, coverage, "
    " groundedness, claims, unsupported) "
    "SELECT job_id, custom_id, generation, completion, relevance * 0.001, coverage * 0.001, "
    " groundedness * 0.001, claims, unsupported::jsonb "
    "FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::int[], $7::int[], "
    " $8::int[], $9::text[]) AS q(job_id, custom_id, generation, completion, relevance, coverage, "
    " groundedness, claims, unsupported) ON CONFLICT DO NOTHING";

static const char published[] =
    "UPDATE dead_letters SET published_at = now() WHERE id = ANY($1::bigint[])";

static const char parked_published[] =
    "UPDATE parked SET published_at = now() WHERE id = ANY($1::bigint[])";

const struct pglink_statement settle_statements[] = {{"hold", hold},
                                                     {"settle", settle},
                                                     {"unreadable", unreadable},
                                                     {"letters", letters},
                                                     {"park", park},
                                                     {"savings", savings},
                                                     {"keep", keep},
                                                     {"charge", charge},
                                                     {"events", events},
                                                     {"quality", quality},
                                                     {"published", published},
                                                     {"parked_published", parked_published},
                                                     {0}};
