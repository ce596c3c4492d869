DROP FUNCTION lease_limits(text[], bigint[], bigint);
DROP TABLE rate_limits;
ALTER TABLE attempts DROP COLUMN first_token_ms, DROP COLUMN price_version;
