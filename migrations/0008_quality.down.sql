DROP FUNCTION sign_test(bigint, bigint);
DROP FUNCTION wilson(bigint, bigint);
DROP TABLE quality, feedback;
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
                                      'guard_events'] LOOP
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
