-- Answers that needed no call of their own: the response cache, answers shared in flight; and what
-- each way of saving has saved.

ALTER TABLE results
    ADD COLUMN source    text  -- NULL: a call of its own; cached, shared: whose answer it is, below
        CHECK (source IN ('cached', 'shared')),
    ADD COLUMN answer_of text; -- job_id/custom_id of the task that was called for it

-- Of several tasks that shared a call: its number, the same for all; each has its part of the
-- tokens and of the cost.
ALTER TABLE attempts ADD COLUMN pack bigint;

-- Answers by request. The key is a SHA-256 over the scope (the tenant, unless the rule says shared)
-- and all that shapes the answer, so no tenant can meet another's.
CREATE TABLE cache (
    key              bytea PRIMARY KEY,
    tenant           text,             -- NULL: shared, or of tasks without one
    model            text NOT NULL,    -- as it was asked for
    backend          text,
    upstream_model   text,             -- that answered
    response         text NOT NULL,
    bytes            bigint NOT NULL,
    answer_of        text NOT NULL,    -- job_id/custom_id
    input_tokens     bigint NOT NULL,
    cached_tokens    bigint NOT NULL,
    output_tokens    bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_usd         numeric,          -- of the call; what each hit saves; NULL: unknown
    created_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL
);
CREATE INDEX cache_created ON cache (created_at);
CREATE INDEX cache_expires ON cache (expires_at);

-- Requests that a worker is about to call, so that others wait for its answer. A lease runs out by
-- itself, and yields to a higher lane: nobody urgent waits for somebody's backlog.
CREATE UNLOGGED TABLE cache_leases (
    key   bytea PRIMARY KEY,
    owner text NOT NULL,        -- the worker process; '': nobody, the answer has come
    lane  smallint NOT NULL,    -- 0: high
    until timestamptz NOT NULL
);

-- What a task did not cost, and why; in the transaction of its result. 'baseline' is what it would
-- have cost at the declared baseline; it is the sum of the others and of the call that answered.
CREATE TABLE savings (
    job_id     uuid NOT NULL,
    custom_id  text NOT NULL,
    generation integer NOT NULL,
    kind       text NOT NULL
        CHECK (kind IN ('cached', 'shared', 'packed', 'compressed', 'routed', 'baseline')),
    tokens     bigint NOT NULL,
    usd        numeric,         -- NULL: no price is known
    PRIMARY KEY (job_id, custom_id, generation, kind)
) PARTITION BY RANGE (job_id);
CREATE TABLE savings_default PARTITION OF savings DEFAULT;

-- Deletes what has expired and, beyond `most` bytes of answers, the oldest. Returns how many. One
-- worker at a time; a bounded number each time.
CREATE FUNCTION cache_trim(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    excess bigint;
    gone bigint;
    more bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('quern.cache_trim')) THEN
        RETURN 0;
    END IF;
    DELETE FROM cache_leases WHERE until < now() - interval '1 minute';
    DELETE FROM cache WHERE key IN (SELECT key FROM cache WHERE expires_at < now() LIMIT 10000);
    GET DIAGNOSTICS gone = ROW_COUNT;
    SELECT sum(bytes) - most INTO excess FROM cache;
    IF excess > 0 THEN
        DELETE FROM cache WHERE key IN (
            SELECT key FROM (SELECT key, bytes, sum(bytes) OVER (ORDER BY created_at, key) AS total
                             FROM cache) c
            WHERE total - bytes < excess + most / 20); -- a twentieth more, so as to rest a while
        GET DIAGNOSTICS more = ROW_COUNT;
        gone := gone + more;
    END IF;
    RETURN gone;
END $$;
