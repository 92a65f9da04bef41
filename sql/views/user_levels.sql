-- Each user's level over time, as seen on plays: one row for every run of plays with the same level (gaps and islands).
-- A run ends where the next begins; the last one is open (valid_to null).
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.user_levels AS
WITH plays AS (
    SELECT
        user_id,
        level,
        start_time,
        session_id,
        item_in_session,
        lag(level) OVER in_order AS level_before
    FROM dwh.songplays
    WINDOW in_order AS (PARTITION BY user_id ORDER BY start_time, session_id, item_in_session)
)

SELECT
    user_id,
    level,
    start_time AS valid_from,
    lead(start_time) OVER in_order AS valid_to
FROM plays
WHERE level_before IS DISTINCT FROM level
WINDOW in_order AS (PARTITION BY user_id ORDER BY start_time, session_id, item_in_session);
