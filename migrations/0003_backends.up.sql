-- What streaming and prices tell of an attempt; rate limits shared by all workers.

ALTER TABLE attempts
    ADD COLUMN first_token_ms bigint, -- since started_at; NULL: not streamed, or none came
    ADD COLUMN price_version  text;   -- of the prices that cost_usd was computed by; NULL: it was not

-- Until when a limit is given out, by the database's clock (us since 1970). One row a limit,
-- touched a few times a second by each worker that wants some of it, not once a call.
CREATE TABLE rate_limits (
    key text PRIMARY KEY,
    tat bigint NOT NULL -- theoretical arrival time, as in the GCRA
) WITH (fillfactor = 50);

-- Gives out what is left of limits until `horizon` us from now, in us of the limit: 1,000,000 is what
-- a limit allows in a second. Returns for each key, by its position: in how many us the stretch
-- begins, and its length. Nothing is saved up: what nobody wanted in time is gone. Keys are locked
-- in order: no two workers deadlock. What a crash of the server forgets is less than the horizon.
CREATE FUNCTION lease_limits(keys text[], wants bigint[], horizon bigint)
RETURNS TABLE (n bigint, delay bigint, granted bigint)
LANGUAGE plpgsql AS $$
DECLARE
    wanted record;
    moment bigint;
    t bigint;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR wanted IN SELECT w.key, w.want, w.n FROM unnest(keys, wants) WITH ORDINALITY AS w(key, want, n)
                  ORDER BY w.key LOOP
        INSERT INTO rate_limits VALUES (wanted.key, 0) ON CONFLICT DO NOTHING;
        SELECT l.tat INTO t FROM rate_limits l WHERE l.key = wanted.key FOR UPDATE;
        moment := extract(epoch FROM clock_timestamp()) * 1000000; -- after the wait for the lock
        t := greatest(t, moment);
        n := wanted.n;
        delay := t - moment;
        granted := least(wanted.want, greatest(0, moment + horizon - t));
        UPDATE rate_limits AS l SET tat = t + granted WHERE l.key = wanted.key;
        RETURN NEXT;
    END LOOP;
END
$$;
