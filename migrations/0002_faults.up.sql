-- Parked tasks, cancelled jobs, replayed dead letters.

-- How far replays have come, and up to which generation a job is cancelled: what is replayed after
-- a cancellation runs.
ALTER TABLE jobs
    ADD generation           integer NOT NULL DEFAULT 0,
    ADD cancelled_generation integer,
    ADD cancel_lets_finish   boolean NOT NULL DEFAULT false; -- calls in flight at that time
CREATE INDEX jobs_cancelled ON jobs (cancelled_at) WHERE cancelled_at IS NOT NULL;

-- Set by a replay: the result is no longer counted; that of a newer generation will replace it.
ALTER TABLE results ADD reopened_at timestamptz;

ALTER TABLE dead_letters
    ADD status            text NOT NULL DEFAULT 'failed',
    ADD lane              text,
    ADD attempts          integer NOT NULL DEFAULT 0,
    ADD replay_generation integer,     -- chosen before the record is sent
    ADD replayed_at       timestamptz; -- the record is sent
CREATE INDEX dead_letters_created ON dead_letters (created_at);
CREATE INDEX dead_letters_unreplayed ON dead_letters (job_id, id) WHERE replayed_at IS NULL;

-- Tasks that wait in a retry topic. The row says which copy of a record is the newest, so that an
-- older one, redelivered after a crash, is known for what it is. It goes when the result comes.
CREATE TABLE parked (
    job_id       uuid NOT NULL,
    custom_id    text NOT NULL,
    generation   integer NOT NULL,
    seq          integer NOT NULL,     -- of the copy: how often the task was parked
    id           bigint NOT NULL DEFAULT nextval('dead_letters_id_seq'), -- of this publication
    lane         text NOT NULL,
    rounds       integer NOT NULL,     -- how often because all attempts had failed
    attempts     integer NOT NULL,     -- calls so far
    due_at       timestamptz NOT NULL,
    first_seen   timestamptz NOT NULL,
    reason       text NOT NULL,
    error        text NOT NULL,
    record       bytea NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,          -- acknowledged by the retry topic
    PRIMARY KEY (job_id, custom_id)
);
CREATE UNIQUE INDEX parked_id ON parked (id);

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
