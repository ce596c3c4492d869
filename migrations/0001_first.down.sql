DROP VIEW job_status;
DROP FUNCTION usd(numeric);
DROP FUNCTION make_partitions(integer);
DROP FUNCTION uuid_from(timestamptz);
DROP TABLE dead_letters, attempts, results, job_counters, jobs;
