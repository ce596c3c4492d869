DROP FUNCTION drop_partition(text);
DROP FUNCTION old_partitions(text[], timestamptz);
DROP FUNCTION job_ended(jobs);
ALTER TABLE jobs DROP results_dropped_at, DROP attempts_dropped_at;
DROP VIEW costs;
DROP FUNCTION cost_roll_up();
DROP FUNCTION cost_sums(bigint, bigint);
DROP TABLE cost_days;
DROP INDEX attempts_started, attempts_tx;
ALTER TABLE attempts DROP tx, DROP lane, DROP feature, DROP "user", DROP tenant;
DROP FUNCTION cost_cluster();
DROP FUNCTION cost_tx();
DROP TABLE cost_rolled;
DROP FUNCTION recent_quantile(bigint[], numeric);
DROP TABLE workers;
DROP FUNCTION backlog();
DROP FUNCTION jobs_finish();
DROP FUNCTION utc(timestamptz);
DROP FUNCTION job_done(uuid);
DROP INDEX jobs_open;
ALTER TABLE jobs DROP finished_at;
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
