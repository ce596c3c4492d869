-- Ratings of answers by a model. Each is a task like any other: its answer, its attempts and its cost
-- are where those of all tasks are, under a job that the judged job's id and the version tell.

CREATE TABLE judges (
    version  text PRIMARY KEY, -- of the model and the rubric together
    model    text NOT NULL,
    rubric   text NOT NULL,
    used_at  timestamptz NOT NULL DEFAULT now() -- first
);

-- The job of the ratings, made of the job's time and a hash (RFC 9562, version 7); see
-- guards/judge.h.
CREATE FUNCTION judge_job(job uuid, version text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(set_byte(set_byte(bytes, 6, 112 | (get_byte(bytes, 6) & 15)),
                           8, 128 | (get_byte(bytes, 8) & 63)), 'hex')::uuid
    FROM (SELECT substring(uuid_send(job) FROM 1 FOR 6) || substring(sha256(
              convert_to('quern.judge', 'UTF8') || uuid_send(job) || convert_to(version, 'UTF8'))
              FROM 7 FOR 10) AS bytes) x
$$;

-- What a chat completion says, if it is a rating from 1 to 5; NULL if it is none.
CREATE FUNCTION judge_score(response text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN score BETWEEN 1 AND 5 THEN score END
    FROM (SELECT substring(response::jsonb #>> '{choices,0,message,content}'
                           FROM '"score"\s*:\s*"?([0-9]{1,3}(?:\.[0-9]{1,6})?)(?![0-9])')::numeric AS score) x
$$;

-- A row for each answer that was rated; `score` is NULL if the rating failed or was none.
CREATE VIEW judgements AS
    SELECT j.id AS job_id, r.custom_id, r.generation, v.version, v.model, r.status,
           CASE WHEN r.status = 'succeeded' THEN judge_score(r.response) END AS score,
           r.response, r.cost_usd, r.finished_at
    FROM jobs j CROSS JOIN judges v JOIN results r ON r.job_id = judge_job(j.id, v.version);
