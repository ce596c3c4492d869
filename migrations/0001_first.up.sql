-- Jobs, results (the completion record), attempts (the books), dead letters.
-- Bodies are text: jsonb doubles the server's work and rewrites what the model said.

CREATE TABLE jobs (
    id           uuid PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    digest       text,                     -- of the input and options; NULL: opened by a worker
    lane         text,
    tenant       text,
    "user"       text,
    feature      text,
    total        bigint,                   -- NULL until the input is known whole
    published    bigint NOT NULL DEFAULT 0, -- tasks, in input order, that Kafka acknowledged
    created_at   timestamptz NOT NULL DEFAULT now(),
    closed_at    timestamptz,              -- everything is published
    cancelled_at timestamptz
);
CREATE INDEX jobs_created ON jobs (created_at);

-- Counts by job, spread over shards so that no row is hot: each worker writes its own shard.
CREATE TABLE job_counters (
    job_id        uuid NOT NULL,
    shard         smallint NOT NULL,
    succeeded     bigint NOT NULL DEFAULT 0,
    failed        bigint NOT NULL DEFAULT 0,
    cancelled     bigint NOT NULL DEFAULT 0,
    expired       bigint NOT NULL DEFAULT 0,
    degraded      bigint NOT NULL DEFAULT 0,
    attempts      bigint NOT NULL DEFAULT 0,
    unpriced      bigint NOT NULL DEFAULT 0, -- attempts with tokens and no known price
    input_tokens  bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cost_usd      numeric NOT NULL DEFAULT 0,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, shard)
) WITH (fillfactor = 50);

CREATE TABLE results (
    job_id           uuid NOT NULL,
    custom_id        text NOT NULL,
    generation       integer NOT NULL DEFAULT 0,
    status           text NOT NULL
        CHECK (status IN ('succeeded', 'failed', 'cancelled', 'expired', 'degraded')),
    lane             text NOT NULL,
    tenant           text,
    "user"           text,
    feature          text,
    model            text NOT NULL,  -- as the task asked
    backend          text,           -- that gave the final answer
    upstream_model   text,
    http_status      integer,
    response         text,           -- the body, JSON on one line
    error_type       text,
    error            text,
    attempts         integer NOT NULL,
    tokens           bigint NOT NULL, -- input and output, of all attempts
    input_tokens     bigint NOT NULL,
    cached_tokens    bigint NOT NULL,
    output_tokens    bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_usd         numeric,        -- NULL: no price is known
    started_at       timestamptz,    -- of the first attempt
    finished_at      timestamptz NOT NULL,
    PRIMARY KEY (job_id, custom_id)
) PARTITION BY RANGE (job_id);
CREATE TABLE results_default PARTITION OF results DEFAULT;

CREATE TABLE attempts (
    job_id             uuid NOT NULL,
    custom_id          text NOT NULL,
    token              bigint NOT NULL, -- drawn afresh for each call
    generation         integer NOT NULL,
    attempt            integer NOT NULL, -- from 1
    backend            text NOT NULL,
    model              text NOT NULL,   -- upstream
    http_status        integer,
    error_type         text,            -- NULL: success
    error              text,
    input_tokens       bigint NOT NULL,
    cached_tokens      bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    output_tokens      bigint NOT NULL,
    reasoning_tokens   bigint NOT NULL,
    cost_usd           numeric,
    started_at         timestamptz NOT NULL,
    duration_ms        bigint NOT NULL,
    PRIMARY KEY (job_id, custom_id, token)
) PARTITION BY RANGE (job_id);
CREATE TABLE attempts_default PARTITION OF attempts DEFAULT;

CREATE TABLE dead_letters (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id       uuid,             -- NULL: the record could not be read
    custom_id    text,
    generation   integer,
    reason       text NOT NULL,
    error        text NOT NULL,
    tenant       text,
    topic        text NOT NULL,    -- where the record came from
    partition    integer NOT NULL,
    kafka_offset bigint NOT NULL,
    record       bytea NOT NULL,   -- whole, as it came
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz       -- acknowledged by the dead-letter topic
);
CREATE UNIQUE INDEX dead_letters_task ON dead_letters (job_id, custom_id, generation)
    WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX dead_letters_record ON dead_letters
    (topic, partition, kafka_offset, md5(record)) WHERE job_id IS NULL;

-- The least UUIDv7 of a moment.
CREATE FUNCTION uuid_from(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Makes the monthly partitions from this month on, so that old jobs can be dropped whole. A month
-- whose rows already stand in the default partition stays there.
CREATE FUNCTION make_partitions(months integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz;
    parent text;
    child text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('quern.make_partitions'));
    FOR i IN 0 .. months LOOP
        first := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                 + make_interval(months => i);
        FOREACH parent IN ARRAY ARRAY['results', 'attempts'] LOOP
            child := parent || to_char(first AT TIME ZONE 'UTC', '_YYYYMM');
            CONTINUE WHEN to_regclass(child) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                               child, parent, uuid_from(first),
                               uuid_from(first + interval '1 month'));
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'quern: % keeps its rows in %_default', child, parent;
            END;
        END LOOP;
    END LOOP;
END $$;
SELECT make_partitions(2);

-- Dollars to show: at least six places, more only where they are not zero.
CREATE FUNCTION usd(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN scale(trim_scale(amount)) < 6 THEN round(amount, 6)
                ELSE trim_scale(amount) END
$$;

-- What `quern status` and `quern jobs` show.
CREATE VIEW job_status AS
SELECT j.id, j.name, j.lane, j.tenant, j.total, j.published, j.created_at, j.closed_at,
       CASE WHEN j.cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN j.closed_at IS NOT NULL AND c.done >= j.total THEN 'completed'
            ELSE 'running' END AS state,
       c.*
FROM jobs j
CROSS JOIN LATERAL (
    SELECT coalesce(sum(succeeded), 0)::bigint AS succeeded,
           coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(cancelled), 0)::bigint AS cancelled,
           coalesce(sum(expired), 0)::bigint AS expired,
           coalesce(sum(degraded), 0)::bigint AS degraded,
           coalesce(sum(succeeded + failed + cancelled + expired + degraded), 0)::bigint AS done,
           coalesce(sum(attempts), 0)::bigint AS attempts,
           coalesce(sum(unpriced), 0)::bigint AS unpriced,
           coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
           coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
           usd(coalesce(sum(cost_usd), 0)) AS cost_usd,
           max(updated_at) AS updated_at
    FROM job_counters WHERE job_id = j.id) c;
