ALTER TABLE attempts DROP COLUMN first_token_ms, DROP COLUMN price_version;
