-- What a listener did in one session, from its first play to its last.
-- Grain: one session of one user.
-- Key: user_id, session_id.
-- Caveat: only plays count; a session without any is not here, and time on other pages is not seen.
-- Caveat: one session_id may be several users', who each have a row, and a session may go on past midnight.
-- Caveat: a play counts its whole length, also where the next one began before; no length counts 0, more than a day counts a day.
-- Column user_id bigint: who listened
-- Column session_id bigint: listening session
-- Column started_at timestamp with time zone: when the first play began
-- Column ended_at timestamp with time zone: the latest that one of its plays ended if heard out
-- Column plays bigint: plays, at least 1
-- Column seconds double precision: lengths of the plays, each to the millisecond
-- Column level_at_start text: level of the first play
-- Column level_at_end text: level of the last play
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.sessions AS
SELECT
    user_id,
    session_id,
    min(started_at) AS started_at,
    max(ended_at) AS ended_at,
    sum(plays)::bigint AS plays,
    sum(milliseconds)::double precision / 1000 AS seconds,
    (array_agg(level ORDER BY started_at, item_in_session))[1] AS level_at_start,
    (array_agg(level ORDER BY started_at DESC, item_in_session DESC))[1] AS level_at_end
FROM dwh.play_runs
GROUP BY user_id, session_id;
