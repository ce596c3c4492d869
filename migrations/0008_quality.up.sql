-- Quality of answers, as far as it is measured, and what people say of them.

CREATE TABLE quality (
    job_id       uuid NOT NULL,
    custom_id    text NOT NULL,
    generation   integer NOT NULL,
    completion   text NOT NULL
        CHECK (completion IN ('complete', 'cut_off', 'filtered', 'refused', 'empty', 'loop', 'misshapen')),
    relevance    numeric,         -- 0 to 1; NULL: there was no source to hold it against
    coverage     numeric,
    groundedness numeric,
    claims       integer NOT NULL,
    unsupported  jsonb NOT NULL,  -- [{"kind", "text"}]
    PRIMARY KEY (job_id, custom_id, generation)
) PARTITION BY RANGE (job_id);
CREATE TABLE quality_default PARTITION OF quality DEFAULT;

-- One word on each task; kept when it is replayed.
CREATE TABLE feedback (
    job_id    uuid NOT NULL,
    custom_id text NOT NULL,
    up        boolean NOT NULL,
    note      text,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, custom_id)
);

-- The 95 % interval of a share of k in n, as text (Wilson 1927).
CREATE FUNCTION wilson(k bigint, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n > 0 THEN
        round(greatest(0, (p + 1.9208 / n - 1.96 * sqrt((p * (1 - p) + 0.9604 / n) / n)) / (1 + 3.8416 / n)), 3)
        || ' to ' ||
        round(least(1, (p + 1.9208 / n + 1.96 * sqrt((p * (1 - p) + 0.9604 / n) / n)) / (1 + 3.8416 / n)), 3)
        END
    FROM (SELECT k::numeric / nullif(n, 0) AS p) x
$$;

-- How likely chance makes wins and losses so uneven: the sign test, two-sided; exact up to 200 of
-- them, normal beyond.
CREATE FUNCTION sign_test(wins bigint, losses bigint) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n bigint := wins + losses;
    few bigint := least(wins, losses);
    term numeric := 1;
    total numeric := 1;
    z double precision;
BEGIN
    IF n = 0 THEN
        RETURN 1;
    END IF;
    IF n > 200 THEN
        z := (abs(wins - losses) - 1) / sqrt(n);
        -- Abramowitz and Stegun 26.2.17
        RETURN round((2 * exp(-z * z / 2) / sqrt(2 * pi()) * (
            0.319381530 / (1 + 0.2316419 * z) - 0.356563782 / (1 + 0.2316419 * z) ^ 2
            + 1.781477937 / (1 + 0.2316419 * z) ^ 3 - 1.821255978 / (1 + 0.2316419 * z) ^ 4
            + 1.330274429 / (1 + 0.2316419 * z) ^ 5))::numeric, 4);
    END IF;
    FOR i IN 1 .. few LOOP
        term := term * (n - i + 1) / i;
        total := total + term;
    END LOOP;
    RETURN round(least(1, 2 * total / 2::numeric ^ n), 4);
END $$;

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
                                      'guard_events', 'quality'] LOOP
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
