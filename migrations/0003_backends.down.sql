DROP TABLE model_days;
DROP FUNCTION lease_limits(text[], double precision[], double precision);
DROP TABLE rate_limits;
ALTER TABLE attempts DROP COLUMN first_token_ms, DROP COLUMN price_version;
