-- What streaming and prices tell of an attempt.
ALTER TABLE attempts
    ADD COLUMN first_token_ms bigint, -- since started_at; NULL: not streamed, or none came
    ADD COLUMN price_version  text;   -- of the prices that cost_usd was computed by; NULL: it was not
