DROP VIEW judgements;
DROP FUNCTION judge_score(text);
DROP FUNCTION judge_said(text);
DROP FUNCTION is_judge_job(uuid);
DROP FUNCTION judge_job(uuid, text);
DROP TABLE judges;
