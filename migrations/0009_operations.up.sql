-- What operators look at: open jobs and their backlog, workers, costs by day, retention.

-- ---- partitions: of every partitioned table, so that a new one need not be named here -----------

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
        FOR parent IN SELECT relname FROM pg_class WHERE relkind = 'p'
                      AND relnamespace = current_schema()::regnamespace ORDER BY 1 LOOP
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

-- A time to show.
CREATE FUNCTION utc(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- ---- open jobs and the backlog ------------------------------------------------------------------

ALTER TABLE jobs ADD finished_at timestamptz; -- every task that was sent has its result
CREATE INDEX jobs_open ON jobs (id) WHERE finished_at IS NULL AND digest IS NOT NULL;

CREATE FUNCTION job_done(job uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(succeeded + failed + cancelled + expired + degraded + blocked), 0)::bigint
    FROM job_counters WHERE job_id = job
$$;

-- Marks jobs that are done. A replay takes the mark away in the transaction that counts results
-- back: so the jobs are locked first, and looked at again after that.
CREATE FUNCTION jobs_finish() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    SELECT array_agg(id) INTO ids FROM (
        SELECT id FROM jobs WHERE finished_at IS NULL AND digest IS NOT NULL
            AND (closed_at IS NOT NULL OR cancelled_at IS NOT NULL) AND job_done(id) >= published
        ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) done;
    UPDATE jobs SET finished_at = now() WHERE id = ANY (ids) AND job_done(id) >= published;
END $$;
SELECT jobs_finish();

-- Tasks of all jobs by lane: to be worked on now (queued, running, or due for a retry), and parked
-- until later. Always a row a lane. What other clients than `quern submit` put into Kafka is not
-- known here.
CREATE FUNCTION backlog() RETURNS TABLE (lane text, tasks bigint, parked bigint)
LANGUAGE sql STABLE AS $$
    WITH open AS (
        SELECT coalesce(j.lane, 'normal') AS lane, greatest(j.published - job_done(j.id), 0) AS n
        FROM jobs j WHERE j.finished_at IS NULL AND j.digest IS NOT NULL),
    waiting AS (
        SELECT p.lane, count(*) AS n FROM parked p WHERE p.due_at > now() GROUP BY 1)
    SELECT l.lane, greatest(coalesce((SELECT sum(n) FROM open o WHERE o.lane = l.lane), 0)
                            - coalesce(w.n, 0), 0)::bigint, coalesce(w.n, 0)::bigint
    FROM unnest(ARRAY['high', 'normal', 'low']) WITH ORDINALITY AS l(lane, n)
    LEFT JOIN waiting w ON w.lane = l.lane ORDER BY l.n
$$;

-- ---- workers ------------------------------------------------------------------------------------

-- By their own word, every few seconds.
CREATE TABLE workers (
    id         text PRIMARY KEY,
    host       text NOT NULL,
    pid        integer NOT NULL,
    version    text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    stats      jsonb NOT NULL -- lately: see worker/recent.h
) WITH (fillfactor = 50);

-- The histograms of `recent` have four buckets to each doubling, from 1 ms on: the value below
-- which a share of what was counted lies, in seconds.
CREATE FUNCTION recent_quantile(counts bigint[], share numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT round((power(2::double precision, (min(n) - 0.5) / 4.0) / 1000.0)::numeric, 3)
    FROM (SELECT n, sum(c) OVER (ORDER BY n) AS upto, sum(c) OVER () AS total
          FROM unnest(counts) WITH ORDINALITY AS u(c, n)) x
    WHERE total > 0 AND upto >= total * share
$$;

-- ---- costs by day -------------------------------------------------------------------------------

-- Whose an attempt was, so that the books stand by themselves; and the transaction that wrote it.
ALTER TABLE attempts
    ADD tenant text, ADD "user" text, ADD feature text, ADD lane text,
    ADD tx bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint;
UPDATE attempts a SET tenant = r.tenant, "user" = r."user", feature = r.feature, lane = r.lane
FROM results r WHERE r.job_id = a.job_id AND r.custom_id = a.custom_id;
CREATE INDEX attempts_tx ON attempts USING brin (tx) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX attempts_started ON attempts USING brin (started_at)
    WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE cost_days (
    day              date NOT NULL, -- UTC, of the call's start
    tenant           text NOT NULL,
    "user"           text NOT NULL,
    feature          text NOT NULL,
    lane             text NOT NULL,
    model            text NOT NULL, -- as it was asked for
    backend          text NOT NULL,
    calls            bigint NOT NULL,
    failed_calls     bigint NOT NULL,
    tasks            bigint NOT NULL, -- first calls of a task
    unpriced         bigint NOT NULL,
    input_tokens     bigint NOT NULL,
    cached_tokens    bigint NOT NULL,
    output_tokens    bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_usd         numeric NOT NULL,
    PRIMARY KEY (day, tenant, "user", feature, lane, model, backend)
);
-- Attempts of transactions before this one are in cost_days; later ones are not.
CREATE TABLE cost_rolled (id smallint PRIMARY KEY CHECK (id = 1), tx bigint NOT NULL);
INSERT INTO cost_rolled VALUES (1, 0);

-- Attempts from a transaction on, summed as in cost_days.
CREATE FUNCTION cost_sums(from_tx bigint, to_tx bigint) RETURNS SETOF cost_days
LANGUAGE sql STABLE AS $$
    SELECT (started_at AT TIME ZONE 'UTC')::date, coalesce(tenant, ''), coalesce("user", ''),
           coalesce(feature, ''), coalesce(lane, ''), coalesce(asked, model), backend, count(*),
           count(*) FILTER (WHERE error_type IS NOT NULL), count(*) FILTER (WHERE attempt = 1),
           count(*) FILTER (WHERE cost_usd IS NULL), sum(input_tokens)::bigint,
           sum(cached_tokens)::bigint, sum(output_tokens)::bigint, sum(reasoning_tokens)::bigint,
           coalesce(sum(cost_usd), 0)
    FROM attempts WHERE tx >= from_tx AND tx < to_tx
    GROUP BY 1, 2, 3, 4, 5, 6, 7
$$;

-- Adds what is new: every attempt once, since a transaction below the oldest that runs will write
-- no more. False if somebody else does just that.
CREATE FUNCTION cost_roll_up() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    oldest bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
BEGIN
    SELECT tx INTO before FROM cost_rolled WHERE id = 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF oldest <= before THEN
        RETURN true;
    END IF;
    INSERT INTO cost_days AS c SELECT * FROM cost_sums(before, oldest)
    ON CONFLICT (day, tenant, "user", feature, lane, model, backend) DO UPDATE
        SET calls = c.calls + EXCLUDED.calls,
            failed_calls = c.failed_calls + EXCLUDED.failed_calls,
            tasks = c.tasks + EXCLUDED.tasks,
            unpriced = c.unpriced + EXCLUDED.unpriced,
            input_tokens = c.input_tokens + EXCLUDED.input_tokens,
            cached_tokens = c.cached_tokens + EXCLUDED.cached_tokens,
            output_tokens = c.output_tokens + EXCLUDED.output_tokens,
            reasoning_tokens = c.reasoning_tokens + EXCLUDED.reasoning_tokens,
            cost_usd = c.cost_usd + EXCLUDED.cost_usd;
    UPDATE cost_rolled SET tx = oldest WHERE id = 1;
    RETURN true;
END $$;

-- Everything up to now: what is rolled up, and what is not yet.
CREATE VIEW costs AS
    SELECT * FROM cost_days
    UNION ALL SELECT s.* FROM cost_rolled r, LATERAL cost_sums(r.tx, 9223372036854775807) s;

-- ---- retention ----------------------------------------------------------------------------------

ALTER TABLE jobs
    ADD results_dropped_at timestamptz, -- its results are gone, by their age
    ADD attempts_dropped_at timestamptz;

-- When a job had its last result; NULL: it goes on. Of one that a worker opened nobody knows how
-- many tasks it has: it ends with the last that came.
CREATE FUNCTION job_ended(j jobs) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN j.finished_at IS NOT NULL THEN j.finished_at
                WHEN j.digest IS NULL THEN coalesce(
                    (SELECT max(updated_at) FROM job_counters WHERE job_id = j.id), j.created_at)
           END
$$;

-- The monthly partitions of these tables all of whose jobs ended before that.
CREATE FUNCTION old_partitions(parents text[], before timestamptz) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT name FROM (
        SELECT c.relname AS name, to_date(right(c.relname, 6), 'YYYYMM')::timestamp AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relname = ANY (parents) AND c.relname ~ '_[0-9]{6}$'
            AND p.relnamespace = current_schema()::regnamespace) x
    WHERE (month + interval '1 month') AT TIME ZONE 'UTC' <= before
        AND NOT EXISTS (SELECT FROM jobs j
            WHERE j.id >= uuid_from(month AT TIME ZONE 'UTC')
            AND j.id < uuid_from((month + interval '1 month') AT TIME ZONE 'UTC')
            AND coalesce(job_ended(j) >= before, true))
    ORDER BY 1
$$;

CREATE FUNCTION drop_partitions(parents text[], before timestamptz) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('quern.make_partitions'));
    FOR name IN SELECT * FROM old_partitions(parents, before) LOOP
        EXECUTE format('DROP TABLE %I', name);
        RETURN NEXT name;
    END LOOP;
END $$;
