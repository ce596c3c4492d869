-- Limits on what tenants, users, features, jobs may use: rates, concurrency, pending tasks, budgets.
-- They live here, not in the configuration: a change by `quern limits` or by SQL holds within
-- seconds, and is on record.

CREATE TABLE limits (
    name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    kind       text NOT NULL CHECK (kind IN ('requests', 'tokens', 'cost', 'concurrency', 'pending')),
    amount     numeric NOT NULL, -- requests, tokens, calls, tasks; USD of a budget
    per        text NOT NULL DEFAULT '' -- each value of this has a count of its own; '': all one
               CHECK (per IN ('', 'tenant', 'user', 'feature', 'job', 'model', 'lane')),
    -- What tasks it is for: exact, or patterns with '*'; NULL: any.
    tenant     text,
    "user"     text,
    feature    text,
    job        text,
    model      text,
    lane       text CHECK (lane IN ('high', 'normal', 'low')),
    window_ms  bigint CHECK (window_ms BETWEEN 1000 AND 31 * 86400000::bigint), -- of rates; sliding
    period     text CHECK (period IN ('day', 'month', 'total')),             -- of budgets
    on_limit   text NOT NULL CHECK (on_limit IN ('pace', 'reject', 'fail', 'park')),
    warn       integer[] NOT NULL DEFAULT '{80,95}', -- percent of a budget; NULL-free
    rank       integer NOT NULL DEFAULT 100, -- of limits of one kind, per and span that fit a task,
               -- the one with the lowest holds, then by name
    CHECK ((kind IN ('requests', 'tokens')) = (window_ms IS NOT NULL)),
    CHECK ((kind = 'cost') = (period IS NOT NULL)),
    CHECK (on_limit = ANY (CASE kind WHEN 'cost' THEN ARRAY['fail', 'park']
                                     WHEN 'concurrency' THEN ARRAY['pace']
                                     WHEN 'pending' THEN ARRAY['reject']
                                     ELSE ARRAY['pace', 'reject'] END)),
    CHECK (amount >= 0 AND amount <= CASE kind WHEN 'cost' THEN 9000000 ELSE 1000000000000 END),
    CHECK (kind = 'cost' OR amount = trunc(amount)),
    CHECK (array_position(warn, NULL) IS NULL)
);

CREATE TABLE limit_history (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_user text NOT NULL DEFAULT session_user,
    program text DEFAULT nullif(current_setting('application_name', true), ''),
    action  text NOT NULL,
    name    text NOT NULL,
    before  jsonb,
    after   jsonb
);

CREATE FUNCTION limits_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO limit_history (action, name, before, after)
    VALUES (CASE TG_OP WHEN 'INSERT' THEN 'set' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END,
            coalesce(NEW.name, OLD.name),
            CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
            CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;
CREATE TRIGGER limits_audit AFTER INSERT OR UPDATE OR DELETE ON limits
    FOR EACH ROW EXECUTE FUNCTION limits_audit();

-- What was begun lately under a rate, by hundredths of its window: counts[i] is of the bucket whose
-- number is i modulo the length. One row a subject.
CREATE TABLE limit_windows (
    name    text NOT NULL,
    subject text NOT NULL,
    width   bigint NOT NULL,   -- of a bucket, us; other counts are void
    newest  bigint NOT NULL,   -- number of the newest bucket: us since 1970 by the width
    counts  bigint[] NOT NULL,
    PRIMARY KEY (name, subject)
) WITH (fillfactor = 50);

-- What a worker may use without asking again: calls of a concurrency limit, pico-dollars of a
-- budget. It comes back when the worker says so, or by itself.
CREATE TABLE limit_leases (
    name    text NOT NULL,
    subject text NOT NULL,
    period  timestamptz NOT NULL, -- when it began
    worker  text NOT NULL,
    amount  bigint NOT NULL,
    want    bigint NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (name, subject, period, worker)
) WITH (fillfactor = 50);

-- Which attempts were counted against which budget, and their sum; shards as in job_counters.
CREATE TABLE limit_charges (
    job_id    uuid NOT NULL,
    custom_id text NOT NULL,
    token     bigint NOT NULL,
    name      text NOT NULL,
    subject   text NOT NULL,
    period    timestamptz NOT NULL,
    pico      bigint NOT NULL,   -- the cost; or what was reserved, where the cost is unknown
    PRIMARY KEY (job_id, custom_id, token, name)
) PARTITION BY RANGE (job_id);
CREATE TABLE limit_charges_default PARTITION OF limit_charges DEFAULT;

CREATE TABLE limit_spent (
    name    text NOT NULL,
    subject text NOT NULL,
    period  timestamptz NOT NULL,
    shard   smallint NOT NULL,
    pico    numeric NOT NULL,
    PRIMARY KEY (name, subject, period, shard)
) WITH (fillfactor = 50);

-- That so many percent of a budget are used: said once each.
CREATE TABLE limit_warnings (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,
    subject      text NOT NULL,
    period       timestamptz NOT NULL,
    percent      integer NOT NULL,
    spent_usd    numeric NOT NULL,
    limit_usd    numeric NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    claimed_at   timestamptz NOT NULL DEFAULT now(), -- by a worker that delivers it
    delivered_at timestamptz,
    UNIQUE (name, subject, period, percent)
);
CREATE INDEX limit_warnings_open ON limit_warnings (claimed_at) WHERE delivered_at IS NULL;

-- When the period of a budget began, and when it ends.
CREATE FUNCTION limit_period(period text, zone text, moment timestamptz,
                             OUT begins timestamptz, OUT ends timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN period = 'total' THEN '-infinity'
                ELSE date_trunc(period, moment AT TIME ZONE zone) AT TIME ZONE zone END,
           CASE WHEN period = 'total' THEN 'infinity'
                ELSE (date_trunc(period, moment AT TIME ZONE zone) + ('1 ' || period)::interval)
                     AT TIME ZONE zone END
$$;

CREATE FUNCTION limit_spent_pico(n text, s text, p timestamptz) RETURNS numeric LANGUAGE sql STABLE
AS $$
    SELECT coalesce(sum(pico), 0) FROM limit_spent WHERE name = n AND subject = s AND period = p
$$;

-- A rate: begins as many as there is room for, in the bucket of now. Exact in every window of
-- `span` us: what may begin up to `life` us later is counted that much longer, and buckets are
-- counted whole. Fewer than `enough` are none: nobody could use them. Returns what was given, its bucket, what was in use, and
-- in how many us there may be room for `enough`.
CREATE FUNCTION limit_take_rate(n text, s text, most bigint, span bigint, life bigint, want bigint,
                                back bigint, back_bucket bigint, enough bigint,
                                OUT granted bigint, OUT bucket bigint, OUT used bigint, OUT wait bigint)
LANGUAGE plpgsql AS $$
DECLARE
    size constant integer := 128;
    step bigint := greatest(span / 100, 1);
    row limit_windows;
    moment bigint;
    oldest bigint;
    number bigint;
BEGIN
    INSERT INTO limit_windows VALUES (n, s, step, 0, array_fill(0::bigint, ARRAY[size]))
        ON CONFLICT DO NOTHING;
    SELECT * INTO row FROM limit_windows w WHERE w.name = n AND w.subject = s FOR UPDATE;
    moment := extract(epoch FROM clock_timestamp()) * 1000000;
    bucket := greatest(moment / step, CASE WHEN row.width = step THEN row.newest ELSE 0 END);
    IF row.width <> step OR bucket - row.newest >= size THEN
        row.counts := array_fill(0::bigint, ARRAY[size]);
    ELSE
        FOR i IN 1 .. (bucket - row.newest)::integer LOOP
            row.counts[(row.newest + i) % size + 1] := 0;
        END LOOP;
        IF back > 0 AND bucket - back_bucket < size THEN
            row.counts[back_bucket % size + 1] :=
                greatest(0, row.counts[back_bucket % size + 1] - back);
        END IF;
    END IF;
    oldest := greatest((moment - span - life) / step, bucket - size + 1);
    used := 0;
    FOR i IN 0 .. (bucket - oldest)::integer LOOP
        used := used + row.counts[(oldest + i) % size + 1];
    END LOOP;
    granted := least(want, greatest(0, most - used));
    IF granted < enough THEN
        granted := 0;
    END IF;
    row.counts[bucket % size + 1] := row.counts[bucket % size + 1] + granted;
    -- When enough of the oldest have gone.
    wait := 0;
    IF granted < want THEN
        number := oldest;
        most := used + granted + greatest(enough, 1) - most; -- so many must go
        WHILE number <= bucket AND most > 0 LOOP
            most := most - row.counts[number % size + 1];
            number := number + 1;
        END LOOP;
        wait := greatest(1000, number * step + span + life - moment);
    END IF;
    UPDATE limit_windows w SET width = step, newest = bucket, counts = row.counts
    WHERE w.name = n AND w.subject = s;
END $$;

-- A share of something that comes back: of a budget or a concurrency limit. `hold` is what the
-- worker cannot do without (it is in use), `want` what it would like to have. Others that want some
-- get a fair share as soon as it is free; of what is too little for a call of each (`enough`) those
-- who ask first get enough for one, and the others nothing.
CREATE FUNCTION limit_take_share(n text, s text, p timestamptz, w text, most numeric, hold bigint,
                                 want bigint, enough bigint, life bigint,
                                 OUT granted bigint, OUT others bigint)
LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint; -- what others want and do not have
    rivals bigint;
    before bigint;
    fair numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(n || chr(31) || s, 0));
    DELETE FROM limit_leases l WHERE l.name = n AND l.subject = s AND l.until < clock_timestamp();
    SELECT coalesce(sum(l.amount) FILTER (WHERE l.worker <> w), 0),
           coalesce(sum(l.amount) FILTER (WHERE l.worker = w), 0),
           count(*) FILTER (WHERE l.worker <> w)
    INTO others, before, rivals
    FROM limit_leases l WHERE l.name = n AND l.subject = s AND l.period = p;
    fair := trunc(most / (rivals + 1));
    SELECT coalesce(sum(greatest(0, least(l.want, fair) - l.amount)), 0) INTO waiting
    FROM limit_leases l WHERE l.name = n AND l.subject = s AND l.period = p AND l.worker <> w;
    granted := greatest(0, least(want, most - others, greatest(fair, most - others - waiting)));
    IF granted < hold + enough THEN
        granted := CASE WHEN hold + enough <= most - others THEN hold + enough
                        ELSE least(granted, hold) END;
    END IF;
    -- What is in use stays, as long as it was given before; a call that was begun cannot be undone.
    granted := greatest(granted, least(hold, before));
    IF granted = 0 AND want = 0 THEN
        DELETE FROM limit_leases l
        WHERE l.name = n AND l.subject = s AND l.period = p AND l.worker = w;
    ELSE
        INSERT INTO limit_leases VALUES
            (n, s, p, w, granted, want, clock_timestamp() + life * interval '1 us')
        ON CONFLICT (name, subject, period, worker) DO UPDATE SET amount = EXCLUDED.amount,
            want = EXCLUDED.want, until = EXCLUDED.until;
    END IF;
END $$;

-- Warns once for each percentage of a budget that is reached.
CREATE FUNCTION limit_warn(l limits, s text, p timestamptz, spent numeric) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO limit_warnings (name, subject, period, percent, spent_usd, limit_usd, claimed_at)
    SELECT l.name, s, p, percent, spent * 0.000000000001, l.amount, '-infinity'
    FROM unnest(l.warn) percent WHERE spent >= l.amount * 10000000000 * percent
    ON CONFLICT DO NOTHING
$$;

-- The one function that workers ask, for many at once. Each entry is a limit and a subject of it;
-- of rates: units to begin now, units of an earlier answer that were not begun and their bucket;
-- of the others: units in use, and wanted in all. In the order of their names: no two workers
-- deadlock. Returns, by position: granted; for how many us; the bucket, or the period (us since
-- 1970; 0: total); when it ends, in us from now; used (spent) and held by others; the limit; when to
-- ask again, in us. No row: there is no such limit any more.
CREATE FUNCTION limits_lease(worker text, zone text, names text[], subjects text[], wants bigint[],
                             enoughs bigint[], holds bigint[], buckets bigint[])
RETURNS TABLE (n bigint, granted bigint, life bigint, mark bigint, ends bigint, used bigint,
               others bigint, amount bigint, wait bigint)
LANGUAGE plpgsql AS $$
DECLARE
    asked record;
    l limits;
    p record;
    spent numeric;
    most numeric;
BEGIN
    FOR asked IN SELECT * FROM unnest(names, subjects, wants, enoughs, holds, buckets) WITH ORDINALITY
                 AS a(name, subject, want, enough, hold, bucket, n) ORDER BY a.name, a.subject LOOP
        SELECT * INTO l FROM limits WHERE limits.name = asked.name;
        CONTINUE WHEN NOT FOUND;
        n := asked.n;
        used := 0;
        others := 0;
        ends := 0;
        wait := 0;
        IF l.kind IN ('requests', 'tokens') THEN
            life := least(greatest(l.window_ms * 20, 20000), 1000000);
            amount := trunc(l.amount);
            SELECT t.granted, t.bucket, t.used, t.wait INTO granted, mark, used, wait
            FROM limit_take_rate(l.name, asked.subject, amount, l.window_ms * 1000, life, asked.want,
                                 asked.hold, asked.bucket, asked.enough) t;
        ELSE
            life := 30000000;
            most := CASE l.kind WHEN 'cost' THEN trunc(l.amount * 1000000000000) ELSE trunc(l.amount) END;
            amount := most;
            SELECT * INTO p FROM limit_period(coalesce(l.period, 'total'), zone, clock_timestamp());
            spent := 0;
            IF l.kind = 'cost' THEN
                spent := limit_spent_pico(l.name, asked.subject, p.begins);
                PERFORM limit_warn(l, asked.subject, p.begins, spent);
            END IF;
            SELECT t.granted, t.others INTO granted, others
            FROM limit_take_share(l.name, asked.subject, p.begins, worker, most - spent, asked.hold,
                                  asked.want, asked.enough, life) t;
            used := least(spent, 9000000000000000000);
            mark := CASE WHEN p.begins = '-infinity' THEN 0
                         ELSE extract(epoch FROM p.begins) * 1000000 END;
            IF p.ends <> 'infinity' THEN
                ends := extract(epoch FROM p.ends - clock_timestamp()) * 1000000;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- What a job was let in with by limits that reject: once a job, whatever is run again.
CREATE TABLE limit_submissions (
    job_id  uuid NOT NULL,
    name    text NOT NULL,
    subject text NOT NULL,
    units   bigint NOT NULL,
    PRIMARY KEY (job_id, name, subject)
);
CREATE INDEX limit_submissions_subject ON limit_submissions (name, subject);

-- Tasks of this subject that were submitted and have no result yet, over all jobs. Of a job with
-- several subjects each is taken to have as many undone as the job has, at most its own.
CREATE FUNCTION limit_pending(n text, s text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(least(b.units, greatest(0, coalesce(j.total, b.units) - (
               SELECT coalesce(sum(succeeded + failed + cancelled + expired + degraded), 0)
               FROM job_counters c WHERE c.job_id = j.id)))), 0)::bigint
    FROM limit_submissions b JOIN jobs j ON j.id = b.job_id
    WHERE b.name = n AND b.subject = s AND NOT coalesce(j.cancelled_generation >= j.generation, false)
$$;

-- Lets a job in, by all its limits that reject, or by none: units (tasks, or tokens as estimated) of
-- each limit and subject. Returns the first that refuses, if one does: what is in use, the limit, and
-- in how many us there may be room (0: nobody knows; -1: never, it is more than the limit). A job
-- that was let in before is not counted again. Shares the windows of limits_lease().
CREATE FUNCTION limits_reserve(job uuid, zone text, names text[], subjects text[], wants bigint[])
RETURNS TABLE (n bigint, used bigint, amount bigint, wait bigint)
LANGUAGE plpgsql AS $$
DECLARE
    asked record;
    l limits;
    took record;
BEGIN
    IF EXISTS (SELECT FROM limit_submissions b WHERE b.job_id = job) THEN
        RETURN;
    END IF;
    BEGIN
        FOR asked IN SELECT * FROM unnest(names, subjects, wants) WITH ORDINALITY
                     AS a(name, subject, want, n) ORDER BY a.name, a.subject LOOP
            SELECT * INTO l FROM limits WHERE limits.name = asked.name;
            CONTINUE WHEN NOT FOUND OR l.on_limit <> 'reject';
            n := asked.n;
            amount := trunc(l.amount);
            wait := 0;
            IF l.kind = 'pending' THEN
                PERFORM pg_advisory_xact_lock(hashtextextended(l.name || chr(31) || asked.subject, 0));
                used := limit_pending(l.name, asked.subject);
                took := NULL;
                IF used + asked.want > amount THEN
                    RAISE EXCEPTION 'refused' USING ERRCODE = 'QL001';
                END IF;
            ELSE
                SELECT * INTO took FROM limit_take_rate(l.name, asked.subject, amount,
                    l.window_ms * 1000, 0, asked.want, 0, 0, asked.want);
                used := took.used;
                wait := took.wait;
                IF took.granted < asked.want THEN
                    RAISE EXCEPTION 'refused' USING ERRCODE = 'QL001';
                END IF;
            END IF;
            INSERT INTO limit_submissions VALUES (job, l.name, asked.subject, asked.want);
        END LOOP;
        RETURN;
    EXCEPTION WHEN SQLSTATE 'QL001' THEN -- all that was taken is given back
        IF asked.want > amount THEN
            wait := -1;
        END IF;
        RETURN NEXT;
    END;
END $$;

-- What is in use of each limit now, subject by subject. Money in USD.
CREATE FUNCTION limits_usage(zone text)
RETURNS TABLE (name text, kind text, subject text, used numeric, reserved numeric, amount numeric,
               percent numeric, span text, resets_at timestamptz)
LANGUAGE sql STABLE AS $$
    WITH l AS (SELECT limits.*, p.begins, p.ends FROM limits,
                      limit_period(coalesce(period, 'total'), zone, now()) p),
    moment AS (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS us),
    rates AS (
        SELECT l.name, w.subject, (SELECT sum(w.counts[b % 128 + 1]) FROM generate_series(
                   greatest((m.us - l.window_ms * 1000) / w.width, w.newest - 127), w.newest) b
               ) AS used, NULL::numeric AS reserved
        FROM l JOIN limit_windows w ON w.name = l.name CROSS JOIN moment m
        WHERE l.kind IN ('requests', 'tokens') AND w.width = greatest(l.window_ms * 10, 1)
          AND (w.newest + 1) * w.width > m.us - l.window_ms * 1000),
    budgets AS (
        SELECT l.name, x.subject, sum(x.spent) * 0.000000000001 AS used,
               sum(x.reserved) * 0.000000000001 AS reserved
        FROM l JOIN LATERAL (
            SELECT s.subject, s.pico AS spent, 0 AS reserved FROM limit_spent s
            WHERE s.name = l.name AND s.period = l.begins
            UNION ALL SELECT a.subject, 0, a.amount FROM limit_leases a
            WHERE a.name = l.name AND a.period = l.begins AND a.until > now()) x ON true
        WHERE l.kind = 'cost' GROUP BY l.name, x.subject),
    slots AS (
        SELECT l.name, a.subject, sum(a.amount) AS used, NULL::numeric FROM l
        JOIN limit_leases a ON a.name = l.name AND a.until > now()
        WHERE l.kind = 'concurrency' GROUP BY l.name, a.subject),
    waiting AS (
        SELECT l.name, b.subject, limit_pending(l.name, b.subject)::numeric AS used, NULL::numeric
        FROM l JOIN (SELECT DISTINCT s.name, s.subject FROM limit_submissions s) b ON b.name = l.name
        WHERE l.kind = 'pending'),
    every AS (SELECT * FROM rates UNION ALL SELECT * FROM budgets UNION ALL SELECT * FROM slots
              UNION ALL SELECT * FROM waiting)
    SELECT l.name, l.kind, CASE WHEN l.per = '' THEN NULL ELSE e.subject END,
           CASE WHEN l.kind = 'cost' THEN usd(coalesce(e.used, 0)) ELSE coalesce(e.used, 0) END,
           CASE WHEN l.kind = 'cost' THEN usd(coalesce(e.reserved, 0)) END,
           CASE WHEN l.kind = 'cost' THEN usd(l.amount) ELSE trunc(l.amount) END,
           round(100 * coalesce(e.used, 0) / nullif(l.amount, 0), 1),
           coalesce(l.period, (l.window_ms * interval '1 ms')::text),
           nullif(CASE WHEN l.kind = 'cost' THEN l.ends END, 'infinity')
    FROM l LEFT JOIN every e ON e.name = l.name
    WHERE l.per = '' OR e.subject IS NOT NULL
    ORDER BY l.name, e.used DESC NULLS LAST, e.subject
$$;

-- New tables of what is kept by job have monthly partitions too.
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
SELECT make_partitions(2);
