-- What a cost was computed from besides tokens; each day's calls by what they came to.

ALTER TABLE attempts
    ADD COLUMN asked                 text,   -- the model's name that the task asked for
    ADD COLUMN cache_write_1h_tokens bigint, -- a part of cache_write_tokens
    ADD COLUMN service_tier          text;   -- NULL: standard

-- Calls of each day (UTC), with what they used and cost: what rules with a volume look at, and what
-- tells which backend fails how. Filled by the statement that books the attempts.
CREATE TABLE attempt_days (
    day           date     NOT NULL, -- when the attempt was booked
    asked         text     NOT NULL, -- the model's name that tasks asked for
    backend       text     NOT NULL,
    model         text     NOT NULL, -- upstream
    error_type    text     NOT NULL, -- '': it succeeded
    shard         smallint NOT NULL, -- so that workers do not wait for each other
    attempts      bigint   NOT NULL,
    unpriced      bigint   NOT NULL,
    input_tokens  bigint   NOT NULL,
    output_tokens bigint   NOT NULL,
    cost_usd      numeric  NOT NULL,
    PRIMARY KEY (day, asked, backend, model, error_type, shard)
) WITH (fillfactor = 50);

-- The same without shards, for people.
CREATE VIEW attempt_counts AS
    SELECT day, asked, backend, model, nullif(error_type, '') AS error_type,
           sum(attempts)::bigint AS attempts, sum(unpriced)::bigint AS unpriced,
           sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens,
           sum(cost_usd) AS cost_usd
    FROM attempt_days GROUP BY day, asked, backend, model, error_type;
