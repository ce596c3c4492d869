DROP TABLE guard_events, guard_keys;
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
           coalesce(sum(succeeded + failed + cancelled + expired + degraded), 0)::bigint AS done,
           coalesce(sum(attempts), 0)::bigint AS attempts,
           coalesce(sum(unpriced), 0)::bigint AS unpriced,
           coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
           coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
           usd(coalesce(sum(cost_usd), 0)) AS cost_usd,
           max(updated_at) AS updated_at
    FROM job_counters WHERE job_id = j.id) c;
CREATE OR REPLACE FUNCTION limit_pending(n text, s text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(least(b.units, greatest(0, coalesce(j.total, b.units) - (
               SELECT coalesce(sum(succeeded + failed + cancelled + expired + degraded), 0)
               FROM job_counters c WHERE c.job_id = j.id)))), 0)::bigint
    FROM limit_submissions b JOIN jobs j ON j.id = b.job_id
    WHERE b.name = n AND b.subject = s AND NOT coalesce(j.cancelled_generation >= j.generation, false)
$$;
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
        FOREACH parent IN ARRAY ARRAY['results', 'attempts', 'savings', 'limit_charges'] LOOP
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
ALTER TABLE job_counters DROP COLUMN blocked;
UPDATE results SET status = 'failed' WHERE status = 'blocked';
ALTER TABLE results DROP CONSTRAINT results_status_check, ADD CONSTRAINT results_status_check
    CHECK (status IN ('succeeded', 'failed', 'cancelled', 'expired', 'degraded'));
