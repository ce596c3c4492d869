-- What streaming and prices tell of an attempt; rate limits shared by all workers; the day's volume.

ALTER TABLE attempts
    ADD COLUMN first_token_ms bigint, -- since started_at; NULL: not streamed, or none came
    ADD COLUMN price_version  text;   -- by which cost_usd was computed; NULL: no price is known

-- Until when a limit is given out, by the database's clock (seconds since 1970). One row a limit,
-- touched a few times a second by each worker that wants some of it, not once a call.
CREATE TABLE rate_limits (
    key text PRIMARY KEY,
    tat double precision NOT NULL -- theoretical arrival time, as in the GCRA
) WITH (fillfactor = 50);

-- Gives out what is left of limits until `horizon` seconds from now, in seconds of the limit: 1 is
-- what a limit allows in a second. For each key: what was granted, and in how many seconds it
-- begins. Nothing is saved up: what nobody wanted in time is gone. Keys are locked in order: no two
-- workers deadlock. What a crash of the server forgets is less than the horizon.
CREATE FUNCTION lease_limits(keys text[], wants double precision[], horizon double precision)
RETURNS TABLE (key text, delay double precision, granted double precision)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    wanted record;
    moment double precision;
    t double precision;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR wanted IN SELECT * FROM unnest(keys, wants) AS w(key, want) ORDER BY w.key LOOP
        INSERT INTO rate_limits AS l VALUES (wanted.key, 0) ON CONFLICT DO NOTHING;
        SELECT l.tat INTO t FROM rate_limits l WHERE l.key = wanted.key FOR UPDATE;
        moment := extract(epoch FROM clock_timestamp()); -- after the wait for the lock
        t := greatest(t, moment);
        granted := least(wanted.want, greatest(0, moment + horizon - t));
        UPDATE rate_limits AS l SET tat = t + granted WHERE l.key = wanted.key;
        key := wanted.key;
        delay := t - moment;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Tasks, tokens and costs of each day (UTC) by the model that was asked for: what rules with a
-- volume look at.
CREATE TABLE model_days (
    day      date NOT NULL,
    model    text NOT NULL,
    shard    smallint NOT NULL,
    tasks    bigint NOT NULL,
    tokens   bigint NOT NULL,
    cost_usd numeric NOT NULL,
    PRIMARY KEY (day, model, shard)
) WITH (fillfactor = 50);
