-- Plays by user, hour, session and level: what the views about listeners and their time are made of.
-- Grain: one run of plays of one user, each following the one before in order of start_time, session_id, item_in_session, in the same UTC
--   hour, session and level.
-- Key: started_at, user_id, session_id, item_in_session.
-- Caveat: answered by kept_play_runs, which publish keeps from 2,000,000 plays on, and computed from songplays while that is empty.
-- Column started_at timestamp with time zone: when the first play began
-- Column user_id bigint: who listened
-- Column session_id bigint: listening session
-- Column item_in_session integer: position of the first play in the session
-- Column level text: level of the plays
-- Column ended_at timestamp with time zone: the latest that one of the plays ended if heard out; no length counts 0, more than a day a day
-- Column plays bigint: plays, at least 1
-- Column milliseconds bigint: lengths of the plays, each to the millisecond; no length counts 0, more than a day counts a day
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.play_runs AS
SELECT
    kept.started_at,
    kept.user_id,
    kept.session_id,
    kept.item_in_session,
    kept.level,
    kept.ended_at,
    kept.plays,
    kept.milliseconds
FROM dwh.kept_play_runs AS kept
UNION ALL
SELECT
    runs.started_at,
    runs.user_id,
    runs.session_id,
    runs.item_in_session,
    runs.level,
    runs.ended_at,
    runs.plays,
    runs.milliseconds
FROM dwh.play_runs_between('', ':') AS runs
WHERE NOT EXISTS (SELECT 1 FROM dwh.kept_play_runs);
