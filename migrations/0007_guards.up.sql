-- Guards: what was found in texts, the outcome `blocked`, and the key that records are sealed with.

ALTER TABLE results DROP CONSTRAINT results_status_check, ADD CONSTRAINT results_status_check
    CHECK (status IN ('succeeded', 'failed', 'cancelled', 'expired', 'degraded', 'blocked'));
ALTER TABLE job_counters ADD COLUMN blocked bigint NOT NULL DEFAULT 0;

DROP VIEW job_status;
CREATE VIEW job_status AS
SELECT j.id, j.name, j.lane, j.tenant, j.total, j.published, j.created_at, j.closed_at,
       CASE WHEN j.cancelled_generation >= j.generation AND (j.total IS NULL OR c.done >= j.published)
            THEN 'cancelled'
            WHEN j.cancelled_generation >= j.generation THEN 'cancelling'
            WHEN j.closed_at IS NOT NULL AND c.done >= j.total THEN 'completed'
            ELSE 'running' END AS state,
       (SELECT count(*) FROM parked p WHERE p.job_id = j.id) AS parked,
       c.*
FROM jobs j
CROSS JOIN LATERAL (
    SELECT coalesce(sum(succeeded), 0)::bigint AS succeeded,
           coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(cancelled), 0)::bigint AS cancelled,
           coalesce(sum(expired), 0)::bigint AS expired,
           coalesce(sum(degraded), 0)::bigint AS degraded,
           coalesce(sum(blocked), 0)::bigint AS blocked,
           coalesce(sum(succeeded + failed + cancelled + expired + degraded + blocked), 0)::bigint
               AS done,
           coalesce(sum(attempts), 0)::bigint AS attempts,
           coalesce(sum(unpriced), 0)::bigint AS unpriced,
           coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
           coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
           usd(coalesce(sum(cost_usd), 0)) AS cost_usd,
           max(updated_at) AS updated_at
    FROM job_counters WHERE job_id = j.id) c;

CREATE OR REPLACE FUNCTION limit_pending(n text, s text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(least(b.units, greatest(0, coalesce(j.total, b.units) - (
               SELECT coalesce(sum(succeeded + failed + cancelled + expired + degraded + blocked), 0)
               FROM job_counters c WHERE c.job_id = j.id)))), 0)::bigint
    FROM limit_submissions b JOIN jobs j ON j.id = b.job_id
    WHERE b.name = n AND b.subject = s AND NOT coalesce(j.cancelled_generation >= j.generation, false)
$$;

-- Verdicts. What was found is never in them: only where it stood and a hash that tells within a job
-- whether it is the same.
CREATE TABLE guard_events (
    job_id     uuid NOT NULL,
    custom_id  text NOT NULL,
    generation integer NOT NULL,
    number     integer NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    direction  text NOT NULL CHECK (direction IN ('in', 'out')),
    guard      text NOT NULL,
    action     text NOT NULL,
    score      numeric NOT NULL,
    reasons    text NOT NULL,
    spans      jsonb NOT NULL,
    PRIMARY KEY (job_id, custom_id, generation, number)
) PARTITION BY RANGE (job_id);
CREATE TABLE guard_events_default PARTITION OF guard_events DEFAULT;

-- The key that bodies with sensitive data are sealed with in dead letters and retry topics. Those
-- who may read it may read them.
CREATE TABLE guard_keys (
    id  smallint PRIMARY KEY CHECK (id = 1),
    key bytea NOT NULL
);
INSERT INTO guard_keys VALUES
    (1, sha256((gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text)::bytea));

CREATE OR REPLACE FUNCTION make_partitions(months integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz;
    parent text;
    child text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('quern.make_partitions'));
    FOR i IN 0 .. months LOOP
        first := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                 + make_interval(months => i);
        FOREACH parent IN ARRAY ARRAY['results', 'attempts', 'savings', 'limit_charges',
                                      'guard_events'] LOOP
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
