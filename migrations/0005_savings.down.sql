DROP FUNCTION cache_trim(bigint);
DROP TABLE savings, cache_leases, cache;
ALTER TABLE attempts DROP COLUMN pack;
ALTER TABLE results DROP COLUMN source, DROP COLUMN answer_of;
