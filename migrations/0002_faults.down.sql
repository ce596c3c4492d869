DROP VIEW job_status;
DROP TABLE parked;
ALTER TABLE dead_letters DROP status, DROP lane, DROP attempts, DROP replay_generation,
    DROP replayed_at;
DROP INDEX dead_letters_created;
ALTER TABLE results DROP reopened_at;
DROP INDEX jobs_cancelled;
ALTER TABLE jobs DROP generation, DROP cancelled_generation, DROP cancel_lets_finish;
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
