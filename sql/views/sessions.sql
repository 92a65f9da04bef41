-- What a listener did in one session, from its first play to its last.
-- Grain: one session of one user.
-- Key: user_id, session_id.
-- Caveat: only plays count; a session without any is not here, and time on other pages is not seen.
-- Caveat: one session_id may be several users', who each have a row, and a session may go on past midnight.
-- Caveat: a play counts its whole length, also where the next one began before; no length counts 0, more than a day counts a day.
-- Column user_id bigint: who listened
-- Column session_id bigint: listening session
-- Column started_at timestamp with time zone: when the first play began
-- Column ended_at timestamp with time zone: when the last play began, and its length later
-- Column plays bigint: plays, at least 1
-- Column seconds double precision: lengths of the plays, each to the millisecond
-- Column level_at_start text: level of the first play
-- Column level_at_end text: level of the last play
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.sessions AS
SELECT
    user_id,
    session_id,
    min(start_time) AS started_at,
    (
        array_agg(start_time + make_interval(secs => least(coalesce(length, 0), 86400)) ORDER BY start_time DESC, item_in_session DESC)
    )[1] AS ended_at,
    count(*) AS plays,
    sum(round(least(coalesce(length, 0), 86400) * 1000)) / 1000 AS seconds,
    (array_agg(level ORDER BY start_time, item_in_session))[1] AS level_at_start,
    (array_agg(level ORDER BY start_time DESC, item_in_session DESC))[1] AS level_at_end
FROM dwh.songplays
GROUP BY user_id, session_id;
