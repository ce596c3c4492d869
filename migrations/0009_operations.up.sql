-- What operators look at: open jobs and their backlog, workers, costs by day, retention.

-- ---- partitions: of every partitioned table, so that a new one need not be named here -----------

-- A new partition locks its parent against everybody: it is not waited for behind somebody who reads
-- for long, who would keep the workers from writing too. It is made the next time.
CREATE OR REPLACE FUNCTION make_partitions(months integer) RETURNS void LANGUAGE plpgsql
SET lock_timeout = '1s' AS $$
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
            EXCEPTION
                WHEN check_violation THEN
                    RAISE WARNING 'quern: % keeps its rows in %_default', child, parent;
                WHEN lock_not_available THEN
                    RAISE WARNING 'quern: % is in use; % is made another time', parent, child;
                    RETURN;
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
            AND (closed_at IS NOT NULL OR cancelled_generation >= generation)
            AND job_done(id) >= published
        ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) done;
    UPDATE jobs SET finished_at = now() WHERE id = ANY (ids) AND job_done(id) >= published;
END $$;
SELECT jobs_finish();

-- Tasks of all jobs by lane: to be worked on now (queued, running, or due for a retry), and parked
-- until later. Always a row a lane. What other clients than `quern submit` put into Kafka is not
-- known here.
CREATE FUNCTION backlog() RETURNS TABLE (lane text, tasks bigint, parked bigint)
LANGUAGE sql STABLE AS $$
    WITH waiting AS (
        SELECT job_id, p.lane, count(*) AS n FROM parked p WHERE p.due_at > now() GROUP BY 1, 2),
    open AS (
        SELECT coalesce(j.lane, 'normal') AS lane,
               greatest(j.published - job_done(j.id) - coalesce(w.n, 0), 0) AS n
        FROM jobs j LEFT JOIN (SELECT job_id, sum(n)::bigint AS n FROM waiting GROUP BY 1) w
             ON w.job_id = j.id
        WHERE j.finished_at IS NULL AND j.digest IS NOT NULL)
    SELECT l.lane, coalesce((SELECT sum(n) FROM open o WHERE o.lane = l.lane), 0)::bigint,
           coalesce((SELECT sum(n) FROM waiting w WHERE w.lane = l.lane), 0)::bigint
    FROM unnest(ARRAY['high', 'normal', 'low']) WITH ORDINALITY AS l(lane, n) ORDER BY l.n
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

-- Attempts of transactions before `tx` are in cost_days; later ones are not. A transaction is told by
-- its id and `shift`: ids begin anew in another cluster (after a dump was restored), and what is
-- written there must come later than what was rolled up here.
CREATE TABLE cost_rolled (
    id      smallint PRIMARY KEY CHECK (id = 1),
    tx      bigint NOT NULL,
    shift   bigint NOT NULL DEFAULT 0,
    cluster bigint NOT NULL
);
INSERT INTO cost_rolled (id, tx, cluster)
SELECT 1, pg_current_xact_id()::text::bigint, system_identifier FROM pg_control_system();

-- This transaction.
CREATE FUNCTION cost_tx() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT pg_current_xact_id()::text::bigint + shift FROM cost_rolled WHERE id = 1
$$;

-- Called on each new connection that will write attempts: is it another cluster?
CREATE FUNCTION cost_cluster() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    here bigint := (SELECT system_identifier FROM pg_control_system());
BEGIN
    IF here <> (SELECT cluster FROM cost_rolled WHERE id = 1) THEN
        UPDATE cost_rolled SET shift = tx, cluster = here WHERE id = 1 AND cluster <> here;
    END IF;
END $$;

-- Whose an attempt was, so that the books stand by themselves; and the transaction that wrote it.
ALTER TABLE attempts
    ADD tenant text, ADD "user" text, ADD feature text, ADD lane text,
    ADD tx bigint NOT NULL DEFAULT cost_tx();
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

-- What was written before is rolled up here and now: nobody else writes meanwhile.
INSERT INTO cost_days SELECT * FROM cost_sums(0, 9223372036854775807);
UPDATE cost_rolled SET tx = tx + 1;

-- Adds what is new, up to a few thousand transactions of it: every attempt once, since a transaction
-- below the oldest that runs will write no more. 0: somebody else does just that; 1: all is rolled up
-- that can be; 2: there is more.
CREATE FUNCTION cost_roll_up() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    last cost_rolled;
    oldest bigint;
    upto bigint;
BEGIN
    SELECT * INTO last FROM cost_rolled WHERE id = 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    oldest := pg_snapshot_xmin(pg_current_snapshot())::text::bigint + last.shift;
    upto := least(oldest, last.tx + 2000);
    IF upto <= last.tx THEN
        RETURN 1;
    END IF;
    INSERT INTO cost_days AS c SELECT * FROM cost_sums(last.tx, upto)
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
    UPDATE cost_rolled SET tx = upto WHERE id = 1;
    RETURN CASE WHEN upto < oldest THEN 2 ELSE 1 END;
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

-- Fails, rather than keep everybody waiting behind somebody who reads. It takes its locks in the
-- order of writers: the parent first.
CREATE FUNCTION drop_partition(name text) RETURNS void LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', regexp_replace(name, '_[0-9]{6}$', ''));
    EXECUTE format('DROP TABLE %I', name);
END $$;
