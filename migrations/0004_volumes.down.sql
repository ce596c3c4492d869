DROP VIEW attempt_counts;
DROP TABLE attempt_days;
ALTER TABLE attempts DROP COLUMN asked, DROP COLUMN cache_write_1h_tokens, DROP COLUMN service_tier;
