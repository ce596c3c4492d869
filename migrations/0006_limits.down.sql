DROP FUNCTION limits_usage(text);
DROP FUNCTION limit_pending(text, text);
DROP FUNCTION limits_reserve(uuid, text, text[], text[], bigint[]);
DROP FUNCTION limits_lease(text, text, text[], text[], bigint[], bigint[], bigint[], bigint[]);
DROP FUNCTION limit_warn(limits, text, timestamptz, numeric);
DROP FUNCTION limit_take_share(text, text, timestamptz, text, numeric, bigint, bigint, bigint, bigint);
DROP FUNCTION limit_take_rate(text, text, bigint, bigint, bigint, bigint, bigint, bigint, bigint);
DROP FUNCTION limit_spent_pico(text, text, timestamptz);
DROP FUNCTION limit_period(text, text, timestamptz);
DROP TABLE limit_submissions, limit_warnings, limit_spent, limit_charges, limit_leases,
    limit_windows, limit_history, limits;
DROP FUNCTION limits_audit();
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
        FOREACH parent IN ARRAY ARRAY['results', 'attempts'] LOOP
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
