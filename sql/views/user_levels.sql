-- Each user's level over time, as seen on plays: every run of plays with the same level (gaps and islands).
-- Grain: one run of plays of one user with the same level, in order of start_time, session_id, item_in_session.
-- Key: user_id, valid_from.
-- Caveat: a level that changes back within one millisecond gives two rows with the same key.
-- Column user_id bigint: whose level
-- Column level text: level of the run's plays
-- Column valid_from timestamp with time zone: start of the run's first play
-- Column valid_to timestamp with time zone: start of the user's next run; null for the run that is still open
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.user_levels AS
WITH runs AS (
    SELECT
        user_id,
        level,
        started_at,
        session_id,
        item_in_session,
        lag(level) OVER in_order AS level_before
    FROM dwh.play_runs
    WINDOW in_order AS (PARTITION BY user_id ORDER BY started_at, session_id, item_in_session)
)

SELECT
    user_id,
    level,
    started_at AS valid_from,
    lead(started_at) OVER in_order AS valid_to
FROM runs
WHERE level_before IS DISTINCT FROM level
WINDOW in_order AS (PARTITION BY user_id ORDER BY started_at, session_id, item_in_session);
