-- Ratings of answers by a model. Each is a task like any other: its answer, its attempts and its cost
-- are where those of all tasks are, under a job that the judged job's id and the version tell.

CREATE TABLE judges (
    version  text PRIMARY KEY, -- of the model and the rubric together
    model    text NOT NULL,
    rubric   text NOT NULL,
    used_at  timestamptz NOT NULL DEFAULT now() -- first
);

-- The job of the ratings, made of the job's time and a hash (RFC 9562, version 7), with a mark at the
-- end; see guards/judge.h.
CREATE FUNCTION judge_job(job uuid, version text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(set_byte(set_byte(bytes, 6, 112 | (get_byte(bytes, 6) & 15)),
                           8, 128 | (get_byte(bytes, 8) & 63)) || '\x6a756467', 'hex')::uuid
    FROM (SELECT substring(uuid_send(job) FROM 1 FOR 6) || substring(sha256(
              convert_to('quern.judge', 'UTF8') || uuid_send(job) || convert_to(version, 'UTF8'))
              FROM 7 FOR 6) AS bytes) x
$$;

CREATE FUNCTION is_judge_job(job uuid) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT substring(uuid_send(job) FROM 13) = '\x6a756467' $$;

-- The text of a chat completion; NULL: there is none, or PostgreSQL cannot hold its numbers.
CREATE FUNCTION judge_said(response text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN response::jsonb #>> '{choices,0,message,content}';
EXCEPTION WHEN others THEN
    RETURN NULL;
END $$;

-- The last rating from 1 to 5 in it; NULL: it has none. (An earlier one may be the answer's own.)
CREATE FUNCTION judge_score(response text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN m[1]::numeric BETWEEN 1 AND 5 THEN m[1]::numeric END
    FROM regexp_matches(judge_said(response),
                        '"score"\s*:\s*"?([0-9]{1,3}(?:\.[0-9]{1,6})?)(?![0-9.eE])', 'g')
         WITH ORDINALITY AS x(m, n)
    ORDER BY n DESC LIMIT 1
$$;

-- A row for each answer that was rated; `score` is NULL if the rating failed or was none.
CREATE VIEW judgements AS
    SELECT j.id AS job_id, r.custom_id, r.generation, v.version, v.model, r.status,
           CASE WHEN r.status = 'succeeded' THEN judge_score(r.response) END AS score,
           r.response, r.cost_usd, r.finished_at
    FROM jobs j CROSS JOIN judges v JOIN results r ON r.job_id = judge_job(j.id, v.version)
    WHERE NOT is_judge_job(j.id);
